package gre

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// inside is an IP packet of a protocol with ports, of either family.
func inside(src, dst string, protocol byte, from, to uint16) []byte {
	ports := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, from), to)
	payload := append(ports, make([]byte, 16)...)
	s, d := netip.MustParseAddr(src), netip.MustParseAddr(dst)
	if s.Is4() {
		b := ip4(src, dst, payload)
		b[9] = protocol
		return b
	}
	b := make([]byte, ipv6Header)
	b[0], b[6], b[7] = 0x60, protocol, 64
	binary.BigEndian.PutUint16(b[4:], uint16(len(payload)))
	copy(b[8:], s.AsSlice())
	copy(b[24:], d.AsSlice())
	return append(b, payload...)
}

// fragment makes it the fragment at an offset in eights of octets.
func fragment(b []byte, offset uint16) []byte {
	if b[0]>>4 == 4 {
		binary.BigEndian.PutUint16(b[6:], offset)
		return b
	}
	header := []byte{b[6], 0, byte(offset << 3 >> 8), byte(offset << 3), 0, 0, 0, 1}
	b[6] = 44
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-ipv6Header+8))
	return append(b[:ipv6Header:ipv6Header], append(header, b[ipv6Header:]...)...)
}

// The web, both ways, and nothing else; and nothing for this host.
func TestWhatMayBeInside(t *testing.T) {
	u := &unwrapper{here: func(a netip.Addr) bool {
		return a == netip.MustParseAddr("10.0.0.9") || a == netip.MustParseAddr("10.0.0.255") || a == netip.MustParseAddr("fd00::9")
	}}
	u.setServices([]Service{{Protocol: 6, Ports: []uint16{80, 8080}}, {Protocol: 6, Ports: []uint16{80}, FromPort: true}, {Protocol: 17}})
	const c4, o4, c6, o6 = "192.0.2.7", "198.51.100.1", "2001:db8::7", "2001:db8:1::1"
	for _, c := range []struct {
		name   string
		packet []byte
		want   error
	}{
		{"to the web", inside(c4, o4, 6, 40000, 80), nil},
		{"to its other port", inside(c4, o4, 6, 40000, 8080), nil},
		{"from the web", inside(o4, c4, 6, 80, 40000), nil},
		{"from a port that is announced one way", inside(o4, c4, 6, 8080, 40000), errUnannounced},
		{"to ssh", inside(c4, o4, 6, 40000, 22), errUnannounced},
		{"any UDP", inside(c4, o4, 17, 1, 2), nil},
		{"ICMP", inside(c4, o4, 1, 0, 80), errUnannounced},
		{"nested GRE", inside(c4, o4, 47, 0, 80), errUnannounced},
		{"a later fragment", fragment(inside(c4, o4, 6, 1, 2), 3), nil},
		{"a later fragment of GRE", fragment(inside(c4, o4, 47, 1, 2), 3), errUnannounced},
		{"the first fragment", fragment(inside(c4, o4, 6, 40000, 22), 0), errUnannounced},
		{"cut before the ports", ip4(c4, o4, nil), errUnannounced},

		{"IPv6 to the web", inside(c6, o6, 6, 40000, 80), nil},
		{"IPv6 to ssh", inside(c6, o6, 6, 40000, 22), errUnannounced},
		{"IPv6, a first fragment to the web", fragment(inside(c6, o6, 6, 40000, 80), 0), nil},
		{"IPv6, a first fragment to ssh", fragment(inside(c6, o6, 6, 40000, 22), 0), errUnannounced},
		{"IPv6, a later fragment", fragment(inside(c6, o6, 6, 1, 2), 3), nil},
		{"IPv6 with options in front", inside(c6, o6, 0, 6<<8, 80), errUnannounced},

		{"to our address", inside(c4, "10.0.0.9", 6, 40000, 80), errHere},
		{"to our broadcast", inside(c4, "10.0.0.255", 6, 40000, 80), errHere},
		{"to everybody", inside(c4, "255.255.255.255", 17, 1, 2), errHere},
		{"to a group", inside(c4, "224.0.0.251", 17, 1, 2), errHere},
		{"to loopback", inside(c4, "127.0.0.1", 6, 40000, 80), errHere},
		{"to nobody", inside(c4, "0.0.0.0", 6, 40000, 80), errHere},
		{"link-local", inside(c4, "169.254.1.1", 6, 40000, 80), errHere},
		{"IPv6 to our address", inside(c6, "fd00::9", 6, 40000, 80), errHere},
		{"IPv6 to a group", inside(c6, "ff02::1", 17, 1, 2), errHere},
		{"IPv6 to loopback", inside(c6, "::1", 6, 40000, 80), errHere},
		{"IPv6 to a neighbour", inside(c6, "fe80::1", 6, 40000, 80), errHere},
	} {
		_, p, err := u.from(netip.MustParseAddr("10.0.0.1"), Header{Protocol: ProtocolWCCP, Redirected: true}.Append(nil, c.packet))
		if !errors.Is(err, c.want) || p.Bytes == nil {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	u.setServices(nil)
	if err := u.admit(Packet{Bytes: inside(c4, o4, 47, 0, 0), Dst: netip.MustParseAddr(o4)}); err != nil {
		t.Errorf("without services: %v", err)
	}
}

// Whatever octets are inside are looked at without reading past their end.
func TestAnyOctetsInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "octets")
		if len(b) > 0 && rapid.Bool().Draw(t, "IP") {
			b[0] = rapid.SampledFrom([]byte{0x45, 0x46, 0x4f, 0x60}).Draw(t, "version")
		}
		u := &unwrapper{}
		u.setServices([]Service{{Protocol: 6, Ports: []uint16{80}}})
		if p, err := Inner(b); err == nil {
			u.admit(p)
		}
	})
}
