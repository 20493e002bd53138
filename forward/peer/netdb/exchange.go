package netdb

import (
	"encoding/binary"
	"net/netip"
)

// Fields of an entry of the exchange document: an octet that says which, then
// four octets.
const (
	fieldNetwork = 1
	fieldRTT     = 2 // microseconds
	fieldHops    = 3 // thousandths
	fieldSize    = 5
	entrySize    = 3 * fieldSize
)

// Told is one network of the exchange document.
type Told struct {
	Network netip.Addr // IPv4, its last octet 0
	// RTT is in milliseconds; Hops has fractions because it is an average.
	RTT, Hops float64
}

// longestRTT is the longest round trip that is told, in milliseconds; what is
// longer is thought to be wrong.
const longestRTT = 60000

// AppendTold appends an entry of the exchange document; none for a round trip
// nobody would believe.
func AppendTold(dst []byte, t Told) []byte {
	if t.RTT <= 0 || t.RTT > longestRTT || !t.Network.Is4() {
		return dst
	}
	network := t.Network.As4()
	dst = append(append(dst, fieldNetwork), network[:]...)
	dst = binary.BigEndian.AppendUint32(append(dst, fieldRTT), uint32(t.RTT*1000))
	return binary.BigEndian.AppendUint32(append(dst, fieldHops), uint32(t.Hops*1000))
}

// ParseTold reads the entries at the beginning of b and gives the octets behind
// them: a part of an entry, or what is none. bad is set for the latter, which ends
// a document.
func ParseTold(b []byte, each func(Told)) (rest []byte, bad bool) {
	for len(b) >= entrySize {
		var t Told
		seen := 0
		for field := b[:entrySize]; len(field) > 0; field = field[fieldSize:] {
			n := binary.BigEndian.Uint32(field[1:])
			switch field[0] {
			case fieldNetwork:
				t.Network = netip.AddrFrom4([4]byte(field[1:fieldSize]))
			case fieldRTT:
				t.RTT = float64(n) / 1000
			case fieldHops:
				t.Hops = float64(n) / 1000
			default:
				return b, true
			}
			seen |= 1 << field[0]
		}
		if seen != 1<<fieldNetwork|1<<fieldRTT|1<<fieldHops {
			return b, true
		}
		if t.RTT > 0 && t.RTT <= longestRTT {
			each(t)
		}
		b = b[entrySize:]
	}
	return b, false
}
