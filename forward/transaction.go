package forward

import (
	"bytes"
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/auth"
	"github.com/cuttle-proxy/cuttle/forward/caching"
	"github.com/cuttle-proxy/cuttle/forward/delay"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/hitmark"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/origin"
	"github.com/cuttle-proxy/cuttle/forward/reply"
	"github.com/cuttle-proxy/cuttle/forward/targeturi"
	"github.com/cuttle-proxy/cuttle/forward/tls"
	"github.com/cuttle-proxy/cuttle/forward/tunnel"
	"github.com/cuttle-proxy/cuttle/forward/uses"
)

// transaction is the client's side of one request, from the bytes of the head to
// the line in access.log: the request, where the reply comes from, the reply, the log
// entry. Transactions are used again: what is here keeps its storage, and reset
// empties it.
type transaction struct {
	// in is the bytes received: in[:head] is the request's head, the rest what came
	// behind it.
	in           []byte
	req          http1.Request
	target       []byte // the URL as it was asked for, whole
	url          http1.URL
	canonicalURL []byte
	logURL       []byte // empty when url is not valid

	fetch  fetch.Fetch
	reply  reply.Reply
	cached caching.Request
	page   []byte // the body of a reply of the proxy's own
	first  firstBytes
	entry  accesslog.Entry
	part   uses.Part // of counters, which this transaction writes

	state
}

// state is what belongs to one request and is cleared as a whole.
type state struct {
	p    *policy
	cl   *client
	port *conf.HTTPPort
	// began is when the client's waiting counts from, now the last reading of
	// the clock.
	began, now time.Time

	head     int
	fault    http1.Fault
	body     http1.Body
	form     targeturi.Form
	bodyUsed int   // bytes of the body that were in in
	unread   int64 // of the client's body, see unreadRest

	facts  acl.Facts
	login  auth.Credentials
	client netip.Addr    // the address logs and ACLs speak of when indirect clients count
	asks   fetch.Request // what is fetched

	tag string
	out writer
}

// unreadRest is state.unread when what is unread is no body: something may still be
// on its way. Above 0 it is the octets of the body that the client has still to send,
// at most; fetch.UnreadChunks when nobody knows.
const unreadRest = -1

// firstBytes is what the first bytes of an intercepted connection were found to be.
type firstBytes struct {
	other bool // not HTTP: the bytes in in belong to a blind tunnel
	// state is NeedMore on every port that does not pass TLS on.
	reader tls.Reader
	state  tls.State
	hello  tls.Hello
	why    error // what is wrong with it
}

// reset forgets the connection.
func (b *firstBytes) reset() {
	b.reader.Reset()
	b.other, b.state, b.hello, b.why = false, tls.NeedMore, tls.Hello{}, nil
}

// Sizes of a transaction's buffers, in bytes. A request head fits without growing;
// keptBuffer is the largest a buffer may have grown and still be kept.
const (
	requestBuffer = 4 << 10
	keptBuffer    = 64 << 10
)

var transactions = sync.Pool{New: func() any {
	x := &transaction{in: make([]byte, 0, requestBuffer), part: uses.NewPart()}
	x.fetch.Init()
	x.reply.Init()
	x.reset()
	return x
}}

// newTransaction takes a transaction for the client's next request.
func (s *Server) newTransaction(cl *client) *transaction {
	x := transactions.Get().(*transaction)
	x.begin(cl)
	return x
}

// begin makes a transaction in which there is nothing one of the client's.
func (x *transaction) begin(cl *client) {
	x.cl, x.p, x.port = cl, cl.srv.acquireFor(x.part), cl.ln.Line()
	x.out.of, x.out.cl = x, cl
}

// reset forgets the request and keeps the storage: nothing of it is left for the
// next one, which may be another client's.
func (x *transaction) reset() {
	x.state = state{}
	x.tag, x.facts.Client = "NONE", nobodyYet
	x.req.Reset()
	x.url.Reset()
	x.first.reset()
	x.in, x.target, x.canonicalURL, x.logURL, x.page = x.in[:0], x.target[:0], x.canonicalURL[:0], x.logURL[:0], x.page[:0]
	x.fetch.Reset()
	x.cached.Reset()
	x.reply.Reset()
	x.entry.Reset()
}

// nobodyYet is what access lists are told about a request that was not
// understood: like 2.6, they see the client 0.0.0.0 and no request but its method,
// when that was read.
var nobodyYet = netip.IPv4Unspecified()

// markedBy implements answer.
func (x *transaction) markedBy() (m *hitmark.Marks, tag, code string) {
	if m = x.p.marks; m != nil {
		code, _ = x.cached.Hierarchy(&x.fetch)
	}
	return m, x.tag, code
}

// release gives back the policy.
func (x *transaction) release() {
	if x.p != nil {
		x.p.leave(x.part)
		x.p = nil
	}
}

