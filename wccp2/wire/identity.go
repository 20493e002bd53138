package wire

import (
	"encoding/binary"
	"net/netip"
)

// DataKind says which assignment data a cache identity carries.
type DataKind uint8

// Kinds of assignment data. The draft of April 2001 knows hash data only; that
// of November 2001 adds mask data (5.7.2); rev1 makes it two bits and adds none
// and extended. The bits are counted from the low end on the wire, as every
// implementation seen does it, not from the left as the figure is drawn.
const (
	HashData     DataKind = 0
	MaskData     DataKind = 1
	NoData       DataKind = 2
	ExtendedData DataKind = 3
)

const flagHistorical = 1

// CacheIdentity describes one cache: in its own HERE_I_AM, and in the views of routers (5.7.2).
type CacheIdentity struct {
	Addr         netip.Addr
	HashRevision uint16
	Historical   bool // the assignment data is from an earlier membership
	Kind         DataKind

	Buckets  Bitmap         // HashData
	Sets     []MaskValueSet // MaskData
	Extended ExtendedBody   // ExtendedData

	Weight uint16 // HashData and MaskData
	Status uint16 // HashData and MaskData
}

// ExtendedBody is rev1's extended assignment data (6.10), kept uninterpreted
// but for weight and status, which Type 3 consists of (6.9).
type ExtendedBody struct {
	Type uint16
	Body []byte
}

// Bitmap marks buckets of the redirection hash table: bit i%8 of octet i/8 stands for bucket i.
type Bitmap [32]byte

// Set marks bucket i.
func (b *Bitmap) Set(i uint8) { b[i>>3] |= 1 << (i & 7) }

// Has reports whether bucket i is marked.
func (b *Bitmap) Has(i uint8) bool { return b[i>>3]>>(i&7)&1 == 1 }

// Count is the number of buckets marked, 0 to 256.
func (b *Bitmap) Count() int {
	n := 0
	for i := range 256 {
		if b.Has(uint8(i)) {
			n++
		}
	}
	return n
}

// WeightStatus gives weight and status wherever the identity keeps them; 0, 0 where it has none.
func (c *CacheIdentity) WeightStatus() (weight, status uint16) {
	if c.Kind == ExtendedData && c.Extended.Type == 3 && len(c.Extended.Body) == 4 {
		return binary.BigEndian.Uint16(c.Extended.Body), binary.BigEndian.Uint16(c.Extended.Body[2:])
	}
	return c.Weight, c.Status
}

// cacheIdentityMin is the shortest identity element: address, revision, flags, no data.
const cacheIdentityMin = 8

func (r *reader) cacheIdentity() CacheIdentity {
	c := CacheIdentity{Addr: r.addr(), HashRevision: r.u16()}
	flags := r.u16()
	c.Historical = flags&flagHistorical != 0
	c.Kind = DataKind(flags >> 1 & 3)
	switch c.Kind {
	case HashData:
		copy(c.Buckets[:], r.take(len(c.Buckets)))
		c.Weight, c.Status = r.u16(), r.u16()
	case MaskData:
		c.Sets = r.maskValueSets()
		c.Weight, c.Status = r.u16(), r.u16()
	case ExtendedData:
		c.Extended.Type = r.u16()
		c.Extended.Body = cloned(r.take(int(r.u16())))
	}
	return c
}

func (w *writer) cacheIdentity(c *CacheIdentity) {
	w.addr(c.Addr)
	w.u16(c.HashRevision)
	flags := uint16(c.Kind&3) << 1
	if c.Historical {
		flags |= flagHistorical
	}
	w.u16(flags)
	switch c.Kind {
	case HashData:
		w.b = append(w.b, c.Buckets[:]...)
		w.u16(c.Weight)
		w.u16(c.Status)
	case MaskData:
		w.maskValueSets(c.Sets)
		w.u16(c.Weight)
		w.u16(c.Status)
	case ExtendedData:
		w.u16(c.Extended.Type)
		w.u16(uint16(len(c.Extended.Body)))
		w.b = append(w.b, c.Extended.Body...)
		if len(c.Extended.Body) > 0xFFFF {
			w.fail("cache identity", "%d octets of extended data", len(c.Extended.Body))
		}
	}
}

func cloned(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return append([]byte(nil), b...)
}
