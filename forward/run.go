package forward

import (
	"time"

	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/rewrite"
	"github.com/cuttle-proxy/cuttle/forward/tls"
)

// carry serves one request from its parsed head to its log line, and gives back what
// it had of the origin and of the store. It reports whether the client's connection may
// carry another.
func (cl *client) carry(x *transaction) (keep bool) {
	defer cl.ended(x)
	return x.run()
}

// ended gives back what a transaction had, and writes its line.
func (cl *client) ended(x *transaction) {
	defer cl.leaveStore(x)
	defer x.log()
	x.now = time.Now()
	x.reply.Pace.End()
	x.leave()
}

// leaveStore gives back what it had of the store.
func (cl *client) leaveStore(x *transaction) {
	if f := x.cached.Fill; f != nil {
		cl.release(f)
	}
	x.cached.Leave()
}

// run goes the way of a request through the files below.
func (x *transaction) run() (keep bool) {
	switch {
	case x.first.other:
		return x.tunnelBlind()
	case x.first.state != tls.NeedMore:
		return x.passTLS()
	}
	f := x.understand()
	if f != nil || x.req.Odd() {
		x.sayOdd()
	}
	x.beginReply()
	if f != nil {
		return x.refuse(f)
	}
	if f := x.admit(); f != nil {
		return x.refuse(f)
	}
	x.logAgent()
	to, f := x.rewrite()
	if f != nil {
		return x.refuse(f)
	}
	if to.Redirect != 0 {
		return redirect(x, &to)
	}
	if f := x.ask(&x.p.lists.HTTPAccess2); f != nil {
		return x.refuse(f)
	}
	switch {
	case x.req.Method == http1.CONNECT:
		return x.tunnel()
	case x.form.Internal:
		return x.serveOwn()
	case endsHere(x):
		return answerHere(x)
	}
	d := x.lookup()
	x.tag = string(d.Tag)
	if x.req.Method != http1.TRACE {
		x.reply.Lookup = string(d.Lookup)
	}
	switch d.Action {
	case freshness.Refuse:
		return x.refuse(failure.OnlyIfCached())
	case freshness.ServeStale:
		x.refreshBehind()
		return x.serveStored(true)
	case freshness.Serve:
		return x.serveStored(true)
	}
	if f := x.mayMiss(); f != nil {
		return x.refuse(f)
	}
	if d.Action == freshness.Refresh {
		return x.revalidate()
	}
	return x.fetchAnew()
}

// redirect sends the client where the rewriter wants it. What is about the store, or
// about this hop, is answered all the same.
func redirect(x *transaction, to *rewrite.Answer) bool {
	switch {
	case endsHere(x):
		return answerHere(x)
	case x.asks.Control.Has(http1.CCOnlyIfCached):
		return x.refuse(failure.OnlyIfCached())
	}
	// With hardly a field, and it ends the connection (fact "Redirects by a rewriter").
	return x.sendMade(&made{tag: "TCP_MISS", status: to.Redirect, location: to.Location, bare: true})
}

// endsHere reports whether the method has the proxy answer, whatever the URL.
func endsHere(x *transaction) bool {
	return x.req.Method == http1.PURGE || x.req.Method == http1.TRACE && x.req.LastHop()
}

// answerHere answers such a request.
func answerHere(x *transaction) bool {
	if x.req.Method == http1.PURGE {
		return x.purge()
	}
	return x.echo()
}
