package gre

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// ErrInner means that the wrapping held no whole IP packet.
var ErrInner = errors.New("gre: no whole IP packet inside")

// Packet is the IP packet out of a GRE packet, padding removed.
type Packet struct {
	Bytes    []byte
	Src, Dst netip.Addr
}

const (
	ipv4MinHeader = 20
	ipv6Header    = 40
)

// Inner checks that payload begins with a whole IP packet, by its own lengths.
// The checksum of an IPv4 header is left to the kernel, which verifies it anyway.
func Inner(payload []byte) (Packet, error) {
	if len(payload) == 0 {
		return Packet{}, ErrInner
	}
	switch payload[0] >> 4 {
	case 4:
		return inner4(payload)
	case 6:
		return inner6(payload)
	}
	return Packet{}, ErrInner
}

func inner4(b []byte) (Packet, error) {
	if len(b) < ipv4MinHeader {
		return Packet{}, ErrInner
	}
	header := int(b[0]&0xf) * 4
	total := int(binary.BigEndian.Uint16(b[2:]))
	if header < ipv4MinHeader || total < header || total > len(b) {
		return Packet{}, ErrInner
	}
	return Packet{
		Bytes: b[:total],
		Src:   netip.AddrFrom4([4]byte(b[12:16])),
		Dst:   netip.AddrFrom4([4]byte(b[16:20])),
	}, nil
}

func inner6(b []byte) (Packet, error) {
	if len(b) < ipv6Header {
		return Packet{}, ErrInner
	}
	total := ipv6Header + int(binary.BigEndian.Uint16(b[4:]))
	if total > len(b) {
		return Packet{}, ErrInner
	}
	return Packet{
		Bytes: b[:total],
		Src:   netip.AddrFrom16([16]byte(b[8:24])),
		Dst:   netip.AddrFrom16([16]byte(b[24:40])),
	}, nil
}
