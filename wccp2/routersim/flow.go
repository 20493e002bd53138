package routersim

import (
	"encoding/binary"
	"net/netip"
)

// Flow is what a router reads of a packet to find its service and its cache.
// Ports are 0 where the packet shows none: protocols without ports, and every
// fragment but the first.
type Flow struct {
	Source, Destination         netip.Addr
	Protocol                    uint8
	SourcePort, DestinationPort uint16
}

const (
	protocolTCP = 6
	protocolUDP = 17

	fragmentOffset = 0x1FFF // mask of the offset in the IPv4 fragment field
)

// FlowOf reads the flow of a whole IPv4 packet. It reports false for anything
// that is not IPv4 with a complete header.
func FlowOf(packet []byte) (Flow, bool) {
	if len(packet) < 20 || packet[0]>>4 != 4 {
		return Flow{}, false
	}
	header := int(packet[0]&0xF) * 4
	if header < 20 || header > len(packet) {
		return Flow{}, false
	}
	flow := Flow{
		Source:      netip.AddrFrom4([4]byte(packet[12:16])),
		Destination: netip.AddrFrom4([4]byte(packet[16:20])),
		Protocol:    packet[9],
	}
	first := binary.BigEndian.Uint16(packet[6:8])&fragmentOffset == 0
	ported := flow.Protocol == protocolTCP || flow.Protocol == protocolUDP
	if first && ported && len(packet) >= header+4 {
		flow.SourcePort = binary.BigEndian.Uint16(packet[header:])
		flow.DestinationPort = binary.BigEndian.Uint16(packet[header+2:])
	}
	return flow, true
}
