package forward

import (
	"context"
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/origin"
	"github.com/cuttle-proxy/cuttle/forward/peer"
)

// transaction is one request and its answer, from the bytes of the head to the
// line in access.log. Transactions are reused: everything in them keeps its
// storage.
type transaction struct {
	srv  *Server
	p    *policy
	cl   *client
	port *conf.HTTPPort
	ctx  context.Context

	// began is when the client's waiting counts from, now the last reading of
	// the clock.
	began, now time.Time

	// The request: the bytes received, in[:head] being its head, the rest what
	// came behind it.
	in        []byte
	head      int
	fault     http1.Fault
	req       http1.Request
	url       http1.URL
	body      http1.Body
	hasURL    bool   // url is valid
	asked     []byte // the target with scheme and host put in front where the port does that
	text      []byte // canonical URL
	logURL    []byte
	rebuilt   bool // the URL was made from Host or the port: origin form
	accel     bool
	other     bool // not HTTP: the bytes in x.in belong to a blind tunnel
	internal  bool // one of the proxy's own objects
	own       bool // asked for by the proxy itself, for no client (errormap.go)
	loops     int  // how often Via already names us
	control   http1.CacheControl
	bodySent  bool    // some of the request's body went out
	bodyUsed  int     // bytes of the body that were in x.in
	unread    bool    // the client's body was not read to its end
	badBody   bool    // the body was malformed
	continued bool    // we answered Expect: 100-continue
	up        *upload // carries the rest of the body, nil when there is none

	facts  acl.Facts
	client netip.Addr // the address logs and ACLs speak of when indirect clients count

	// The way out.
	hops     []peer.Hop
	hop      *peer.Hop
	hier     string
	hierHost []byte
	conn     *origin.Conn
	taken    chan struct{} // closed when this request has its connection, for the one behind it
	tries    tries

	// The reply.
	rep        http1.Reply
	answer     []byte // bytes read from the origin; answer[:repHead] is its head
	repHead    int
	repBody    http1.Body
	fields     http1.Outgoing
	ownHead    []byte // head of a page of our own before this hop's fields, where a log shows it
	out        []byte
	status     int
	tag        string
	lookup     string
	mime       []byte
	bare       bool          // HTTP/0.9: no head goes out
	gate       chan struct{} // closed when the answer before this one is out; nil when there is none
	keep       bool          // the client connection stays open afterwards
	mustKeep   bool          // connection authentication: 4xx must not close
	sent       int64
	maxBody    int64 // reply_body_max_size, 0 for none
	passed     int64 // how much of a body without announced length has passed
	chunks     bool  // the client gets the body in chunks
	chunked    http1.Chunked
	originKeep bool // the origin connection can be used again

	entry accesslog.Entry
}

// run serves one request from its parsed head to its log line. It reports
// whether the client's connection may carry another.
func (x *transaction) run() (keep bool) {
	defer x.log()
	if x.other {
		return x.tunnelBlind()
	}
	if f := x.understand(); f != nil {
		return x.refuse(f)
	}
	if f := x.admit(); f != nil {
		return x.refuse(f)
	}
	x.logAgent()
	switch {
	case x.req.Method == http1.CONNECT:
		return x.tunnel()
	case x.internal:
		return x.serveOwn()
	case x.req.Method == http1.PURGE:
		return x.purge()
	case x.req.Method == http1.TRACE && x.lastHop():
		return x.echo()
	}
	// The store will be asked here. Until then everything is a miss.
	x.tag = "TCP_MISS"
	if x.req.Method != http1.TRACE {
		x.lookup = "MISS"
	}
	if f := x.servesScheme(); f != nil {
		return x.refuse(f)
	}
	if f := x.mayMiss(); f != nil {
		return x.refuse(f)
	}
	if f := x.mayBegin(); f != nil {
		return x.refuse(f)
	}
	if f := x.chooseHops(); f != nil {
		return x.refuse(f)
	}
	if f := x.collect(); f != nil {
		return x.refuse(f)
	}
	if f := x.fetch(); f != nil {
		return x.refuse(f)
	}
	defer x.leaveOrigin()
	if f := x.judge(); f != nil {
		return x.refuse(f)
	}
	return x.deliver()
}
