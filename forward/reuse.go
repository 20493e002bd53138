package forward

import (
	"net/netip"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Sizes of a transaction's buffers, in bytes. A request head fits without growing;
// keptBuffer is the largest a buffer may have grown and still be kept.
const (
	requestBuffer = 4 << 10
	keptBuffer    = 64 << 10
)

var transactions = sync.Pool{New: func() any {
	x := &transaction{in: make([]byte, 0, requestBuffer)}
	x.fetch.Init()
	x.reply.Init()
	return x
}}

// newTransaction takes a transaction for the client's next request.
func (s *Server) newTransaction(cl *client) *transaction {
	x := transactions.Get().(*transaction)
	x.start(cl)
	return x
}

// start makes the transaction ready for the client's next request.
func (x *transaction) start(cl *client) {
	x.reset()
	x.cl, x.p, x.port = cl, cl.srv.acquire(), cl.ln.Line()
}

// reset forgets the request and keeps the storage: nothing of it is left for the
// next one, which may be another client's.
func (x *transaction) reset() {
	x.state = state{tag: "NONE", facts: nobodyYet}
	x.req.Reset()
	x.hello.Reset()
	x.url.Reset()
	x.in, x.target, x.canonicalURL, x.logURL, x.page = x.in[:0], x.target[:0], x.canonicalURL[:0], x.logURL[:0], x.page[:0]
	x.fetch.Reset()
	x.reply.Reset()
	x.entry.Reset()
}

// nobodyYet is what access lists are told about a request that was not
// understood: like 2.6, they see the client 0.0.0.0 and no request but its method,
// when that was read.
var nobodyYet = acl.Facts{Client: netip.IPv4Unspecified()}

// done gives back the policy.
func (x *transaction) done() {
	if x.p != nil {
		x.p.release()
		x.p = nil
	}
}

// free gives the transaction back after done.
func (x *transaction) free() {
	x.cl, x.port = nil, nil
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
	if state == http1.NeedMore {
		return state
	}
	x.head = n
	if state == http1.Failed {
		x.fault = x.req.Fault
		x.head = len(x.in) // nothing behind a bad head is looked at
	}
	x.now = time.Now()
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
