package gre

import (
	"encoding/binary"
	"errors"
	"slices"

	"golang.org/x/sys/unix"
)

// A router that was asked for the web sends packets of the web, on their way from
// one host to another. Whoever sends others in its name, or makes it wrap them, wants
// to reach this host behind its packet filter: what is inside a tunnel has come by no
// rule of the outer interface.
var (
	errHere        = errors.New("gre: the packet inside is for this host")
	errUnannounced = errors.New("gre: the packet inside is of no announced service")
)

// Service is what routers were asked to redirect.
type Service struct {
	Protocol uint8 // 6 is TCP, 17 UDP
	// Ports are those of the destination, with FromPort of the source; none for all.
	Ports    []uint16
	FromPort bool
}

// setServices limits what may be inside; nil lets everything.
func (u *unwrapper) setServices(list []Service) {
	if list == nil {
		u.services.Store(nil)
		return
	}
	u.services.Store(&list)
}

// admit decides about the packet inside.
func (u *unwrapper) admit(p Packet) error {
	if !p.Dst.IsGlobalUnicast() || u.here != nil && u.here(p.Dst) { // also not multicast, broadcast, loopback, link-local
		return errHere
	}
	services := u.services.Load()
	if services == nil {
		return nil
	}
	f := flowOf(p.Bytes)
	for i := range *services {
		if (*services)[i].takes(f) {
			return nil
		}
	}
	return errUnannounced
}

// flow is what a service looks at. The ports of a fragment that is not the first are
// not known.
type flow struct {
	protocol uint8
	ported   bool
	from, to uint16
}

func (s *Service) takes(f flow) bool {
	if f.protocol != s.Protocol {
		return false
	}
	if !f.ported || len(s.Ports) == 0 {
		return true
	}
	if s.FromPort {
		return slices.Contains(s.Ports, f.from)
	}
	return slices.Contains(s.Ports, f.to)
}

const (
	offset4 = 0x1fff // of the fragment field of IPv4
	offset6 = 0xfff8 // of the fragment header of IPv6
)

// flowOf reads a packet that Inner found whole. Extension headers of IPv6 other than
// the fragment header make a protocol of their own, which no service has.
func flowOf(b []byte) flow {
	var f flow
	var rest []byte
	first := true
	if b[0]>>4 == 4 {
		f.protocol = b[9]
		first = binary.BigEndian.Uint16(b[6:])&offset4 == 0
		rest = b[int(b[0]&0xf)*4:]
	} else {
		f.protocol, rest = b[6], b[ipv6Header:]
		if f.protocol == unix.IPPROTO_FRAGMENT && len(rest) >= 8 {
			f.protocol = rest[0]
			first = binary.BigEndian.Uint16(rest[2:])&offset6 == 0
			rest = rest[8:]
		}
	}
	if first && len(rest) >= 4 {
		f.ported, f.from, f.to = true, binary.BigEndian.Uint16(rest), binary.BigEndian.Uint16(rest[2:])
	} else if first {
		f.protocol = 0 // too short for any service
	}
	return f
}
