package forward

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/overload"
	"github.com/cuttle-proxy/cuttle/forward/ports"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// tcpConn is the connection type the Network deals in.
type tcpConn = *net.TCPConn

// acceptFrom accepts until the listener is closed. When the process is out of
// descriptors or memory it waits a moment: connections stay in the queue.
func (s *Server) acceptFrom(l *ports.Listener) {
	for {
		tcp, err := l.AcceptTCP()
		switch {
		case err == nil:
			s.welcome(l, tcp)
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
func (s *Server) welcome(l *ports.Listener, tcp *net.TCPConn) {
	c, err := sock.Wrap(tcp)
	if err != nil {
		tcp.Close()
		return
	}
	cl := &client{srv: s, ln: l, c: c, remote: c.Remote(), local: c.Local(), since: time.Now()}
	if port := l.Line(); port.Transparent || port.TProxy {
		dst, intercepted, err := s.parts.Network.OriginalDestination(tcp, port)
		if err != nil {
			s.parts.Log.Warn(fmt.Sprintf("WARNING: client %s on port %d: %v", cl.remote, port.Addr.Port(), err))
			c.Close()
			return
		}
		if intercepted {
			cl.meant, cl.intercepted = dst, true
			cl.local = dst
			cl.mayBeOther()
		}
		cl.passes = port.Passes
	}
	s.clients.add(cl)
	if err := s.watcher.Watch(c, cl); err != nil || s.stopping.Load() {
		c.Close()
		s.clients.remove(cl)
		return
	}
	if s.current.Load().asksEarly {
		s.identifyEarly(cl)
	}
	go cl.serve()
}
