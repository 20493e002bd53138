package forward

import (
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/tls"
)

// run serves one request from its parsed head to its log line. It reports
// whether the client's connection may carry another.
func (x *transaction) run() (keep bool) {
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
