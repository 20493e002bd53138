package forward

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/overload"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// tcpConn is the connection type the Network deals in.
type tcpConn = *net.TCPConn

// listener is one listening socket of an http_port line.
type listener struct {
	l    *net.TCPListener
	port atomic.Pointer[conf.HTTPPort]
	once sync.Once
	gone atomic.Bool
}

// listen opens the ports of cfg, taking over sockets of have where a line still
// asks for the same one. It returns those to be used and those to be closed; on
// error what it opened is closed again.
func (s *Server) listen(ctx context.Context, cfg *conf.Config, have []*listener) (all, closing []*listener, err error) {
	var opened []*listener
	left := append([]*listener(nil), have...)
	keep := map[*listener]*conf.HTTPPort{}
	for _, port := range cfg.Ports() {
		kept := false
		for i := 0; i < len(left); i++ {
			if l := left[i]; samePort(l.port.Load(), port) {
				keep[l] = port
				all = append(all, l)
				left = append(left[:i], left[i+1:]...)
				kept = true
				i--
			}
		}
		if kept {
			continue
		}
		sockets, err := s.parts.Network.Listen(ctx, port)
		if err != nil {
			for _, l := range opened {
				l.close()
			}
			return nil, nil, err
		}
		for _, socket := range sockets {
			l := &listener{l: socket}
			l.port.Store(port)
			opened = append(opened, l)
			all = append(all, l)
		}
		s.parts.Log.Info(fmt.Sprintf("Accepting %s connections at %s, port %d.", kind(port), port.Addr.Addr(), port.Addr.Port()))
	}
	for l, port := range keep {
		l.port.Store(port)
	}
	return all, left, nil
}

// samePort reports whether a socket opened for one line serves another.
func samePort(a, b *conf.HTTPPort) bool {
	return a.Addr == b.Addr && a.Transparent == b.Transparent && a.TProxy == b.TProxy && a.Passes == b.Passes
}

func kind(port *conf.HTTPPort) string {
	switch {
	case port.Passes:
		return "transparently passed TLS"
	case port.Accel:
		return "accelerated HTTP"
	case port.Transparent:
		return "transparently proxied HTTP"
	}
	return "proxy HTTP"
}

// start begins accepting; further calls do nothing.
func (l *listener) start(s *Server) {
	l.once.Do(func() { go s.acceptFrom(l) })
}

func (l *listener) close() {
	l.gone.Store(true)
	l.l.Close()
}

// acceptFrom accepts until the listener is closed. When the process is out of
// descriptors or memory it waits a moment: connections stay in the queue.
func (s *Server) acceptFrom(l *listener) {
	for {
		tcp, err := l.l.AcceptTCP()
		switch {
		case err == nil:
			s.welcome(l, tcp)
		case l.gone.Load() || s.stopping.Load():
			return
		case overload.Shortage(err):
			s.overload.Failed(err)
			time.Sleep(100 * time.Millisecond)
		case errors.Is(err, net.ErrClosed):
			select {
			case s.failed <- fmt.Errorf("http_port %s: %w", l.port.Load().Addr, err):
			default:
			}
			return
		default:
			// The client was gone before it was accepted.
		}
	}
}

// welcome starts serving one connection.
func (s *Server) welcome(l *listener, tcp *net.TCPConn) {
	c, err := sock.Wrap(tcp)
	if err != nil {
		tcp.Close()
		return
	}
	cl := &client{srv: s, ln: l, c: c, remote: c.Remote(), local: c.Local(), since: time.Now()}
	if port := l.port.Load(); port.Transparent || port.TProxy {
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
