package ufs

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// recordSize is the length of a swap.state record in octets, of its header too.
const recordSize = 72

// Operations of a swap.state record.
const (
	opAdd    = 1
	opDelete = 2
	opHeader = 3
)

// logVersion is the version in the header of 2.6's swap.state.
const logVersion = 1

// maxObjectFile bounds a file's size that is believed.
const maxObjectFile = 1 << 46

// Flags of an entry, as they stand in swap.state and in the swap header. Others
// than these tell nothing about a stored object.
const (
	// FlagRevalidate: asked of the origin before each use once stale.
	FlagRevalidate = 1 << 1
	// FlagCachable, FlagDispatched and FlagValidated are set in every entry.
	FlagCachable   = 1 << 5
	FlagDispatched = 1 << 6
	FlagValidated  = 1 << 10
	// FlagPrivate: the key is not the URL's; no such entry is loaded.
	FlagPrivate = 1 << 7
	// FlagNegative: an error that is cached for negative_ttl.
	FlagNegative = 1 << 9
)

// Times of an entry in seconds since 1970, -1 where unknown.
type Times struct {
	Timestamp, LastRef, Expires, LastMod int64
}

// Record is an entry of the index as swap.state has it.
type Record struct {
	Number Number
	Times
	// Size of the file in octets, with the swap header.
	Size     int64
	RefCount uint16
	Flags    uint16
	Key      Key
}

// append appends the record of operation op to dst.
func (r *Record) append(dst []byte, op byte) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint32(dst, uint32(op))
	dst = le.AppendUint32(dst, uint32(r.Number))
	dst = le.AppendUint64(dst, uint64(r.Timestamp))
	dst = le.AppendUint64(dst, uint64(r.LastRef))
	dst = le.AppendUint64(dst, uint64(r.Expires))
	dst = le.AppendUint64(dst, uint64(r.LastMod))
	dst = le.AppendUint64(dst, uint64(r.Size))
	dst = le.AppendUint16(dst, r.RefCount)
	dst = le.AppendUint16(dst, r.Flags)
	dst = append(dst, r.Key[:]...)
	return append(dst, 0, 0, 0, 0)
}

// parse reads the recordSize octets of b. It reports the operation, 0 when no
// Squid writes such a record.
func (r *Record) parse(b []byte) (op byte) {
	_ = b[recordSize-1]
	le := binary.LittleEndian
	op = b[0]
	number := le.Uint32(b[4:])
	size := le.Uint64(b[40:])
	switch {
	case op != opAdd && op != opDelete, number >= maxNumbers, size > maxObjectFile, op == opAdd && size == 0:
		return 0
	}
	r.Number = Number(number)
	r.Timestamp = int64(le.Uint64(b[8:]))
	r.LastRef = int64(le.Uint64(b[16:]))
	r.Expires = int64(le.Uint64(b[24:]))
	r.LastMod = int64(le.Uint64(b[32:]))
	r.Size = int64(size)
	r.RefCount = le.Uint16(b[48:])
	r.Flags = le.Uint16(b[50:])
	copy(r.Key[:], b[52:68])
	return op
}

// appendHeader appends the first record of swap.state.
func appendHeader(dst []byte) []byte {
	head := make([]byte, recordSize)
	head[0] = opHeader
	binary.LittleEndian.PutUint32(head[4:], logVersion)
	binary.LittleEndian.PutUint32(head[8:], recordSize)
	return append(dst, head...)
}

// Why the first octets of a log are not a header of 2.6 on x86-64.
var (
	errNotOurs   = errors.New("not a log of Squid 2.6 on this kind of machine")
	errBigEndian = fmt.Errorf("%w (a big-endian machine's)", errNotOurs)
)

// checkHeader reports whether b begins a log that can be replayed. The error
// wraps errNotOurs and names whose log it looks like.
func checkHeader(b []byte) error {
	if len(b) < recordSize {
		return fmt.Errorf("%w (%d octets)", errNotOurs, len(b))
	}
	le, be := binary.LittleEndian, binary.BigEndian
	version, size := le.Uint32(b[4:]), le.Uint32(b[8:])
	switch {
	case be.Uint32(b[4:]) <= 0xFF && version > 0xFFFF && be.Uint32(b[8:]) <= 0xFF && (b[0] == opHeader || be.Uint32(b) == opHeader):
		return errBigEndian
	case b[0] != opHeader:
		return fmt.Errorf("%w (no header)", errNotOurs)
	case version != logVersion:
		return fmt.Errorf("%w (version %d)", errNotOurs, version)
	case size != recordSize:
		return fmt.Errorf("%w (records of %d octets)", errNotOurs, size)
	}
	return nil
}
