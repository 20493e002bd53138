package fetch

import (
	"errors"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/origin"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
)

// connect gets a connection to the hop: one that is kept, or a new one.
func (f *Fetch) connect(giveUp time.Time) *failure.Failure {
	if f.hop.Pinned {
		f.ForgetHop()
		f.take(f.req.Pin.untie())
		return nil
	}
	host, port, timeout := http1.View(f.req.URL.Host), f.req.URL.Port, f.policy.Config.ConnectTimeout
	if p := f.hop.Peer; p != nil {
		host, port = p.Host, p.HTTPPort
		timeout = p.Patience(f.policy.Config.PeerConnectTimeout)
		f.note(f.hop.Code, p.Name)
		p.Sent()
	} else {
		f.note(f.hop.Code, host)
	}
	addrs, why := f.addresses(host)
	if why != nil {
		return why
	}
	if addrs.only.IsValid() {
		port = f.req.Dialled.Port()
	}
	reuse := f.req.Method.Idempotent() && f.req.Body.Framing == http1.NoBody
	for i := 0; i < addrs.Len() && i < 8 && !f.alone; i++ {
		c := f.env.Pool.Get(f.key(netip.AddrPortFrom(addrs.At(i), port)))
		switch {
		case c == nil:
			continue
		case reuse:
			f.sayAttempt("a kept connection", c.Key.To, nil)
			f.take(c)
			return nil
		}
		c.Close() // as in 2.6: opening another is not to make ever more of them
		break
	}
	return f.dial(host, addrs, port, min(timeout, max(time.Until(giveUp), 5*time.Second)), giveUp)
}

// key says which kept connections the request may use. A connection opened as
// one client never serves another.
func (f *Fetch) key(to netip.AddrPort) origin.Key {
	k := origin.Key{To: to}
	p := f.hop.Peer
	facts := f.req.Facts
	if p == nil && f.policy.outgoingAsksDst {
		facts = f.factsTo(to.Addr())
	}
	if p != nil {
		k.Peer = p.Name
	}
	if p == nil || p.OriginServer {
		k.Host = http1.View(f.req.URL.Host)
	}
	if f.spoofs() {
		k.As = f.req.Client.Addr()
	} else {
		k.From = f.policy.Lists.OutgoingAddress(f.ctx, facts, to.Addr().Is6())
	}
	k.TOS = f.policy.Lists.OutgoingTOS(f.ctx, facts)
	return k
}

// wishes are those for a new connection. tproxy_client_port is among them: a connection in
// the client's name uses the client's port too. Without the directive it does so only when
// no other port is left towards the destination.
func (f *Fetch) wishes() origin.Wishes {
	w := origin.Wishes{Tunnel: f.tunnel}
	switch port := f.req.Client.Port(); {
	case !f.spoofs():
	case f.policy.Config.TProxyClientPort:
		w.First = port
	default:
		w.Last = port
	}
	return w
}

// spoofs reports whether the client's own address is used: towards the origin
// only.
func (f *Fetch) spoofs() bool { return f.req.Spoof && f.direct() }

// dial opens a connection, trying the addresses in turn.
func (f *Fetch) dial(host string, addrs addresses, port uint16, timeout time.Duration, giveUp time.Time) *failure.Failure {
	if f.hop.Peer != nil && addrs.Len() > 1 {
		return f.dialPeer(addrs, port, timeout, giveUp)
	}
	// Several addresses have one attempt each, and the first of them another, by
	// which time the fault may have passed.
	tries := addrs.Len() + 1
	if addrs.Len() == 1 {
		tries = max(1, min(10, f.policy.Config.MaximumSingleAddrTries))
	}
	var last *failure.Failure
	for i := 0; i < tries; i++ {
		addr := addrs.At(i % addrs.Len())
		to := netip.AddrPortFrom(addr, port)
		f.noteAddress(addr)
		c, err := f.env.Dialer.Open(f.ctx, f.key(to), f.wishes(), timeout, int(f.policy.Config.TCPRecvBufsize))
		f.sayAttempt("connecting", to, err)
		if err == nil {
			if p := f.hop.Peer; p == nil {
				f.env.Names.MarkGood(host, addr)
			} else {
				p.Answered()
				c.CountIn(&p.Connections)
			}
			f.take(c)
			return nil
		}
		last = f.dialFailure(err)
		if f.ctx.Err() != nil || last.Page == errpage.SocketFailure {
			return last
		}
		if f.direct() {
			f.env.Names.MarkBad(host, addr)
		}
		if last.Errno == syscall.EADDRNOTAVAIL && i == 0 {
			f.env.Log.Info("cannot connect to {server}: {error}", zap.Stringer("server", to), report.Error(err))
		}
		if last.Errno == syscall.ETIMEDOUT && i+1 >= addrs.Len() || !time.Now().Before(giveUp) {
			break
		}
	}
	if p := f.hop.Peer; p != nil {
		p.Failed()
	}
	return last
}

