package dataplane

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cuttle-proxy/cuttle/wccp2/routersim"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// encapsulation is the GRE header with the redirect header WCCP adds to it.
const encapsulation = 8

// redirectHeader is the latter's part of it.
const redirectHeader = 4

const (
	greWCCP = 0x883E
	greIPv4 = 0x0800

	greVersion  = 0x0007
	greChecksum = 0xC000 // checksum or routing present: four octets more
	greKey      = 0x2000
	greSequence = 0x1000

	redirectDynamic   = 0x01
	redirectAlternate = 0x02
)

// putHeaders writes the GRE and redirect headers for a packet of the service into
// the room before it, and gives what is to be sent. bare leaves the redirect header out.
func putHeaders(to []byte, key wire.ServiceID, choice routersim.Choice, bare bool) []byte {
	if bare {
		to = to[redirectHeader:]
		binary.BigEndian.PutUint16(to, 0)
		binary.BigEndian.PutUint16(to[2:], greWCCP)
		return to
	}
	binary.BigEndian.PutUint16(to, 0)
	binary.BigEndian.PutUint16(to[2:], greWCCP)
	to[4] = 0
	if key.Type == wire.Dynamic {
		to[4] |= redirectDynamic
	}
	if choice.Alternate {
		to[4] |= redirectAlternate
	}
	to[5] = key.ID
	to[6] = choice.AlternateBucket
	to[7] = choice.Bucket
	return to
}

var errInner = errors.New("no IPv4 packet inside")

// unwrap finds the IPv4 packet in a GRE payload that a cache returned. The redirect
// header may be missing: an IPv4 packet cannot be mistaken for one.
func unwrap(payload []byte) ([]byte, error) {
	if len(payload) < 4 {
		return nil, errors.New("shorter than a GRE header")
	}
	flags, protocol := binary.BigEndian.Uint16(payload), binary.BigEndian.Uint16(payload[2:])
	if flags&greVersion != 0 {
		return nil, fmt.Errorf("GRE version %d", flags&greVersion)
	}
	skip := 4
	for _, field := range []uint16{greChecksum, greKey, greSequence} {
		if flags&field != 0 {
			skip += 4
		}
	}
	if len(payload) < skip {
		return nil, errors.New("GRE header cut short")
	}
	inner := payload[skip:]
	switch protocol {
	case greWCCP:
		if len(inner) >= 4 && inner[0]>>4 != 4 {
			inner = inner[4:]
		}
	case greIPv4:
	default:
		return nil, fmt.Errorf("GRE protocol %#04x", protocol)
	}
	if _, ok := routersim.FlowOf(inner); !ok {
		return nil, errInner
	}
	return inner, nil
}