// free gives the transaction back. It is emptied here and not when it is taken again:
// what has just been used is still near the processor, 0.3 us of a request.
func (x *transaction) free() {
	x.release()
	x.reset()
	if cap(x.in) <= keptBuffer && cap(x.page) <= keptBuffer && !x.fetch.Oversized() && !x.reply.Oversized() {
		transactions.Put(x)
	}
}

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
	x.now = time.Now()
	if x.began.IsZero() {
		x.began = x.now // with the first byte
	}
	if state == http1.NeedMore {
		return state
	}
	x.head = n
	if state == http1.Failed {
		x.fault = x.req.Fault
		x.head = len(x.in) // nothing behind a bad head is looked at
	}
	return http1.Complete
}

// readsClient reports whether serving the request means reading from the client:
// a tunnel, or a body that is not wholly here yet.
func (x *transaction) readsClient() bool {
	if x.first.other {
		return true
	}
	if x.fault != http1.NoFault {
		return false
	}
	return x.req.Method == http1.CONNECT || x.req.Has(http1.TransferEncoding) || x.mayUpgrade() ||
		x.req.ContentLength() > int64(len(x.in)-x.head)
}

// claims reports whether the host is an intercepted client's claim about where it
// dialled, and not what url_rewrite_program put in its place.
func (x *transaction) claims() bool {
	return x.cl.intercepted && x.form.Rebuilt && !x.form.Rewritten && x.p.cfg.HostVerify
}

// rest is what came behind the request and its body.
func (x *transaction) rest() []byte { return x.in[min(len(x.in), x.head+x.bodyUsed):] }

// client11 reports whether the client is answered in HTTP/1.1: it speaks it, and
// its port does (http_port … http11).
func (x *transaction) client11() bool {
	return x.port.HTTP11 && (x.req.Major > 1 || x.req.Major == 1 && x.req.Minor >= 1)
}

// mayUpgrade reports whether a request asks to change protocols on a port where
// that can be: it is served outside Turns, for what follows reads the client.
func (x *transaction) mayUpgrade() bool {
	return x.client11() && x.req.Has(http1.Upgrade) && x.req.ListHas(http1.Connection, "upgrade")
}

// closes reports whether the connection cannot go on after this reply.
func (x *transaction) closes() bool { return x.cl.srv.stopping.Load() || x.fetch.Uploading() }

// context ends when the client goes away or the server is shut down for good.
func (x *transaction) context() context.Context { return clientContext{x.cl} }

// joined is a tunnel with what access.log says of it, apart from the transaction that
// began it. It views the transaction's bytes until ownAll.
type joined struct {
	*tunnel.Tunnel
	cl     *client
	p      *policy
	origin *origin.Conn // set when the transaction has gone
	url    http1.URL
	facts  acl.Facts
	share  *delay.Share // nil when no delay pool limits it

	mu    sync.Mutex
	entry accesslog.Entry
	early int64     // octets sent before it was a tunnel
	told  int64     // octets in earlier lines
	began time.Time // what the next line counts from
	timer *time.Timer
	ended bool
}

// ownAll makes copies of what belongs to the transaction.
func (j *joined) ownAll() {
	j.mu.Lock()
	defer j.mu.Unlock()
	e, f := &j.entry, &j.facts
	e.URL, e.Host, e.SNI, e.AuthUser = bytes.Clone(e.URL), strings.Clone(e.Host), strings.Clone(e.SNI), strings.Clone(e.AuthUser)
	e.ContentType, e.RequestFields, e.ReplyHead = nil, nil, nil
	e.Request, e.Reply = noFields, noFields // nobody sent any
	j.url.CopyFrom(f.URL)
	f.URL, f.Request, f.Reply, f.Login = &j.url, noFields, nil, nil
}

var noFields = &new(http1.Request).Fields

// goOn has a tunnel go on in the place of its transaction.
func (j *joined) goOn() {
	cl := j.cl
	cl.hold(j)
	if cl.gone.Load() {
		j.Abort()
	}
	j.Leave(j.over)
}

// over follows the end of a tunnel that went on by itself.
func (j *joined) over() {
	cl := j.cl
	defer j.p.Release()
	j.stop()
	j.share.End()
	cl.release(j)
	j.origin.Close()
	cl.srv.requests.Add(uses.Part{}, 1)
	j.tell()
	cl.busy.Store(false)
	cl.since, cl.tunnel = time.Now(), nil
	cl.end()
}

// tell writes a line about what has moved since the last one.
func (j *joined) tell() {
	now, moved := time.Now(), j.early+j.Moved()
	j.entry.Now, j.entry.Elapsed, j.entry.Size = now, now.Sub(j.began), moved-j.told
	j.p.log(clientContext{j.cl}, &j.facts, &j.entry)
	j.entry.Pending.Wait()
	j.began, j.told = now, moved
}

// repeat begins tunnel_log_interval.
func (j *joined) repeat(every time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.timer = time.AfterFunc(every, func() { j.tellInterval(every) })
}

func (j *joined) tellInterval(every time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended {
		return
	}
	j.tell()
	j.timer.Reset(every)
}

// stop ends the lines between; one that is being written is waited for.
func (j *joined) stop() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ended = true
	if j.timer != nil {
		j.timer.Stop()
	}
}
