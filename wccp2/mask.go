package wccp2

import (
	"encoding/binary"
	"net/netip"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// maskFor puts the mask's bits into the field that the service hashes: source
// address, destination address (also for well known services), source port or
// destination port, the first of them that a flag names (FACTS "Cache identity for
// mask"). Of an IPv6 address they are the last 32, where a network's hosts differ.
func maskFor(s wire.Service, bits uint32, v6 bool) (wire.Mask, error) {
	has := func(flags uint32) bool { return s.Flags&flags != 0 }
	m := wire.Mask{SrcAddr: lastBits(0, v6), DstAddr: lastBits(0, v6)}
	switch {
	case has(wire.SrcIPHash | wire.SrcIPAltHash):
		m.SrcAddr = lastBits(bits, v6)
	case s.Type == wire.Standard || has(wire.DstIPHash|wire.DstIPAltHash):
		m.DstAddr = lastBits(bits, v6)
	case has(wire.SrcPortHash | wire.SrcPortAltHash):
		m.SrcPort = uint16(bits)
	case has(wire.DstPortHash | wire.DstPortAltHash):
		m.DstPort = uint16(bits)
	default:
		return m, ErrNoHash
	}
	return m, nil
}

// lastBits is an address of zeros but for the last 32 bits.
func lastBits(bits uint32, v6 bool) netip.Addr {
	var a [16]byte
	binary.BigEndian.PutUint32(a[12:], bits)
	if v6 {
		return netip.AddrFrom16(a)
	}
	return netip.AddrFrom4([4]byte(a[12:]))
}

// maskValues lists every value that packets of a service can have under the mask,
// counting up through its bits from the lowest, which is how rev1 numbers them (7).
func maskValues(s wire.Service, bits uint32, v6 bool) []wire.Mask {
	if m, _ := maskFor(s, bits, v6); m.SrcAddr.IsUnspecified() && m.DstAddr.IsUnspecified() {
		bits = uint32(m.SrcPort | m.DstPort) // of which the field has room for
	}
	var values []wire.Mask
	for v := uint32(0); ; v = (v - bits) & bits { // the next subset of bits
		value, _ := maskFor(s, v, v6)
		values = append(values, value)
		if v == bits {
			return values
		}
	}
}
