package routersim

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// Server runs a Router on a UDP socket of its address.
type Server struct {
	mu     sync.Mutex
	router *Router
	socket *net.UDPConn
}

// Listen makes the router and its socket. port is wire.Port but in tests.
func Listen(config Config, port uint16) (*Server, error) {
	at := netip.AddrPortFrom(config.Address, port)
	network := "udp4"
	if at.Addr().Is6() {
		network = "udp6"
	}
	socket, err := net.ListenUDP(network, net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, err
	}
	s := &Server{router: New(config), socket: socket}
	s.Do(func(r *Router) { r.observe(Event{Name: Started}) })
	return s, nil
}

// Do calls f with the router while nothing else uses it.
func (s *Server) Do(f func(*Router)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.router.now = time.Now()
	f(s.router)
}

// Serve answers until the context ends. The socket is closed then.
func (s *Server) Serve(ctx context.Context) error {
	defer s.socket.Close()
	stop := context.AfterFunc(ctx, func() { s.socket.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	buffer := make([]byte, 65535)
	for ctx.Err() == nil {
		s.socket.SetReadDeadline(s.turn())
		if ctx.Err() != nil {
			break // the deadline that interrupts may just have been overwritten
		}
		n, from, err := s.socket.ReadFromUDPAddrPort(buffer)
		switch {
		case err == nil:
			s.Do(func(r *Router) { r.Receive(r.now, unmapped(from), buffer[:n]) })
		case errors.Is(err, os.ErrDeadlineExceeded):
		case errors.Is(err, net.ErrClosed):
			return err
		default:
			// An ICMP error about something sent earlier: the cache is not there just now.
		}
	}
	return nil
}

// turn runs what is due and says when to look again.
func (s *Server) turn() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.router.Advance(now)
	for _, d := range s.router.Take(now) {
		if _, err := s.socket.WriteToUDPAddrPort(d.Payload, d.To); err != nil {
			s.router.observe(Event{Name: Lost, Cache: d.To.Addr(), Message: kindOf(d.Payload), Why: err.Error()})
		}
	}
	// Commands change timers without waking us, hence at least once a second.
	soon := now.Add(time.Second)
	if next := s.router.Next(); !next.IsZero() && next.Before(soon) {
		return next
	}
	return soon
}

// Inject sends a datagram of the operator's making from the router's address.
func (s *Server) Inject(payload []byte, to netip.AddrPort) error {
	_, err := s.socket.WriteToUDPAddrPort(payload, to)
	return err
}

// Query sends a REMOVAL_QUERY to every usable cache at the next turn, though it was just heard.
func (r *Router) Query() {
	for _, g := range r.sortedGroups() {
		for _, m := range g.usable() {
			r.query(g, m)
		}
	}
}

func unmapped(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
