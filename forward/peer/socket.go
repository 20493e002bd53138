package peer

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/cuttle-proxy/cuttle/conf"
	"golang.org/x/sys/unix"
)

func (p protocol) String() string {
	if p == speaksICP {
		return "ICP"
	}
	return "HTCP"
}

// directive is the port's directive, for errors.
func (p protocol) directive() string {
	if p == speaksICP {
		return "icp_port"
	}
	return "htcp_port"
}

// open opens a socket and joins the multicast groups of mcast_groups.
func open(ctx context.Context, w socket, cfg *conf.Config) (*socket, error) {
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if e := c.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		}); e != nil {
			return e
		}
		return err
	}}
	pc, err := lc.ListenPacket(ctx, "udp4", w.bound.String())
	if err != nil {
		return nil, fmt.Errorf("%s %d: %w", w.protocol.directive(), w.bound.Port(), err)
	}
	s := w
	s.UDPConn = pc.(*net.UDPConn)
	if w.protocol == speaksICP && w.groups != "" {
		for _, group := range cfg.MulticastGroups {
			if err := s.join(group); err != nil {
				s.Close()
				return nil, fmt.Errorf("mcast_groups %s: %w", group, err)
			}
		}
	}
	return &s, nil
}

// says is what cache.log says of the socket among those of a configuration.
func (s *socket) says(all []*socket) string {
	fd := -1
	_ = s.option(func(n int) error { fd = n; return nil })
	outgoing := false
	for _, other := range all {
		outgoing = outgoing || s.out && other != s && other.protocol == s.protocol
	}
	switch {
	case outgoing:
		return fmt.Sprintf("Outgoing %s messages on port %d, FD %d.", s.protocol, s.bound.Port(), fd)
	case s.protocol == speaksICP:
		return fmt.Sprintf("Accepting ICP messages at %s, port %d, FD %d.", s.bound.Addr(), s.bound.Port(), fd)
	}
	return fmt.Sprintf("Accepting HTCP messages on port %d, FD %d.", s.bound.Port(), fd)
}

// join makes the socket a member of a multicast group.
func (s *socket) join(group string) error {
	a, err := netip.ParseAddr(group)
	if err != nil {
		return err
	}
	if !a.Is4() || !a.IsMulticast() {
		return fmt.Errorf("%s is no multicast group of IPv4", a)
	}
	return s.option(func(fd int) error {
		return unix.SetsockoptIPMreq(fd, unix.IPPROTO_IP, unix.IP_ADD_MEMBERSHIP, &unix.IPMreq{Multiaddr: a.As4()})
	})
}

// sendTo sends one packet; ttl is that of a multicast group, 0 for no group. A
// packet that cannot be sent is lost, as any may be.
func (s *socket) sendTo(packet []byte, to netip.AddrPort, ttl int) {
	if ttl > 0 {
		// The loop of the sender's own host is left as it is by default: on.
		_ = s.option(func(fd int) error { return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, ttl) })
	}
	_, _ = s.WriteToUDPAddrPort(packet, to)
}

func (s *socket) option(set func(fd int) error) error {
	raw, err := s.SyscallConn()
	if err != nil {
		return err
	}
	if e := raw.Control(func(fd uintptr) { err = set(int(fd)) }); e != nil {
		return e
	}
	return err
}
