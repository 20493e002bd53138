package forward

import (
	"net"
	"strconv"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/tls"
	"go.uber.org/zap"
)

// established is the whole answer to a CONNECT that succeeded, with the minor
// version of the client's port; its bytes count in the log (FACTS "CONNECT").
var established = [2]string{
	"HTTP/1.0 200 Connection established\r\n\r\n",
	"HTTP/1.1 200 Connection established\r\n\r\n",
}

// tunnel serves a CONNECT: it joins the two connections until either side
// closes. The client's connection ends with it.
func (x *transaction) tunnel() bool {
	x.tag, x.reply.Keep = "TCP_MISS", false
	x.cl.heedHangUp()
	if f := x.mayTunnel(); f != nil {
		return x.refuseTunnel(f)
	}
	x.beginFetch()
	x.cl.hear()
	defer x.leave()
	if f := x.fetch.Choose(); f != nil {
		return x.refuseTunnel(f)
	}
	if f := x.fetch.Connect(); f != nil {
		return x.refuseTunnel(f)
	}
	toOrigin := x.in[x.head:]
	x.bodyUsed = len(toOrigin)
	if x.fetch.ToPeer() {
		// The parent answers in our place: what it says goes to the client.
		x.page = append(x.fetch.AppendHead(x.page[:0]), toOrigin...)
		toOrigin = x.page
	} else {
		x.reply.Status = 200
		if x.reply.SendPage([]byte(established[x.reply.Minor()])) != nil {
			return false
		}
	}
	x.join(toOrigin, false)
	return false
}

// mayTunnel is miss_access for tunnels, and the end of those that go in a circle: 2.6 sends
// them on until their heads are too large, a connection for each turn.
func (x *transaction) mayTunnel() *failure.Failure {
	if x.asks.Loops > 1 {
		return failure.Loop()
	}
	if a := x.p.lists.MissAccess.Ask(x.context(), &x.facts); !a.Allowed() {
		return failure.MissDenied("")
	}
	return nil
}

// refuseTunnel answers with a bare page: none of X-Cache, Via and
// Proxy-Connection, and nothing counts in the log.
func (x *transaction) refuseTunnel(f *failure.Failure) bool {
	x.report(f)
	if x.cl.gone.Load() {
		x.fetch.ForgetHop() // it is noted with success or failure only
		return false
	}
	if f.Denied {
		x.tag = "TCP_DENIED"
	}
	r := &x.reply
	x.unread = unreadRest
	x.makePage(f)
	r.SetMIME(nil)
	if x.client11() {
		r.Fields.AddString(http1.Connection, "close")
	}
	r.PutBare()
	r.SendPage(x.page)
	r.Sent = 0
	r.Fields.Reset() // the logs know nothing of this head either
	return false
}

// tunnelBlind joins an intercepted client that does not speak HTTP to where it
// wanted to connect. http_access decides by addresses and port alone: there is
// no method. It is logged as the CONNECT it amounts to. A client that may not, or
// whose server cannot be reached, is cut off without a page it would not understand.
func (x *transaction) tunnelBlind() bool {
	x.tag = "TCP_DENIED"
	x.now = time.Now()
	x.began = x.cl.since
	r, srv := &x.reply, x.cl.srv
	x.asConnect(x.cl.meant.String(), &http1.URLOptions{})
	x.req.Method = http1.NoMethod // access lists see none
	x.fillFacts()
	x.facts.Transparent = true // nobody there to ask for credentials
	if a := x.p.lists.HTTPAccess.Ask(x.context(), &x.facts); !a.Allowed() {
		r.Status = 403
		return false
	}
	x.tag = "TCP_MISS"
	srv.blind.Add(1)
	if client := x.cl.remote.Addr(); srv.tunnelled.May(client, x.now) {
		srv.parts.Log.Info("client {client} does not speak HTTP to {dialled}: joined to it",
			zap.Stringer("client", client), zap.Stringer("dialled", x.cl.meant))
	}
	x.beginFetch()
	defer x.leave()
	if f := x.fetch.ConnectTo(x.cl.meant); f != nil {
		r.Status = 503
		return false
	}
	r.Status = 200
	x.bodyUsed = len(x.in)
	x.join(x.in, true)
	return false
}

