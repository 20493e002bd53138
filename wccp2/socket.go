package wccp2

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// errOneFamily is a socket that cannot reach some routers.
var errOneFamily = errors.New("an address of WCCP cannot be given beside IPv6 routers")

// socket is the one UDP socket of WCCP.
type socket struct {
	conn  *net.UDPConn
	bound netip.Addr
	v6    bool // both families
	fd    int  // for the log only
}

// openSocket binds WCCP's port at address, or everywhere: for IPv6 routers in both
// families, which no address of one of them can be.
func openSocket(address netip.Addr, v6 bool) (*socket, error) {
	at, network := address, "udp4"
	if !at.IsValid() {
		at = netip.IPv4Unspecified()
	}
	if v6 && !at.IsUnspecified() {
		return nil, fmt.Errorf("%w: wccp2_address %s", errOneFamily, at)
	}
	if v6 {
		at, network = netip.IPv6Unspecified(), "udp"
	}
	s := &socket{bound: address, v6: v6}
	lc := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		if e := c.Control(func(fd uintptr) {
			s.fd = int(fd)
			err = ignorePathMTU(int(fd))
		}); e != nil {
			return e
		}
		return err
	}}
	conn, err := lc.ListenPacket(context.Background(), network, netip.AddrPortFrom(at, wire.Port).String())
	if err != nil {
		return nil, err
	}
	s.conn = conn.(*net.UDPConn)
	return s, nil
}

// ignorePathMTU switches path MTU discovery off, so that the kernel numbers the
// packets: IOS takes packets with equal IP ids for duplicates (FACTS "Timing").
func ignorePathMTU(fd int) error {
	return unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT)
}

// localTo finds the address the kernel uses towards a router, the zero Addr
// without a route. A socket bound to an address uses that.
func (s *socket) localTo(router netip.Addr) netip.Addr {
	if s.bound.IsValid() && !s.bound.IsUnspecified() {
		return s.bound
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(router, wire.Port)))
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}

func (s *socket) read(buf []byte) (int, netip.AddrPort, error) {
	return s.conn.ReadFromUDPAddrPort(buf)
}

func (s *socket) write(datagram []byte, to netip.AddrPort) error {
	_, err := s.conn.WriteToUDPAddrPort(datagram, to)
	return err
}

// SetReadDeadline wakes a read at t; never for the zero time.
func (s *socket) SetReadDeadline(t time.Time) {
	s.conn.SetReadDeadline(t) // fails on a closed socket only
}

// Close closes the socket.
func (s *socket) Close() { s.conn.Close() }
