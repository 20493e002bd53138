package ufs

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Types of the fields in a swap header.
const (
	fieldKeyMD5      = 3
	fieldURL         = 4
	fieldTimes       = 5
	fieldVaryHeaders = 8
	fieldTimesLFS    = 9 // what later Squids write for fieldTimes
	fieldObjectSize  = 10
	fieldStoreURL    = 11 // 2.7's
)

const (
	metaMagic     = 3
	metaPrefix    = 5       // magic and length
	metaMax       = 1 << 16 // 2.6's own take a few hundred octets and the URL
	timesSize     = 44
	times32Size   = 24 // a 32-bit machine's
	times32LFS    = 28
	unknownLength = -1
)

// Meta is the swap header of an object file: what stands before the reply.
// Byte slices are views of what was parsed.
type Meta struct {
	Key Key
	Times
	// FileSize is the file's size where it was known when the header was
	// written, else 0.
	FileSize int64
	RefCount uint16
	Flags    uint16
	// URL of the request, and the key's URL where a storeurl rewriter gave another.
	URL, StoreURL []byte
	// VaryHeaders are the selecting request header fields of a variant.
	VaryHeaders []byte
	// ObjectSize is the length of the reply, head and body, -1 where it was not
	// known when the header was written.
	ObjectSize int64
}

// Append appends the swap header, in the order 2.6 writes its fields.
func (m *Meta) Append(dst []byte) []byte {
	le := binary.LittleEndian
	start := len(dst)
	dst = append(dst, metaMagic, 0, 0, 0, 0)
	dst = appendField(dst, fieldKeyMD5, len(m.Key))
	dst = append(dst, m.Key[:]...)
	dst = appendField(dst, fieldTimes, timesSize)
	for _, v := range [...]int64{m.Timestamp, m.LastRef, m.Expires, m.LastMod, m.FileSize} {
		dst = le.AppendUint64(dst, uint64(v))
	}
	dst = le.AppendUint16(dst, m.RefCount)
	dst = le.AppendUint16(dst, m.Flags)
	dst = appendText(dst, fieldURL, m.URL)
	if m.ObjectSize >= 0 {
		dst = appendField(dst, fieldObjectSize, 8)
		dst = le.AppendUint64(dst, uint64(m.ObjectSize))
	}
	if len(m.VaryHeaders) > 0 {
		dst = appendText(dst, fieldVaryHeaders, m.VaryHeaders)
	}
	if len(m.StoreURL) > 0 {
		dst = appendText(dst, fieldStoreURL, m.StoreURL)
	}
	le.PutUint32(dst[start+1:], uint32(len(dst)-start))
	return dst
}

func appendField(dst []byte, kind byte, length int) []byte {
	return binary.LittleEndian.AppendUint32(append(dst, kind), uint32(length))
}

func appendText(dst []byte, kind byte, text []byte) []byte {
	dst = appendField(dst, kind, len(text)+1)
	return append(append(dst, text...), 0)
}

var (
	// errMeta: an object file does not begin with a swap header.
	errMeta = errors.New("no swap header")
	// errBigEndianFile: it begins with that of a big-endian machine.
	errBigEndianFile = errors.New("a big-endian machine's")
)

// metaLength tells from the first metaPrefix octets of a file how long its
// swap header is.
func metaLength(b []byte) (int, error) {
	if len(b) < metaPrefix || b[0] != metaMagic {
		return 0, errMeta
	}
	n, turned := binary.LittleEndian.Uint32(b[1:]), binary.BigEndian.Uint32(b[1:])
	switch {
	case n >= metaPrefix && n <= metaMax:
		return int(n), nil
	case turned >= metaPrefix && turned <= metaMax:
		return 0, fmt.Errorf("%w: %w", errMeta, errBigEndianFile)
	}
	return 0, fmt.Errorf("%w: length %d", errMeta, n)
}

// Parse reads the swap header b begins with, which is the offset of the reply.
// b must hold all of it.
func (m *Meta) Parse(b []byte) (length int, err error) {
	*m = Meta{ObjectSize: unknownLength}
	length, err = metaLength(b)
	if err != nil {
		return 0, err
	}
	if length > len(b) {
		return 0, fmt.Errorf("%w: cut after %d of %d octets", errMeta, len(b), length)
	}
	seen := 0
	for rest := b[metaPrefix:length]; len(rest) > 0; {
		if len(rest) < 5 {
			return 0, fmt.Errorf("%w: %d octets after the last field", errMeta, len(rest))
		}
		kind, n := rest[0], binary.LittleEndian.Uint32(rest[1:])
		if uint64(n) > uint64(len(rest)-5) {
			return 0, fmt.Errorf("%w: field %d of %d octets", errMeta, kind, n)
		}
		if err := m.field(kind, rest[5:5+n]); err != nil {
			return 0, err
		}
		if kind < 32 {
			seen |= 1 << kind
		}
		rest = rest[5+n:]
	}
	if seen&(1<<fieldKeyMD5) == 0 || seen&(1<<fieldURL) == 0 || seen&(1<<fieldTimes|1<<fieldTimesLFS) == 0 {
		return 0, fmt.Errorf("%w: key, URL or times are missing", errMeta)
	}
	return length, nil
}

// field takes one field. Unknown ones are skipped, as 2.6 does.
func (m *Meta) field(kind byte, v []byte) error {
	bad := false
	switch kind {
	case fieldKeyMD5:
		bad = len(v) != len(m.Key)
		copy(m.Key[:], v)
	case fieldTimes, fieldTimesLFS:
		bad = !m.times(v)
	case fieldURL:
		m.URL, bad = text(v)
	case fieldStoreURL:
		m.StoreURL, bad = text(v)
	case fieldVaryHeaders:
		m.VaryHeaders, bad = text(v)
	case fieldObjectSize:
		switch len(v) {
		case 8:
			m.ObjectSize = int64(binary.LittleEndian.Uint64(v))
		case 4: // a 32-bit machine's
			m.ObjectSize = int64(binary.LittleEndian.Uint32(v))
		default:
			return fmt.Errorf("%w: object size of %d octets", errMeta, len(v))
		}
		bad = m.ObjectSize < 0 || m.ObjectSize > maxObjectFile
	}
	if bad {
		return fmt.Errorf("%w: field %d is malformed", errMeta, kind)
	}
	return nil
}

// text takes a string with its final NUL off.
func text(v []byte) (s []byte, bad bool) {
	if len(v) == 0 || v[len(v)-1] != 0 {
		return nil, true
	}
	return v[:len(v)-1], false
}

// times reads the times and sizes of this machine's layout and of a
// little-endian 32-bit machine's, which has narrower times.
func (m *Meta) times(v []byte) bool {
	le := binary.LittleEndian
	fields := [...]*int64{&m.Timestamp, &m.LastRef, &m.Expires, &m.LastMod}
	switch len(v) {
	case timesSize:
		for _, f := range fields {
			*f, v = int64(le.Uint64(v)), v[8:]
		}
		m.FileSize, v = int64(le.Uint64(v)), v[8:]
	case times32Size, times32LFS:
		for _, f := range fields {
			*f, v = int64(int32(le.Uint32(v))), v[4:]
		}
		m.FileSize = int64(le.Uint32(v))
		if len(v) == 12 {
			m.FileSize = int64(le.Uint64(v))
		}
		v = v[len(v)-4:]
	default:
		return false
	}
	m.RefCount, m.Flags = le.Uint16(v), le.Uint16(v[2:])
	return m.FileSize >= 0 && m.FileSize <= maxObjectFile
}
