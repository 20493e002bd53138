package wire

import (
	"encoding/binary"
	"net/netip"
)

// VersionV1 is what version 1 messages carry as protocol version (draft-forster,
// "Here I Am"). Some IOS releases want another number, which is what wccp_version is for.
const VersionV1 = 4

// V1Message is one version 1 message: Type says which fields count.
type V1Message struct {
	Type      MessageType
	Version   uint32 // V1HereIAm, V1ISeeYou; 0 is written as VersionV1
	ReceiveID uint32

	HashRevision uint32 // V1HereIAm
	Buckets      Bitmap // V1HereIAm: what the sender has
	Unassigned   bool   // V1HereIAm: Buckets is from an earlier membership

	Change uint32    // V1ISeeYou
	Caches []V1Cache // V1ISeeYou: the farm; V1AssignBuckets: addresses only

	Table [256]Bucket // V1AssignBuckets: indices into Caches, or Unassigned
}

// V1Cache is one entry of a version 1 router's list.
type V1Cache struct {
	Addr         netip.Addr
	HashRevision uint32
	Buckets      Bitmap
	Unassigned   bool // Buckets is from an earlier membership
}

const v1Unassigned = 1 << 31

// IsV1 reports whether datagram begins like a version 1 message.
func IsV1(datagram []byte) bool {
	if len(datagram) < 4 {
		return false
	}
	t := MessageType(binary.BigEndian.Uint32(datagram))
	return t >= V1HereIAm && t <= V1AssignBuckets
}

// ParseV1 reads one version 1 message.
func ParseV1(datagram []byte) (*V1Message, error) {
	if !IsV1(datagram) {
		return nil, bad("header", "no version 1 message")
	}
	r := &reader{b: datagram}
	m := &V1Message{Type: MessageType(r.u32())}
	r.where = m.Type.String()
	if m.Type != V1AssignBuckets {
		m.Version = r.u32()
	}
	switch m.Type {
	case V1HereIAm:
		m.HashRevision, m.Buckets, m.Unassigned = r.v1Buckets()
		m.ReceiveID = r.u32()
	case V1ISeeYou:
		m.Change, m.ReceiveID = r.u32(), r.u32()
		for range r.count(v1CacheSize, "caches") {
			c := V1Cache{Addr: r.addr()}
			c.HashRevision, c.Buckets, c.Unassigned = r.v1Buckets()
			m.Caches = append(m.Caches, c)
		}
		r.b = nil // routers pad this message
	case V1AssignBuckets:
		m.ReceiveID = r.u32()
		for range r.count(4, "caches") {
			m.Caches = append(m.Caches, V1Cache{Addr: r.addr()})
		}
		for i, b := range r.take(256) {
			m.Table[i] = Bucket(b)
			if Bucket(b) != Unassigned && int(b) >= len(m.Caches) {
				r.fail("bucket %d names cache %d of %d", i, b, len(m.Caches))
				break
			}
		}
	}
	if err := r.end(); err != nil {
		return nil, err
	}
	return m, nil
}

const v1CacheSize = 4 + 4 + 32 + 4

func (r *reader) v1Buckets() (revision uint32, b Bitmap, unassigned bool) {
	revision = r.u32()
	copy(b[:], r.take(len(b)))
	return revision, b, r.u32() != 0 // some routers set the lowest bit
}

func (w *writer) v1Buckets(revision uint32, b Bitmap, unassigned bool) {
	w.u32(revision)
	w.b = append(w.b, b[:]...)
	if unassigned {
		w.u32(v1Unassigned)
	} else {
		w.u32(0)
	}
}

// Append writes the message behind dst.
func (m *V1Message) Append(dst []byte) ([]byte, error) {
	w := &writer{b: dst, start: len(dst)}
	w.u32(uint32(m.Type))
	version := m.Version
	if version == 0 {
		version = VersionV1
	}
	switch m.Type {
	case V1HereIAm:
		w.u32(version)
		w.v1Buckets(m.HashRevision, m.Buckets, m.Unassigned)
		w.u32(m.ReceiveID)
	case V1ISeeYou:
		w.u32(version)
		w.u32(m.Change)
		w.u32(m.ReceiveID)
		w.u32(uint32(len(m.Caches)))
		for _, c := range m.Caches {
			w.addr(c.Addr)
			w.v1Buckets(c.HashRevision, c.Buckets, c.Unassigned)
		}
	case V1AssignBuckets:
		w.u32(m.ReceiveID)
		w.u32(uint32(len(m.Caches)))
		for _, c := range m.Caches {
			w.addr(c.Addr)
		}
		for _, b := range m.Table {
			w.u8(uint8(b))
		}
	default:
		w.fail("version 1", "%s", m.Type)
	}
	if w.err != nil {
		return dst, w.err
	}
	return w.b, nil
}
