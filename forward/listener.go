package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/ident"
	"github.com/cuttle-proxy/cuttle/forward/overload"
	"github.com/cuttle-proxy/cuttle/forward/ports"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"go.uber.org/zap"
)

// acceptFrom accepts until the listener is closed. When the process is short of
// descriptors or memory it waits: connections stay in the queue.
func (s *Server) acceptFrom(l *ports.Listener) {
	over := func() bool { return l.Gone() || s.stopping.Load() }
	var w *sock.Watcher // of connections that become tunnels
	if l.Line().Passes {
		w = s.watcher
	}
	for {
		s.reserve.Await(over)
		socket, from, err := l.Accept(w)
		switch {
		case err == nil:
			s.welcome(l, socket, from)
		case l.Gone() || s.stopping.Load():
			return
		case overload.Shortage(err):
			s.overload.Failed(err)
			time.Sleep(100 * time.Millisecond)
		case errors.Is(err, net.ErrClosed):
			select {
			case s.failed <- fmt.Errorf("http_port %s: %w", l.Line().Addr, err):
			default:
			}
			return
		default:
			// The client was gone before it was accepted.
		}
	}
}

// welcome starts serving one connection.
func (s *Server) welcome(l *ports.Listener, socket sock.Socket, from netip.AddrPort) {
	c, err := sock.Wrap(socket)
	if err != nil {
		socket.Close()
		return
	}
	cl := &client{srv: s, ln: l, c: c, remote: from, local: l.Own(), since: time.Now()}
	if !cl.local.IsValid() {
		cl.local = c.Local()
	}
	if port := l.Line(); port.Transparent || port.TProxy {
		dst, intercepted, err := s.parts.Network.OriginalDestination(socket, cl.local, port)
		if err != nil {
			s.parts.Log.Warn("WARNING: client {client} on port {port}: {error}",
				zap.Stringer("client", cl.remote), zap.Uint16("port", port.Addr.Port()), report.Error(err))
			c.Close()
			return
		}
		if intercepted {
			cl.meant, cl.intercepted = dst, true
			if port.TProxy { // the socket's own address is where the client dialled
				own := l.Addr().(*net.TCPAddr).AddrPort()
				cl.local = netip.AddrPortFrom(own.Addr().Unmap(), own.Port())
			}
			cl.sniffing = s.current.Load().cfg.TunnelUnknownProtocol
		}
		cl.passes = port.Passes
	}
	s.clients.Add(&cl.Link, cl, cl.remote.Addr())
	if s.say.Comm.On(3) {
		s.say.Comm.Say(3, "accepted {client} on {port}, for {dialled}",
			zap.Stringer("client", cl.remote), zap.Stringer("port", l.Addr()), zap.Stringer("dialled", cl.facing()))
	}
	if s.stopping.Load() {
		c.Close()
		s.clients.Remove(&cl.Link, cl.remote.Addr())
		return
	}
	if s.current.Load().asksEarly {
		s.identifyEarly(cl)
	}
	s.crew.Take(cl)
}

// Ident implements acl.Conn: the client's host is asked once a connection, and
// what it said goes to the log as well. Who wants to know while it is being asked waits
// for the same answer.
func (cl *client) Ident(ctx context.Context) string {
	for {
		if user, ok := cl.KnownIdent(); ok {
			return user
		}
		mine := make(chan struct{})
		if cl.asking.CompareAndSwap(nil, &mine) {
			user := cl.srv.identify(ctx, cl)
			if ctx.Err() == nil {
				cl.user.Store(&user)
			}
			cl.asking.Store(nil)
			close(mine)
			return user
		}
		if other := cl.asking.Load(); other != nil {
			select {
			case <-*other:
			case <-ctx.Done():
				return ""
			}
		}
	}
}

// KnownIdent implements acl.Conn.
func (cl *client) KnownIdent() (user string, ok bool) {
	if known := cl.user.Load(); known != nil {
		return *known, true
	}
	return "", false
}

// identify asks the client's host, for at most ident_timeout.
func (s *Server) identify(ctx context.Context, cl *client) string {
	ctx, cancel := context.WithTimeout(ctx, s.current.Load().cfg.IdentTimeout)
	defer cancel()
	d := Dialing{To: netip.AddrPortFrom(cl.remote.Addr(), ident.Port)}
	if !cl.intercepted {
		d.From = netip.AddrPortFrom(cl.local.Addr(), 0) // the address the client knows us by
	}
	conn, err := s.parts.Network.Dial(ctx, d)
	if err != nil {
		return ""
	}
	defer conn.Close()
	user, err := ident.Ask(ctx, conn, cl.facing(), cl.remote)
	if err != nil {
		return ""
	}
	return user
}

// identifyEarly begins to ask about a connection that was just accepted when
// ident_lookup_access wants that. Nothing waits for the answer: the log shows
// it if it came in time.
func (s *Server) identifyEarly(cl *client) {
	p := s.acquire()
	defer p.Release()
	facts := acl.Facts{Client: cl.remote.Addr(), Local: cl.own(p)}
	if !p.lists.IdentLookupAccess.Check(context.Background(), &facts).Allowed() {
		return
	}
	go cl.Ident(clientContext{cl})
}
