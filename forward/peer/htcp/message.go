package htcp

import (
	"encoding/binary"
	"errors"
	"strconv"
)

// Opcode says what a message is about.
type Opcode uint8

// The opcodes of RFC 2756 section 3.
const (
	NOP Opcode = 0
	TST Opcode = 1
	MON Opcode = 2
	SET Opcode = 3
	CLR Opcode = 4
)

// String is the name in RFC 2756.
func (o Opcode) String() string {
	if names := [...]string{"NOP", "TST", "MON", "SET", "CLR"}; int(o) < len(names) {
		return names[o]
	}
	return "HTCP opcode " + strconv.Itoa(int(o))
}

// Response codes of TST and CLR.
const (
	Present uint8 = 0 // TST: in the cache and fresh
	Absent  uint8 = 1 // TST: not
	Removed uint8 = 0 // CLR: it was there and is no more
	Gone    uint8 = 2 // CLR: there was nothing to remove
)

// Sizes in octets.
const (
	headerSize = 4
	dataSize   = 8
	authSize   = 2
	// MaxSize is the largest message: the length field has 16 bits.
	MaxSize = 1<<16 - 1
	// MaxData is the most a message can carry.
	MaxData = MaxSize - headerSize - dataSize - authSize
)

// Message is one HTCP message of major version 0.
type Message struct {
	// Minor is the minor version; 0 is the old order of bits.
	Minor    uint8
	Opcode   Opcode
	Response uint8 // 0 to 15
	// Answer is RR. F1 says in a request that an answer is wanted, in an answer that
	// the request as a whole failed.
	Answer, F1 bool
	// Number ties an answer to its request.
	Number uint32
	// Data is what the opcode needs, a view of the bytes that were parsed.
	Data []byte
}

// What Parse finds at fault. Such messages get no answer.
var (
	ErrShort   = errors.New("htcp: shorter than a header")
	ErrLength  = errors.New("htcp: length field and size differ")
	ErrVersion = errors.New("htcp: the major version is not 0")
	ErrData    = errors.New("htcp: the length of the data does not fit")
)

// Parse reads a message.
func (m *Message) Parse(b []byte) error {
	if len(b) < headerSize+dataSize {
		return ErrShort
	}
	if int(binary.BigEndian.Uint16(b)) != len(b) {
		return ErrLength
	}
	if b[2] != 0 {
		return ErrVersion
	}
	data := b[headerSize:]
	size := int(binary.BigEndian.Uint16(data))
	if size < dataSize || size > len(data) {
		return ErrData
	}
	*m = Message{Minor: b[3], Number: binary.BigEndian.Uint32(data[4:]), Data: data[dataSize:size]}
	if m.Minor == 0 {
		m.Opcode, m.Response = Opcode(data[2]&15), data[2]>>4
		m.Answer, m.F1 = data[3]&0x80 != 0, data[3]&0x40 != 0
	} else {
		m.Opcode, m.Response = Opcode(data[2]>>4), data[2]&15
		m.Answer, m.F1 = data[3]&1 != 0, data[3]&2 != 0
	}
	return nil
}

// Append appends the message to dst, minor version 0 or 1. Data longer than
// MaxData gives nothing and false.
func (m *Message) Append(dst []byte) ([]byte, bool) {
	if len(m.Data) > MaxData {
		return dst, false
	}
	minor, what, bits := uint8(1), byte(m.Opcode)<<4|m.Response&15, byte(0)
	answer, f1 := byte(1), byte(2)
	if m.Minor == 0 {
		minor, what = 0, m.Response<<4|byte(m.Opcode)&15
		answer, f1 = 0x80, 0x40
	}
	if m.Answer {
		bits |= answer
	}
	if m.F1 {
		bits |= f1
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(headerSize+dataSize+len(m.Data)+authSize))
	dst = append(dst, 0, minor)
	dst = binary.BigEndian.AppendUint16(dst, uint16(dataSize+len(m.Data)))
	dst = append(dst, what, bits)
	dst = binary.BigEndian.AppendUint32(dst, m.Number)
	dst = append(dst, m.Data...)
	return append(dst, 0, authSize), true
}
