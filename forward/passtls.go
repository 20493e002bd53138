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

// passedTLS is what the first bytes on a port that passes TLS on were found to be;
// its state is NeedMore on every other port.
type passedTLS struct {
	reader tls.Reader
	state  tls.State
	hello  tls.Hello
	why    error // what is wrong with it
}

// reset forgets the connection.
func (p *passedTLS) reset() {
	p.reader.Reset()
	p.state, p.hello, p.why = tls.NeedMore, tls.Hello{}, nil
}

// readHello looks for a whole ClientHello in cl.x.in. It returns true when there is
// something to act on, which happens outside Turns. Once a client has begun one it is
// not taken for a silent one any more: half a name must not pass unjudged.
func (cl *client) readHello() (done bool) {
	x := cl.x
	if len(x.in) == 0 {
		cl.drop()
		return false
	}
	p := &x.tls
	p.hello, p.state, p.why = p.reader.Read(x.in)
	if p.state == tls.NeedMore {
		cl.sniffing = false
		return false
	}
	x.other = p.state == tls.NotTLS && cl.sniffing
	cl.sniffing = false
	cl.next = outside
	return true
}

// passTLS judges an intercepted TLS connection like a CONNECT to the name in its
// ClientHello, and joins it to where the client wanted to go, byte for byte.
func (x *transaction) passTLS() bool {
	x.now = time.Now()
	x.began = x.cl.since
	x.reply.Keep = false
	x.head = len(x.in)
	switch x.tls.state {
	case tls.NotTLS:
		x.fault = http1.InvalidRequest
		return x.refuseTLS(failure.OfFault(x.fault), nil)
	case tls.Malformed:
		x.cl.srv.parts.Log.Debug("malformed ClientHello", zap.Stringer("client", x.cl.remote), zap.Error(x.tls.why))
		x.fault = http1.InvalidRequest
		return x.refuseTLS(failure.OfFault(x.fault), tls.DecodeError.Append(nil))
	}
	if !x.cl.intercepted {
		// Who connects to the port itself says nowhere where to go.
		x.fault = http1.InvalidRequest
		return x.refuseTLS(failure.OfFault(x.fault), tls.UnrecognizedName.Append(nil))
	}
	if !x.nameTLS() {
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
	if x.sendEarly(x.in) {
		x.join(true)
	}
	return false
}

// nameTLS makes the connection a CONNECT to the name asked for, the address where
// there is none. It is false for a name that no URL can have.
func (x *transaction) nameTLS() bool {
	host := x.tls.hello.ServerName
	if host == "" {
		host = x.cl.meant.Addr().String()
	}
	x.req.Reset()
	x.req.Method, x.req.MethodText = http1.CONNECT, "CONNECT"
	x.target = append(x.target[:0], net.JoinHostPort(host, strconv.Itoa(int(x.cl.meant.Port())))...)
	if x.url.Parse(http1.CONNECT, x.target, &x.p.url) != http1.NoFault {
		return false
	}
	x.hasURL = true
	x.form.Rebuilt = true // the name is a claim about the address
	x.logURL = append(x.logURL[:0], x.target...)
	x.canonicalURL = append(x.canonicalURL[:0], x.target...)
	return true
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
	if f := x.fetch.Head(); f != nil {
		return f
	}
	if x.fetch.Reply.Status != 200 {
		return failure.NoHop(0)
	}
	x.fetch.Discard() // the connection is the tunnel's
	if early := x.fetch.Behind(); len(early) > 0 {
		n, err := x.Write(early)
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
		n, _ := x.Write(alert)
		r.Sent += int64(n)
		x.unread = unreadRest // the alert must not be lost to a reset
	}
	return false
}
