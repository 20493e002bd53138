package forward

import (
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/failure"
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
	x.tag, x.reply.Keep = "TCP_MISS", false
	x.cl.heedHangUp()
	if f := x.mayTunnel(); f != nil {
		return x.refuseTunnel(f)
	}
	x.beginFetch()
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
	if x.sendEarly(toOrigin) {
		x.join(false)
	}
	return false
}

// mayTunnel is miss_access for tunnels.
func (x *transaction) mayTunnel() *failure.Failure {
	if a := x.p.lists.MissAccess.Check(x.context(), &x.facts); !a.Allowed() {
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
	r := &x.reply
	x.unread = unreadRest
	x.makePage(f)
	r.SetMIME(nil)
	if x.client11() {
		r.Fields.AddString(http1.Connection, "close")
	}
	r.PutBare()
	x.sendOwn(true)
	r.Sent = 0
	r.Fields.Reset() // the logs know nothing of this head either
	return false
}

// sendEarly sends what a tunnel's client said before it was one.
func (x *transaction) sendEarly(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	origin := x.fetch.Conn()
	origin.WriteUntil(x.fetch.Patience())
	n, err := origin.Write(b)
	x.reply.Sent += int64(n)
	return err == nil
}

// join moves bytes both ways until one side ends, in error or not: when the
// client half-closes, the tunnel ends at once. With halves, a side that has said
// all it had to say is still answered. Either direction's progress renews the
// patience of both. client_lifetime is not for tunnels, as 2.6 has it.
func (x *transaction) join(halves bool) {
	cfg, client, origin := x.p.cfg, x.cl.c, x.fetch.Conn()
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
	up := &sock.Transfer{From: client, To: origin, Left: -1, Small: sock.SpliceFrom, Patience: cfg.ReadTimeout,
		Moved: func(n int) { uploaded += int64(n); last.Store(time.Now().UnixNano()) }}
	down := &sock.Transfer{From: origin, To: client, Left: -1, Small: sock.SpliceFrom, Patience: cfg.ReadTimeout,
		Moved: func(n int) { x.reply.Sent += int64(n); last.Store(time.Now().UnixNano()) }}
	go func() {
		defer close(done)
		defer x.cl.recover()
		move(up)
		if !halves || !up.Complete() || origin.CloseWrite() != nil {
			origin.Abort() // ends the other direction too
		}
	}()
	move(down)
	client.CloseWrite()
	if !halves || !down.Complete() {
		client.CloseRead()
	}
	<-done
	x.reply.Sent += uploaded
}
