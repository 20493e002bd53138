package forward

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/sock"
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
	x.tag, x.keep = "TCP_MISS", false
	x.cl.heedHangUp()
	if f := x.mayTunnel(); f != nil {
		return x.refuseTunnel(f)
	}
	if f := x.chooseHops(); f != nil {
		return x.refuseTunnel(f)
	}
	if f := x.connectTunnel(); f != nil {
		return x.refuseTunnel(f)
	}
	defer x.leaveOrigin()
	toOrigin := x.in[x.head:]
	x.bodyUsed = len(toOrigin)
	if x.hop.Peer != nil {
		// The parent answers in our place: what it says goes to the client.
		x.out = append(x.requestHead(x.out[:0]), toOrigin...)
		toOrigin = x.out
	} else {
		x.status = 200
		if !x.send([]byte(established[x.clientMinor()])) {
			return false
		}
	}
	if x.sendEarly(toOrigin) {
		x.join(false)
	}
	return false
}

// mayTunnel is miss_access for tunnels.
func (x *transaction) mayTunnel() *failure {
	if a := x.p.lists.MissAccess.Check(x.context(), &x.facts); !a.Allowed() {
		return newFailure(errpage.ForwardingDenied, 403)
	}
	return nil
}

// connectTunnel opens the connection. Only the best next hop is tried, and once: 2.6
// neither repeats a tunnel nor takes another parent for it.
func (x *transaction) connectTunnel() *failure {
	x.hop = &x.hops[0]
	f := x.connect(x.now.Add(x.p.cfg.ForwardTimeout))
	if f == nil {
		return nil
	}
	var de *dns.Error
	if errors.As(f.err, &de) {
		f.status = 404
		x.hierHost = x.hierHost[:0]
	}
	return f
}

// refuseTunnel answers with a bare page: none of X-Cache, Via and
// Proxy-Connection, and nothing counts in the log.
func (x *transaction) refuseTunnel(f *failure) bool {
	if x.cl.gone.Load() {
		x.hier, x.hierHost = "", x.hierHost[:0] // it is noted with success or failure only
		return false
	}
	x.unread = true
	x.answer = x.page(x.answer[:0], f)
	x.mime = x.mime[:0]
	if x.client11() {
		x.fields.AddString(http1.Connection, "close")
	}
	x.out = x.fields.Append(http1.AppendStatusLine(x.out[:0], x.clientMinor(), x.status))
	x.sendWith(x.answer)
	x.sent = 0
	x.fields.Reset() // the logs know nothing of this head either
	return false
}

// join moves bytes both ways until one side ends, in error or not: when the
// client half-closes, the tunnel ends at once. With halves, a side that has said
// all it had to say is still answered. Either direction's progress renews the
// patience of both. client_lifetime is not for tunnels, as 2.6 has it.
func (x *transaction) join(halves bool) {
	cfg := x.p.cfg
	var last atomic.Int64
	last.Store(time.Now().UnixNano())
	var uploaded int64 // what went to the origin counts as well
	done := make(chan struct{})
	move := func(t *sock.Transfer) {
		for {
			t.Run()
			if t.ReadErr != sock.ErrTimeout && t.WriteErr != sock.ErrTimeout {
				return
			}
			// The other direction may have moved meanwhile.
			idle := time.Since(time.Unix(0, last.Load()))
			if idle >= cfg.ReadTimeout || t.WriteErr != nil {
				return
			}
			t.ReadErr = nil
		}
	}
	up := &sock.Transfer{From: x.cl.c, To: x.conn.Conn, Left: -1, Small: spliceFrom, Patience: cfg.ReadTimeout,
		Moved: func(n int) { uploaded += int64(n); last.Store(time.Now().UnixNano()) }}
	down := &sock.Transfer{From: x.conn.Conn, To: x.cl.c, Left: -1, Small: spliceFrom, Patience: cfg.ReadTimeout,
		Moved: func(n int) { x.sent += int64(n); last.Store(time.Now().UnixNano()) }}
	go func() {
		defer close(done)
		defer x.cl.recover()
		move(up)
		if !halves || !up.Complete() || x.conn.CloseWrite() != nil {
			x.conn.Abort() // ends the other direction too
		}
	}()
	move(down)
	x.cl.c.CloseWrite()
	if !halves || !down.Complete() {
		x.cl.c.TCP().CloseRead()
	}
	<-done
	x.sent += uploaded
}