// passTLS judges an intercepted TLS connection like a CONNECT to the name in its
// ClientHello, and joins it to where the client wanted to go, byte for byte.
func (x *transaction) passTLS() bool {
	x.now = time.Now()
	x.began = x.cl.since
	x.reply.Keep = false
	x.head = len(x.in)
	x.out.until = x.p.lifetime(x.now)
	switch x.first.state {
	case tls.NotTLS:
		x.fault = http1.InvalidRequest
		return x.refuseTLS(failure.OfFault(x.fault), nil)
	case tls.Malformed:
		x.cl.srv.parts.Log.Debug("malformed ClientHello", zap.Stringer("client", x.cl.remote), zap.Error(x.first.why))
		x.fault = http1.InvalidRequest
		return x.refuseTLS(failure.OfFault(x.fault), tls.DecodeError.Append(nil))
	}
	if !x.cl.intercepted {
		// Who connects to the port itself says nowhere where to go.
		x.fault = http1.InvalidRequest
		return x.refuseTLS(failure.OfFault(x.fault), tls.UnrecognizedName.Append(nil))
	}
	host := x.first.hello.ServerName
	if host == "" {
		host = x.cl.meant.Addr().String()
	}
	x.form.Rebuilt = true // the name is a claim about the address
	if !x.asConnect(net.JoinHostPort(host, strconv.Itoa(int(x.cl.meant.Port()))), &x.p.url) {
		x.logURL = x.logURL[:0]
		x.fault = http1.InvalidRequest
		return x.refuseTLS(failure.OfFault(x.fault), tls.UnrecognizedName.Append(nil))
	}
	if f := x.admit(); f != nil {
		return x.refuseTLS(f, tls.AccessDenied.Append(nil))
	}
	x.tag = "TCP_MISS"
	if f := x.mayTunnel(); f != nil {
		return x.refuseTLS(f, tls.AccessDenied.Append(nil))
	}
	x.beginFetch()
	defer x.leave()
	x.cl.srv.passed.Add(1)
	if f := x.connectTLS(); f != nil {
		return x.refuseTLS(f, tls.InternalError.Append(nil))
	}
	x.reply.Status = 200
	x.bodyUsed = len(x.in)
	x.join(x.in, true)
	return false
}

// asConnect makes the connection a CONNECT to an authority, for access lists and the
// log. It is false for a name that no URL can have; an address that only means
// something on its own link has one all the same.
func (x *transaction) asConnect(authority string, options *http1.URLOptions) bool {
	x.req.Reset()
	x.req.Method, x.req.MethodText = http1.CONNECT, "CONNECT"
	x.target = append(x.target[:0], authority...)
	ok := x.url.Parse(http1.CONNECT, x.target, options) == http1.NoFault
	if !ok {
		x.url.Host, x.url.Port, x.url.Authority = x.target, x.cl.meant.Port(), true
	}
	x.logURL = append(x.logURL[:0], x.target...)
	x.canonicalURL = append(x.canonicalURL[:0], x.target...)
	return ok
}

// connectTLS connects to where the client wanted to go, or has a parent do it where
// the rules say so.
func (x *transaction) connectTLS() *failure.Failure {
	if f := x.fetch.Choose(); f != nil {
		return f
	}
	if !x.fetch.BeginsAtPeer() {
		return x.fetch.ConnectTo(x.cl.meant)
	}
	x.cl.hear() // while the peer is waited for
	if f := x.fetch.Head(); f != nil {
		return f
	}
	if x.fetch.Reply.Status != 200 {
		return failure.NoHop(0)
	}
	x.fetch.Discard() // the connection is the tunnel's
	if early := x.fetch.Behind(); len(early) > 0 {
		n, err := x.out.Write(early)
		x.reply.Sent += int64(n)
		if err != nil {
			return failure.ClientLeft()
		}
	}
	return nil
}

// refuseTLS ends the connection with an alert in the place of a page, which the
// client would not understand.
func (x *transaction) refuseTLS(f *failure.Failure, alert []byte) bool {
	x.report(f)
	r := &x.reply
	r.Status = f.Status
	if f.Denied {
		x.tag = "TCP_DENIED"
	}
	if len(alert) > 0 && !x.cl.gone.Load() {
		n, _ := x.out.Write(alert)
		r.Sent += int64(n)
		x.unread = unreadRest // the alert must not be lost to a reset
	}
	return false
}
