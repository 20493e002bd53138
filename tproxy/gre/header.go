package gre

import (
	"encoding/binary"
	"errors"
)

// Protocol types of the GRE header.
const (
	ProtocolIPv4 = 0x0800
	ProtocolIPv6 = 0x86dd
	// ProtocolWCCP wraps IP packets, in WCCPv2 usually after a Redirect header
	// (draft-wilson-wrec-wccp-v2-01, section 4.12.3.1).
	ProtocolWCCP = 0x883e
)

// Flags and version, the first two octets (RFC 2784 section 2.1, RFC 2890 section 2).
const (
	flagChecksum = 0x8000
	flagRouting  = 0x4000 // RFC 1701, must be zero now
	flagKey      = 0x2000
	flagSequence = 0x1000
	flagsUnknown = 0x0c00 // strict source route, recursion: RFC 1701, must be zero
	versionMask  = 0x0007
)

// Header is a GRE header, with WCCP's redirect header when there was one.
type Header struct {
	Protocol    uint16
	Checksummed bool
	Keyed       bool
	Key         uint32
	Sequenced   bool
	Sequence    uint32

	Redirected bool // Redirect is present
	Redirect   Redirect
}

// Redirect is what a WCCPv2 router puts before a redirected packet.
type Redirect struct {
	// Dynamic tells the kind of the service, Alternative which bucket was used.
	// Unavailable says that nothing else is said (draft-mclaggan-wccp-v2rev1-00, 3.12.1).
	Dynamic, Alternative, Unavailable bool

	Service           uint8
	AltBucket, Bucket uint8
}

const redirectLen = 4

// Reasons why a packet is not ours to unwrap.
var (
	ErrShort    = errors.New("gre: packet ends inside the header")
	ErrVersion  = errors.New("gre: version is not 0")
	ErrReserved = errors.New("gre: reserved bits of RFC 1701 are set")
	ErrProtocol = errors.New("gre: protocol is neither IP nor WCCP")
	ErrChecksum = errors.New("gre: checksum is wrong")
)

// Parse reads the GRE header at the start of packet and returns what follows it.
// It keeps nothing of packet but the returned slice.
func Parse(packet []byte) (h Header, payload []byte, err error) {
	if len(packet) < 4 {
		return h, nil, ErrShort
	}
	flags := binary.BigEndian.Uint16(packet)
	h.Protocol = binary.BigEndian.Uint16(packet[2:])
	switch {
	case flags&versionMask != 0:
		return h, nil, ErrVersion
	case flags&(flagRouting|flagsUnknown) != 0:
		return h, nil, ErrReserved
	case h.Protocol != ProtocolWCCP && h.Protocol != ProtocolIPv4 && h.Protocol != ProtocolIPv6:
		return h, nil, ErrProtocol
	}
	rest := packet[4:]
	field := func(present uint16) (value uint32, is bool) {
		if err != nil || flags&present == 0 {
			return 0, false
		}
		if len(rest) < 4 {
			err = ErrShort
			return 0, false
		}
		value, rest = binary.BigEndian.Uint32(rest), rest[4:]
		return value, true
	}
	_, h.Checksummed = field(flagChecksum)
	h.Key, h.Keyed = field(flagKey)
	h.Sequence, h.Sequenced = field(flagSequence)
	if err != nil {
		return h, nil, err
	}
	if h.Checksummed && sum(packet) != 0 {
		return h, nil, ErrChecksum
	}
	if h.Protocol == ProtocolWCCP && !beginsIP(rest) {
		if len(rest) < redirectLen {
			return h, nil, ErrShort
		}
		h.Redirect, h.Redirected = readRedirect(rest), true
		rest = rest[redirectLen:]
	}
	return h, rest, nil
}

// beginsIP tells an IP packet from a redirect header, which nothing announces:
// an IPv4 header has a length of at least five words, so its first octet is 0x45
// or more, while a redirect header's is 0x00, 0x40, 0x80, 0xc0 or, without anything to
// say, 0x20.
func beginsIP(b []byte) bool {
	return len(b) > 0 && (b[0] > 0x44 && b[0] < 0x50 || b[0]>>4 == 6)
}

func readRedirect(b []byte) Redirect {
	if b[0]&0x20 != 0 {
		return Redirect{Unavailable: true}
	}
	return Redirect{
		Dynamic:     b[0]&0x80 != 0,
		Alternative: b[0]&0x40 != 0,
		Service:     b[1],
		AltBucket:   b[2],
		Bucket:      b[3],
	}
}

func (r Redirect) appendTo(b []byte) []byte {
	if r.Unavailable {
		return append(b, 0x20, 0, 0, 0) // with other bits it could be taken for the beginning of IPv6
	}
	var first byte
	if r.Dynamic {
		first |= 0x80
	}
	if r.Alternative {
		first |= 0x40
	}
	return append(b, first, r.Service, r.AltBucket, r.Bucket)
}

// MaxHeader is the most octets Append puts before a payload.
const MaxHeader = 4 + 4 + 4 + 4 + redirectLen

// Append adds header and payload to b.
func (h Header) Append(b, payload []byte) []byte {
	start := len(b)
	var flags uint16
	for _, f := range []struct {
		bit uint16
		is  bool
	}{{flagChecksum, h.Checksummed}, {flagKey, h.Keyed}, {flagSequence, h.Sequenced}} {
		if f.is {
			flags |= f.bit
		}
	}
	b = binary.BigEndian.AppendUint16(b, flags)
	b = binary.BigEndian.AppendUint16(b, h.Protocol)
	if h.Checksummed {
		b = append(b, 0, 0, 0, 0)
	}
	if h.Keyed {
		b = binary.BigEndian.AppendUint32(b, h.Key)
	}
	if h.Sequenced {
		b = binary.BigEndian.AppendUint32(b, h.Sequence)
	}
	if h.Redirected && h.Protocol == ProtocolWCCP {
		b = h.Redirect.appendTo(b)
	}
	b = append(b, payload...)
	if h.Checksummed {
		binary.BigEndian.PutUint16(b[start+4:], sum(b[start:]))
	}
	return b
}

// sum is the Internet checksum (RFC 1071); 0 over data that contains a right one.
func sum(b []byte) uint16 {
	var s uint64
	for len(b) >= 4 {
		s += uint64(binary.BigEndian.Uint32(b))
		b = b[4:]
	}
	var tail [4]byte
	copy(tail[:], b)
	s += uint64(binary.BigEndian.Uint32(tail[:]))
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}
