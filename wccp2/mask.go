package wccp2

import (
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// maskFor puts the mask's bits into the field that the service hashes: source
// address, destination address (also for well known services), source port or
// destination port, the first of them that a flag names (FACTS "Cache identity for mask").
func maskFor(s wire.Service, bits uint32) (wire.Mask, error) {
	has := func(flags uint32) bool { return s.Flags&flags != 0 }
	switch {
	case has(wire.SrcIPHash | wire.SrcIPAltHash):
		return wire.Mask{SrcAddr: bits}, nil
	case s.Type == wire.Standard || has(wire.DstIPHash|wire.DstIPAltHash):
		return wire.Mask{DstAddr: bits}, nil
	case has(wire.SrcPortHash | wire.SrcPortAltHash):
		return wire.Mask{SrcPort: uint16(bits)}, nil
	case has(wire.DstPortHash | wire.DstPortAltHash):
		return wire.Mask{DstPort: uint16(bits)}, nil
	}
	return wire.Mask{}, ErrNoHash
}

// maskValues lists every value that packets can have under the mask, counting
// up through its bits from the lowest.
func maskValues(m wire.Mask) []wire.Mask {
	bits := m.SrcAddr | m.DstAddr | uint32(m.SrcPort) | uint32(m.DstPort)
	var values []wire.Mask
	for v := uint32(0); ; v = (v - bits) & bits { // the next subset of bits
		values = append(values, wire.Mask{
			SrcAddr: v & m.SrcAddr, DstAddr: v & m.DstAddr,
			SrcPort: uint16(v) & m.SrcPort, DstPort: uint16(v) & m.DstPort,
		})
		if v == bits {
			return values
		}
	}
}
