package forward

import (
	"context"
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/reply"
	"github.com/cuttle-proxy/cuttle/forward/targeturi"
	"github.com/cuttle-proxy/cuttle/forward/tls"
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
	logURL       []byte

	hello tls.Reader // of a connection that is passed on

	fetch fetch.Fetch
	reply reply.Reply
	page  []byte // the body of a reply of the proxy's own
	entry accesslog.Entry

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
	hasURL   bool // url is valid
	body     http1.Body
	form     targeturi.Form
	other    bool // not HTTP: the bytes in in belong to a blind tunnel
	passed   passed
	bodyUsed int  // bytes of the body that were in in
	unread   bool // the client's body was not read to its end

	facts  acl.Facts
	client netip.Addr    // the address logs and ACLs speak of when indirect clients count
	asks   fetch.Request // what is fetched

	tag string
	prefetching
}

// run serves one request from its parsed head to its log line. It reports
// whether the client's connection may carry another.
func (x *transaction) run() (keep bool) {
	defer x.log()
	switch {
	case x.other:
		return x.tunnelBlind()
	case x.passed.state != tls.NeedMore:
		return x.passTLS()
	}
	f := x.understand()
	x.beginReply()
	if f != nil {
		return x.refuse(f)
	}
	if f := x.admit(); f != nil {
		return x.refuse(f)
	}
	x.logAgent()
	switch {
	case x.req.Method == http1.CONNECT:
		return x.tunnel()
	case x.form.Internal:
		return x.serveOwn()
	case x.req.Method == http1.PURGE:
		return x.purge()
	case x.req.Method == http1.TRACE && x.lastHop():
		return x.echo()
	}
	// The store will be asked here. Until then everything is a miss.
	x.tag = "TCP_MISS"
	if x.req.Method != http1.TRACE {
		x.reply.Lookup = "MISS"
	}
	if f := x.mayMiss(); f != nil {
		return x.refuse(f)
	}
	defer x.leave()
	if f := x.forward(); f != nil {
		return x.refuse(f)
	}
	if f := x.checkReply(); f != nil {
		return x.refuse(f)
	}
	return x.deliver()
}

// context ends when the client goes away or the server is shut down for good.
func (x *transaction) context() context.Context { return clientContext{x.cl} }
