package icp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"
)

// Opcode says what a message is.
type Opcode uint8

// The opcodes of RFC 2186 section 3.
const (
	Invalid     Opcode = 0
	Query       Opcode = 1
	Hit         Opcode = 2
	Miss        Opcode = 3
	Err         Opcode = 4
	SourceEcho  Opcode = 10 // SECHO
	DumbEcho    Opcode = 11 // DECHO
	MissNoFetch Opcode = 21
	Denied      Opcode = 22
	HitObj      Opcode = 23
)

var opcodeNames = map[Opcode]string{
	Invalid: "ICP_INVALID", Query: "ICP_QUERY", Hit: "ICP_HIT", Miss: "ICP_MISS", Err: "ICP_ERR", SourceEcho: "ICP_SECHO",
	DumbEcho: "ICP_DECHO", MissNoFetch: "ICP_MISS_NOFETCH", Denied: "ICP_DENIED", HitObj: "ICP_HIT_OBJ",
}

// String is the name in RFC 2186.
func (o Opcode) String() string {
	if name := opcodeNames[o]; name != "" {
		return name
	}
	return "ICP opcode " + strconv.Itoa(int(o))
}

// Flags in Message.Flags.
const (
	// SourceRTT in a query asks for the round trip to the origin, in an answer it
	// says that Option holds it.
	SourceRTT uint32 = 0x40000000
	// HitObject in a query asks for the object itself; it is never granted.
	HitObject uint32 = 0x80000000
)

// Sizes in octets.
const (
	headerSize = 20
	// MaxSize is the largest message: the length field has 16 bits.
	MaxSize = 1<<16 - 1
)

// Message is one ICP message.
type Message struct {
	Opcode  Opcode
	Version uint8 // 2 or 3
	Number  uint32
	Flags   uint32
	// Option is the option data: hops in the upper and milliseconds in the lower 16 bits.
	Option uint32
	// Sender is the IPv4 address the sender puts in; nothing is made of it.
	Sender [4]byte
	// Requester is the client's address in a query.
	Requester [4]byte
	// URL is a view of the bytes that were parsed.
	URL []byte
}

// What Parse finds at fault. Such messages get no answer.
var (
	ErrShort   = errors.New("icp: shorter than a header")
	ErrLength  = errors.New("icp: length field and size differ")
	ErrVersion = errors.New("icp: neither version 2 nor 3")
	ErrNoURL   = errors.New("icp: a query without room for a URL")
)

// Parse reads a message. The URL ends at the first NUL, or with the message.
func (m *Message) Parse(b []byte) error {
	if len(b) < headerSize {
		return ErrShort
	}
	if int(binary.BigEndian.Uint16(b[2:])) != len(b) {
		return ErrLength
	}
	if b[1] != 2 && b[1] != 3 {
		return ErrVersion
	}
	*m = Message{
		Opcode: Opcode(b[0]), Version: b[1], Number: binary.BigEndian.Uint32(b[4:]),
		Flags: binary.BigEndian.Uint32(b[8:]), Option: binary.BigEndian.Uint32(b[12:]), Sender: [4]byte(b[16:20]),
	}
	rest := b[headerSize:]
	if m.Opcode == Query {
		if len(rest) < 4 {
			return ErrNoURL
		}
		m.Requester, rest = [4]byte(rest[:4]), rest[4:]
	}
	if end := bytes.IndexByte(rest, 0); end >= 0 {
		rest = rest[:end]
	}
	m.URL = rest
	return nil
}

// Append appends the message to dst, version 2. A URL with which it would be
// longer than MaxSize gives nothing and false.
func (m *Message) Append(dst []byte) ([]byte, bool) {
	size := headerSize + len(m.URL) + 1
	if m.Opcode == Query {
		size += 4
	}
	if size > MaxSize {
		return dst, false
	}
	dst = append(dst, byte(m.Opcode), 2)
	dst = binary.BigEndian.AppendUint16(dst, uint16(size))
	dst = binary.BigEndian.AppendUint32(dst, m.Number)
	dst = binary.BigEndian.AppendUint32(dst, m.Flags)
	dst = binary.BigEndian.AppendUint32(dst, m.Option)
	dst = append(dst, m.Sender[:]...)
	if m.Opcode == Query {
		dst = append(dst, m.Requester[:]...)
	}
	return append(append(dst, m.URL...), 0), true
}

// RoundTrip is what Option tells of the way to the origin, 0 and 0 when SourceRTT
// is not set.
func (m *Message) RoundTrip() (milliseconds, hops int) {
	if m.Flags&SourceRTT == 0 {
		return 0, 0
	}
	return int(m.Option & 0xffff), int(m.Option >> 16)
}
