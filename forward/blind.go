package forward

import (
	"fmt"

	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/peer"
)

// tunnelBlind joins an intercepted client that does not speak HTTP to where it
// wanted to connect. http_access decides by addresses and port alone: there is
// no method. It is logged as the CONNECT it amounts to. A client that may not, or
// whose server cannot be reached, is cut off without a page it would not understand.
func (x *transaction) tunnelBlind() bool {
	x.tag, x.keep = "TCP_DENIED", false
	x.now = x.clock()
	x.began = x.cl.since
	x.headless()
	x.fillFacts()
	x.facts.Transparent = true // nobody there to ask for credentials
	if a := x.p.lists.HTTPAccess.Check(x.context(), &x.facts); !a.Allowed() {
		x.status = 403
		return false
	}
	x.tag = "TCP_MISS"
	x.srv.blind.Add(1)
	if client := x.cl.remote.Addr(); x.srv.tunnelled.mayReport(client, x.now) {
		x.srv.parts.Log.Info(fmt.Sprintf("client %s does not speak HTTP to %s: joined to it", client, x.cl.meant))
	}
	x.hops = append(x.hops[:0], peer.Hop{Code: peer.Direct})
	x.hop = &x.hops[0]
	meant := x.cl.meant
	x.note(peer.Direct, view(x.url.Host))
	if f := x.dial(view(x.url.Host), addresses{only: meant.Addr()}, meant.Port(), x.p.cfg.ConnectTimeout, x.now.Add(x.p.cfg.ForwardTimeout)); f != nil {
		x.status = 503
		return false
	}
	defer x.leaveOrigin()
	x.status = 200
	if len(x.in) > 0 {
		x.conn.WriteUntil(x.patience())
		n, err := x.conn.Write(x.in)
		x.bodyUsed, x.sent = len(x.in), int64(n)
		if err != nil {
			return false
		}
	}
	x.join(true)
	return false
}

// headless gives the transaction the URL and the log line of a CONNECT to where
// the client wanted to go.
func (x *transaction) headless() {
	x.asked = fmt.Appendf(x.asked[:0], "%v", x.cl.meant)
	if x.url.Parse(http1.CONNECT, x.asked, &http1.URLOptions{}) != http1.NoFault {
		// An address that only means something on its own link.
		x.url.Host, x.url.Port, x.url.Authority = x.asked, x.cl.meant.Port(), true
	}
	x.hasURL = true
	x.req.Reset()
	x.req.MethodText = "CONNECT" // for the log; access lists see none
	x.logURL = append(x.logURL[:0], x.asked...)
	x.text = append(x.text[:0], x.asked...)
}
