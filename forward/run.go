package forward

import (
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/tls"
)

// leaveStore gives back what the transaction has of the store.
func (x *transaction) leaveStore() {
	if f := x.cached.Fill; f != nil {
		x.cl.release(f)
	}
	x.cached.Leave()
}

// run serves one request from its parsed head to its log line. It reports
// whether the client's connection may carry another.
func (x *transaction) run() (keep bool) {
	defer x.leaveStore()
	defer x.log()
	switch {
	case x.other:
		return x.tunnelBlind()
	case x.tls.state != tls.NeedMore:
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
	to, f := x.rewrite()
	if f != nil {
		return x.refuse(f)
	}
	if to.Redirect != 0 {
		return x.redirect(&to)
	}
	if f := x.ask(&x.p.lists.HTTPAccess2); f != nil {
		return x.refuse(f)
	}
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
	defer x.leave()
	if d.Action == freshness.Refresh {
		return x.revalidate()
	}
	return x.fetchAnew()
}