// peerStagger is how long an address of a peer may be silent before the next one is
// tried as well (RFC 8305 section 5).
const peerStagger = 250 * time.Millisecond

// dialPeer opens a connection to a peer that has several addresses: in turn, and the
// next before a silent one has used up its time. The first is tried once more at the
// end, as by dial.
func (f *Fetch) dialPeer(addrs addresses, port uint16, timeout time.Duration, giveUp time.Time) *failure.Failure {
	p, keys := f.hop.Peer, make([]origin.Key, 0, addrs.Len()+1)
	for i := range cap(keys) {
		keys = append(keys, f.key(netip.AddrPortFrom(addrs.At(i%addrs.Len()), port)))
	}
	c, err := f.env.Dialer.OpenFirst(f.ctx, keys, f.wishes(), timeout, peerStagger, giveUp, int(f.policy.Config.TCPRecvBufsize), func(a origin.Attempt) {
		f.sayAttempt("connecting", a.Key.To, a.Err)
	})
	if err == nil {
		f.sayAttempt("connecting", c.Key.To, nil)
		p.Answered()
		c.CountIn(&p.Connections)
		f.take(c)
		return nil
	}
	why := f.dialFailure(err)
	if f.ctx.Err() == nil && why.Page != errpage.SocketFailure {
		p.Failed()
	}
	return why
}

func (f *Fetch) dialFailure(err error) *failure.Failure {
	if call := (*os.SyscallError)(nil); errors.As(err, &call) && !f.spoofs() && (call.Syscall == "socket" || call.Syscall == "bind") {
		// The fault is here, and no other try is better. 2.6 notes no hop then.
		f.ForgetHop()
		return failure.NoSocket(err)
	}
	return failure.Unreachable(err, f.req.Method == http1.CONNECT)
}

// take makes c the fetch's connection.
func (f *Fetch) take(c *origin.Conn) {
	c.Uses++
	f.mu.Lock()
	f.conn = c
	f.mu.Unlock()
	if f.ctx.Err() != nil {
		c.Abort()
	}
	f.noteAddress(c.Key.To.Addr())
	if f.req.Waiting != nil {
		f.req.Waiting.Connected()
	}
}

// Abort makes whatever the fetch does on its connection fail. It may be called by
// anybody, until Leave has returned.
func (f *Fetch) Abort() {
	f.mu.Lock()
	if f.conn != nil {
		f.conn.Abort()
	}
	f.mu.Unlock()
}

// Interrupt makes a read of the reply's body that waits return sock.ErrInterrupted,
// once; the fetch can go on after that. It may be called by anybody, until Leave has
// returned.
func (f *Fetch) Interrupt() {
	f.mu.Lock()
	if f.conn != nil {
		f.conn.Interrupt()
	}
	f.mu.Unlock()
}

// Arrived is how many octets of the reply have come that the fetch has not read. It
// may be called by anybody, until Leave has returned.
func (f *Fetch) Arrived() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conn == nil {
		return 0
	}
	return int64(f.conn.Arrived())
}

// release takes the connection from the fetch: nobody aborts it any more.
func (f *Fetch) release() *origin.Conn {
	f.endUpload()
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.conn
	f.conn = nil
	return c
}

// GiveConn takes the connection from the fetch: it is the caller's, who closes it.
func (f *Fetch) GiveConn() *origin.Conn { return f.release() }

// drop closes the connection, if there is one.
func (f *Fetch) drop() {
	if f.conn != nil {
		f.release().Close()
	}
}

// Leave ends the fetch: its connection is kept for others when the reply's body was
// read to its end, and closed otherwise. It reports whether there was something to
// end.
func (f *Fetch) Leave(now time.Time) bool {
	if f.req == nil || f.over {
		return false
	}
	f.over = true
	f.choice.Replied()
	if f.conn == nil {
		return true
	}
	c := f.release()
	if f.reusable && f.complete && !c.Aborted() {
		f.keep(c, now)
	} else {
		c.Close()
	}
	return true
}

// Discard gives up what is left of the reply: the connection serves nobody else.
func (f *Fetch) Discard() { f.reusable = false }
