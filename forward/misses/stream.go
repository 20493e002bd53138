// Package misses tells a multicast group of every miss (mcast_miss_addr,
// mcast_miss_ttl, mcast_miss_port, mcast_miss_encode_key): a packet with the URL, as
// access.log shows it, enciphered. 2.6 has it in builds with a multicast miss stream.
package misses

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"github.com/cuttle-proxy/cuttle/conf"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// Stream sends URLs to a group. nil is one that goes nowhere. Its methods are safe for
// concurrent use.
type Stream struct {
	conn *net.UDPConn
	raw  syscall.RawConn
	to   unix.SockaddrInet4
	key  key
}

// Open opens the stream a configuration asks for, nil when it asks for none. The error
// names the directive.
func Open(cfg *conf.Config, log *zap.Logger) (*Stream, error) {
	c := &cfg.MulticastMiss
	if !c.Wanted() {
		return nil, nil
	}
	if !c.Addr.Is4() {
		return nil, fmt.Errorf("mcast_miss_addr: %s is no address of IPv4", c.Addr)
	}
	s := &Stream{to: unix.SockaddrInet4{Port: int(c.Port), Addr: c.Addr.As4()}, key: newKey(c.EncodeKey)}
	from := cfg.UDPIncomingAddress
	if !from.IsValid() {
		from = netip.IPv4Unspecified()
	}
	// Others of this host may take the port too: a receiver, or the next configuration.
	lc := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		if e := raw.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
			if err == nil {
				err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, int(min(c.TTL, 255)))
			}
		}); e != nil {
			return e
		}
		return err
	}}
	pc, err := lc.ListenPacket(context.Background(), "udp4", netip.AddrPortFrom(from, c.Port).String())
	if err != nil {
		return nil, fmt.Errorf("mcast_miss_port %d: %w", c.Port, err)
	}
	s.conn = pc.(*net.UDPConn)
	if s.raw, err = s.conn.SyscallConn(); err != nil {
		s.conn.Close()
		return nil, fmt.Errorf("mcast_miss_port %d: %w", c.Port, err)
	}
	_ = s.raw.Control(func(fd uintptr) { log.Info("Multicast Miss Stream Socket opened on FD {fd}", zap.Int("fd", int(fd))) })
	return s, nil
}

// packet is one on its way out.
type packet struct {
	bytes []byte
	s     *Stream
	send  func(fd uintptr) bool
}

var packets = sync.Pool{New: func() any {
	p := &packet{bytes: make([]byte, 0, mostText)}
	// A packet for which there is no room is lost, as any may be.
	p.send = func(fd uintptr) bool {
		_ = unix.Sendto(int(fd), p.bytes, unix.MSG_DONTWAIT, &p.s.to)
		return true
	}
	return p
}}

// Tell sends a URL. It waits for nothing and allocates nothing.
func (s *Stream) Tell(url []byte) {
	if s == nil {
		return
	}
	p := packets.Get().(*packet)
	p.s, p.bytes = s, s.key.appendText(p.bytes[:0], url)
	_ = s.raw.Write(p.send) // fails when closed
	p.s = nil
	packets.Put(p)
}

// Close ends the stream.
func (s *Stream) Close() {
	if s != nil {
		s.conn.Close()
	}
}
