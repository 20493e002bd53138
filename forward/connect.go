package forward

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/origin"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// connect gets a connection for x.hop: one that is kept, or a new one.
func (x *transaction) connect(giveUp time.Time) *failure {
	hop := x.hop
	if hop.Pinned {
		x.hier, x.hierHost = "", x.hierHost[:0]
		x.takePinned()
		return nil
	}
	host, port, timeout := view(x.url.Host), x.url.Port, x.p.cfg.ConnectTimeout
	if p := hop.Peer; p != nil {
		host, port = p.Host, p.HTTPPort
		timeout = p.Patience(x.p.cfg.PeerConnectTimeout)
		x.note(hop.Code, p.Name)
	} else {
		x.note(hop.Code, host)
	}
	addrs, f := x.addresses(host)
	if f != nil {
		return f
	}
	if addrs.only.IsValid() {
		port = x.cl.meant.Port()
	}
	reuse := x.req.Method.Idempotent() && x.body.Framing == http1.NoBody
	for i := 0; i < addrs.Len() && i < 8; i++ {
		c := x.srv.pool.Get(x.key(netip.AddrPortFrom(addrs.At(i), port)))
		switch {
		case c == nil:
			continue
		case reuse:
			x.take(c)
			return nil
		}
		c.Close() // as in 2.6: opening another is not to make ever more of them
		break
	}
	return x.dial(host, addrs, port, min(timeout, max(giveUp.Sub(x.clock()), 5*time.Second)), giveUp)
}

// key says which kept connections the request may use. A connection opened as
// one client never serves another.
func (x *transaction) key(to netip.AddrPort) origin.Key {
	k := origin.Key{To: to}
	if x.hop.Peer != nil {
		k.Peer = x.hop.Peer.Name
	}
	if x.hop.Peer == nil || x.hop.Peer.OriginServer {
		k.Host = view(x.url.Host)
	}
	if x.spoofs() {
		k.As = x.cl.remote.Addr()
	} else {
		k.From = x.p.lists.OutgoingAddress(x.context(), &x.facts, to.Addr().Is6())
	}
	k.TOS = x.p.lists.OutgoingTOS(x.context(), &x.facts)
	return k
}

// localPorts is tproxy_client_port: a connection in the client's name uses the
// client's port too. Without the directive it does so only when no other port is
// left towards the destination.
func (x *transaction) localPorts() origin.LocalPorts {
	if !x.spoofs() {
		return origin.LocalPorts{}
	}
	port := x.cl.remote.Port()
	if x.p.cfg.TProxyClientPort {
		return origin.LocalPorts{First: port}
	}
	return origin.LocalPorts{Last: port}
}

// spoofs reports whether the client's own address is used towards the origin:
// for intercepted clients of a tproxy port, on the way to origins only.
func (x *transaction) spoofs() bool {
	return x.port.TProxy && x.cl.intercepted && x.hop.Peer == nil && !x.own
}

// dial opens a connection, trying the addresses in turn.
func (x *transaction) dial(host string, addrs addresses, port uint16, timeout time.Duration, giveUp time.Time) *failure {
	// Several addresses have one attempt each, and the first of them another, by
	// which time the fault may have passed.
	tries := addrs.Len() + 1
	if addrs.Len() == 1 {
		tries = max(1, min(10, x.p.cfg.MaximumSingleAddrTries))
	}
	var last *failure
	for i := 0; i < tries; i++ {
		addr := addrs.At(i % addrs.Len())
		to := netip.AddrPortFrom(addr, port)
		x.noteAddress(addr)
		c, err := x.srv.dialer.Open(x.context(), x.key(to), x.localPorts(), timeout, int(x.p.cfg.TCPRecvBufsize))
		if err == nil {
			if x.hop.Peer == nil {
				x.srv.names.MarkGood(host, addr)
			} else {
				x.hop.Peer.Answered()
				c.CountIn(&x.hop.Peer.Connections)
			}
			x.take(c)
			return nil
		}
		last = x.dialFailure(err)
		if x.cl.gone.Load() || last.page == errpage.SocketFailure {
			return last
		}
		if x.hop.Peer == nil {
			x.srv.names.MarkBad(host, addr)
		}
		if last.errno == syscall.EADDRNOTAVAIL && i == 0 {
			x.srv.parts.Log.Info("cannot connect to " + to.String() + ": " + err.Error())
		}
		if last.errno == syscall.ETIMEDOUT && i+1 >= addrs.Len() || !x.clock().Before(giveUp) {
			break
		}
	}
	if p := x.hop.Peer; p != nil {
		p.Failed()
	}
	return last
}

func (x *transaction) dialFailure(err error) *failure {
	if call := (*os.SyscallError)(nil); errors.As(err, &call) && !x.spoofs() && (call.Syscall == "socket" || call.Syscall == "bind") {
		// No socket, or none with the address of tcp_outgoing_address: the fault
		// is here, and no other try is better. 2.6 logs no next hop then.
		x.hier, x.hierHost = "", x.hierHost[:0]
		return finalFailure(errpage.SocketFailure, 500).because(err, sock.Errno(err))
	}
	f := newFailure(errpage.ConnectFail, 503).because(err, 0)
	var de *origin.DialError
	if errors.As(err, &de) {
		f.errno = de.Errno
		if de.Timeout && x.req.Method != http1.CONNECT {
			f.status = 504
		}
	} else if errors.Is(err, context.Canceled) {
		f.final = true
	}
	return f
}

// take makes c the transaction's connection and lets a hang-up of the client
// end it.
func (x *transaction) take(c *origin.Conn) {
	c.Uses++
	x.conn = c
	x.noteAddress(c.Key.To.Addr())
	x.cl.attach(c)
	x.letNextBegin()
}

// dropOrigin closes the connection to the origin, if there is one.
func (x *transaction) dropOrigin() {
	if x.conn == nil {
		return
	}
	x.endUpload()
	x.cl.detach(x.conn)
	x.conn.Close()
	x.conn = nil
}
