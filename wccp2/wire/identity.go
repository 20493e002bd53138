package wire

import "net/netip"

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

	Extended ExtendedType // ExtendedData: which of the following there are
	Unknown  []byte       // extended data of a type that is not known

	Buckets Bitmap            // HashData and ExtendedHash
	Sets    []MaskValueSet    // MaskData and ExtendedMask
	AltSets []AltMaskValueSet // ExtendedAltMask
	Weight  uint16            // whenever there is data of a known type
	Status  uint16            // likewise
}

// ExtendedType says what rev1's extended assignment data is (6.10).
type ExtendedType uint16

// The known types. The first three are what [AssignMethod] has numbers for, the last is
// weight and status alone.
const (
	ExtendedHash    ExtendedType = 0
	ExtendedMask    ExtendedType = 1
	ExtendedAltMask ExtendedType = 2
	ExtendedWeight  ExtendedType = 3
)

// HasBuckets reports whether the identity carries buckets of the hash table.
func (c *CacheIdentity) HasBuckets() bool {
	return c.Kind == HashData || c.Kind == ExtendedData && c.Extended == ExtendedHash
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

// cacheIdentityMin is the shortest identity element: address, revision, flags, no data.
const cacheIdentityMin = 8

func (r *reader) cacheIdentity() CacheIdentity {
	c := CacheIdentity{Addr: r.addr(), HashRevision: r.u16()}
	flags := r.u16()
	c.Historical = flags&flagHistorical != 0
	c.Kind = DataKind(flags >> 1 & 3)
	switch c.Kind {
	case HashData:
		r.identityData(&c, ExtendedHash)
	case MaskData:
		r.identityData(&c, ExtendedMask)
	case ExtendedData:
		c.Extended = ExtendedType(r.u16())
		inner := &reader{b: r.take(int(r.u16())), where: r.where, table: r.table, err: r.err}
		inner.identityData(&c, c.Extended)
		r.err = inner.end()
	}
	return c
}

// identityData reads data of one type with weight and status behind it (rev1 6.6 to 6.9).
func (r *reader) identityData(c *CacheIdentity, t ExtendedType) {
	switch t {
	case ExtendedHash:
		copy(c.Buckets[:], r.take(len(c.Buckets)))
	case ExtendedMask:
		c.Sets = r.maskValueSets()
	case ExtendedAltMask:
		c.AltSets = r.altMaskValueSets()
	case ExtendedWeight:
	default:
		c.Unknown = cloned(r.take(len(r.b)))
		return
	}
	c.Weight, c.Status = r.u16(), r.u16()
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
		w.identityData(c, ExtendedHash)
	case MaskData:
		w.identityData(c, ExtendedMask)
	case ExtendedData:
		w.u16(uint16(c.Extended))
		w.sized("extended assignment data", func() { w.identityData(c, c.Extended) })
	}
}

func (w *writer) identityData(c *CacheIdentity, t ExtendedType) {
	switch t {
	case ExtendedHash:
		w.b = append(w.b, c.Buckets[:]...)
	case ExtendedMask:
		w.maskValueSets(c.Sets)
	case ExtendedAltMask:
		w.altMaskValueSets(c.AltSets)
	case ExtendedWeight:
	default:
		w.b = append(w.b, c.Unknown...)
		return
	}
	w.u16(c.Weight)
	w.u16(c.Status)
}

func cloned(b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	return append([]byte(nil), b...)
}
