package forward

import (
	"net/netip"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Sizes of a transaction's buffers, in bytes. A request head and a small reply
// with its head fit without growing.
const (
	requestBuffer = 4 << 10
	replyBuffer   = 16 << 10
	outBuffer     = 4 << 10
	// keptBuffer is the largest a buffer may have grown and still be kept.
	keptBuffer = 64 << 10
)

var transactions = sync.Pool{New: func() any {
	return &transaction{
		in:     make([]byte, 0, requestBuffer),
		answer: make([]byte, 0, replyBuffer),
		out:    make([]byte, 0, outBuffer),
	}
}}

// newTransaction takes a transaction for the client's next request.
func (s *Server) newTransaction(cl *client) *transaction {
	x := transactions.Get().(*transaction)
	x.start(cl)
	return x
}

// putTransaction gives one back after done.
func (s *Server) putTransaction(x *transaction) {
	x.cl, x.srv, x.port = nil, nil, nil
	if cap(x.in) > keptBuffer || cap(x.answer) > keptBuffer || cap(x.out) > keptBuffer {
		return
	}
	transactions.Put(x)
}

// start makes the transaction ready for the client's next request.
func (x *transaction) start(cl *client) {
	x.srv, x.cl = cl.srv, cl
	x.p = cl.srv.acquire()
	x.port = cl.ln.port.Load()
	x.in = x.in[:0]
	x.reset()
}

// done gives back what the transaction held.
func (x *transaction) done() {
	if x.p != nil {
		x.p.release()
		x.p = nil
	}
	x.ctx = nil
}

// reset clears what belongs to one request.
func (x *transaction) reset() {
	x.began, x.now = time.Time{}, time.Time{}
	x.head, x.fault, x.body = 0, http1.NoFault, http1.Body{}
	x.req.Reset()
	x.rep.Reset()
	x.hasURL, x.rebuilt, x.accel, x.internal, x.bare = false, false, false, false, false
	x.asked, x.text, x.logURL = x.asked[:0], x.text[:0], x.logURL[:0]
	x.loops, x.bodySent, x.unread = 0, false, false
	x.bodyUsed, x.badBody = 0, false
	x.hops, x.hop, x.hier, x.hierHost, x.conn = x.hops[:0], nil, "", x.hierHost[:0], nil
	x.originKeep = false
	x.answer, x.repHead, x.repBody = x.answer[:0], 0, http1.Body{}
	x.status, x.tag, x.lookup, x.mime = 0, "NONE", "NONE", x.mime[:0]
	x.keep, x.mustKeep, x.sent = false, false, 0
	x.maxBody, x.passed, x.chunks = 0, 0, false
	x.ownHead = x.ownHead[:0]
	x.fields.Reset() // nothing of another client's exchange is left
	x.gate = nil
	x.other, x.own, x.continued = false, false, false
	x.facts = nobodyYet
}

// nobodyYet is what access lists are told about a request that was not
// understood: like 2.6, they see the client 0.0.0.0 and no request but its method,
// when that was read.
var nobodyYet = acl.Facts{Client: netip.IPv4Unspecified()}

// room is where the next bytes from the client go. There is always some.
func (x *transaction) room() []byte {
	if len(x.in) == cap(x.in) {
		x.in = append(make([]byte, 0, 2*cap(x.in)), x.in...)
	}
	return x.in[len(x.in):cap(x.in)]
}

// parse looks for a request head in x.in. With Complete and Failed the
// transaction begins.
func (x *transaction) parse() http1.State {
	if n := http1.SkipSpace(x.in); n > 0 && x.head == 0 {
		x.in = x.in[:copy(x.in, x.in[n:])]
		x.req.Reset()
	}
	if len(x.in) == 0 {
		return http1.NeedMore
	}
	options := x.p.request
	options.HTTP11 = x.port.HTTP11
	n, state := x.req.Parse(x.in, &options)
	if state == http1.NeedMore {
		return state
	}
	x.head = n
	if state == http1.Failed {
		x.fault = x.req.Fault
		x.head = len(x.in) // nothing behind a bad head is looked at
	}
	x.now = x.clock()
	x.began = x.now
	if x.cl.served > 0 {
		// 2.6 counts from the end of the answer before (fact "Elapsed time in
		// the log of the second request on a kept connection").
		x.began = x.cl.since
	}
	return http1.Complete
}

// readsClient reports whether serving the request means reading from the client:
// a tunnel, or a body that is not wholly here yet.
func (x *transaction) readsClient() bool {
	if x.other {
		return true
	}
	if x.fault != http1.NoFault {
		return false
	}
	return x.req.Method == http1.CONNECT || x.req.Has(http1.TransferEncoding) || x.mayUpgrade() ||
		x.req.ContentLength() > int64(len(x.in)-x.head)
}

// rest is what came behind the request and its body.
func (x *transaction) rest() []byte { return x.in[min(len(x.in), x.head+x.bodyUsed):] }

// log writes the transaction's line and forgets what it pointed to.
func (x *transaction) log() {
	x.srv.requests.Add(1)
	x.countVerified()
	e := &x.entry
	x.now = x.clock()
	e.Now, e.Elapsed = x.now, x.now.Sub(x.began)
	e.Client, e.ClientPort = x.cl.remote.Addr(), x.cl.remote.Port()
	if x.p.cfg.LogUsesIndirectClient && x.hasRequest() {
		e.Client = x.client
	}
	e.Local = x.cl.local
	e.Tag, e.Status, e.Size = x.tag, x.status, x.sent
	e.RequestSize = int64(x.head)
	if x.hasRequest() {
		e.RequestSize += x.req.ContentLength() // -1 for none, as in 2.6
	}
	e.Method = x.req.MethodText
	e.Major, e.Minor = x.req.Major, x.req.Minor
	e.HasRequest = x.hasRequest()
	e.URL = x.loggedURL()
	e.Hierarchy, e.Host = x.hier, view(x.hierHost)
	e.ContentType = x.mime
	e.Ident, e.AuthUser, e.ExtLog = "", x.facts.Told.Name(), ""
	if told := x.facts.Told; told != nil {
		e.ExtLog = told.Log
	}
	if user := x.cl.user.Load(); user != nil {
		e.Ident = *user
	}
	e.Request, e.Reply = &x.req.Fields, &x.fields
	if e.ReplyHead = x.rep.Head; len(e.ReplyHead) == 0 {
		e.ReplyHead = x.ownHead
	}
	if !x.hasRequest() {
		e.Major, e.Minor = 0, 0
	}
	e.RequestFields = nil
	if x.p.wantsFields && x.hasRequest() {
		x.text = x.req.AppendLines(x.text[:0])
		e.RequestFields = x.text
	}
	x.writeLog(e)
}

// writeLog writes the entry to every log whose ACLs match.
func (x *transaction) writeLog(e *accesslog.Entry) {
	lists := x.p.lists
	if x.p.logsAskReply {
		x.showReply()
	}
	if !lists.LogAccess.Check(x.context(), &x.facts).Allowed() {
		return
	}
	for i, line := range x.p.logs.Lines() {
		if !lists.AccessLogs[i].Match(x.context(), &x.facts) {
			continue
		}
		if line.Conf.Kind == conf.LogNone {
			break
		}
		line.Write(e)
	}
}

// logAgent writes useragent_log and referer_log, which show who was let in.
func (x *transaction) logAgent() {
	if !x.p.logs.WantsAgents() {
		return
	}
	e := &x.entry
	e.Now, e.Client, e.URL = x.clock(), x.cl.remote.Addr(), x.logURL
	if x.p.cfg.LogUsesIndirectClient {
		e.Client = x.client
	}
	e.UserAgent, e.Referer = x.req.Get(http1.UserAgent), x.req.Get(http1.Referer)
	x.p.logs.Agent(e)
}

// loggedURL is the URL as access.log shows it, or the word for a request that
// had none.
func (x *transaction) loggedURL() []byte {
	if x.hasURL {
		return x.logURL
	}
	if word := x.fault.LogURL(); word != "" {
		return append(x.logURL[:0], word...)
	}
	asked := x.asked
	if len(asked) == 0 {
		asked = x.req.Target
	}
	x.logURL = http1.AppendLoggedText(x.logURL[:0], asked)
	return x.logURL
}
