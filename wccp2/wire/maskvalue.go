package wire

import "net/netip"

// Mask selects the bits of a packet that choose its cache; 0 means don't care (5.7.7).
// The masks of addresses are written as addresses are, and so by an index where the
// message has an address table (rev1 4.7, 6.15, 6.16).
type Mask struct {
	SrcAddr, DstAddr netip.Addr
	SrcPort, DstPort uint16
}

// Value is one setting of the mask's bits and the cache that gets it (5.7.8).
type Value struct {
	Mask             // the bits after masking
	Cache netip.Addr // where such packets go
}

// MaskValueSet is a mask with the values it is compared against, in order (5.7.6).
type MaskValueSet struct {
	Mask   Mask
	Values []Value
}

// AltMaskValueSet is rev1's shorter form (6.18): the values are not spelled out but
// counted, each cache listing the sequence numbers it gets. A number has a bit for each
// one of the mask, the lowest for the lowest of the destination port; source port,
// destination and source address follow (7).
type AltMaskValueSet struct {
	Mask   Mask
	Caches []CacheValues
}

// CacheValues lists the value sequence numbers of one cache (rev1 6.19).
type CacheValues struct {
	Cache  netip.Addr
	Values []uint32
}

const (
	maskSize  = 12
	valueSize = maskSize + 4
)

func (r *reader) mask() Mask { return Mask{r.addr(), r.addr(), r.u16(), r.u16()} }

func (w *writer) mask(m Mask) {
	w.addr(m.SrcAddr)
	w.addr(m.DstAddr)
	w.u16(m.SrcPort)
	w.u16(m.DstPort)
}

func (r *reader) maskValueSets() []MaskValueSet {
	n := r.count(maskSize+4, "mask/value sets")
	if n == 0 {
		return nil
	}
	sets := make([]MaskValueSet, 0, n)
	for range n {
		s := MaskValueSet{Mask: r.mask()}
		if k := r.count(valueSize, "values"); k > 0 {
			s.Values = make([]Value, k)
			for i := range s.Values {
				s.Values[i] = Value{r.mask(), r.addr()}
			}
		}
		if r.err != nil {
			return nil
		}
		sets = append(sets, s)
	}
	return sets
}

func (w *writer) maskValueSets(sets []MaskValueSet) {
	w.u32(uint32(len(sets)))
	for _, s := range sets {
		w.mask(s.Mask)
		w.u32(uint32(len(s.Values)))
		for _, v := range s.Values {
			w.mask(v.Mask)
			w.addr(v.Cache)
		}
	}
}

func (r *reader) altMaskValueSets() []AltMaskValueSet {
	n := r.count(maskSize+4, "alternate mask/value sets")
	if n == 0 {
		return nil
	}
	sets := make([]AltMaskValueSet, 0, n)
	for range n {
		s := AltMaskValueSet{Mask: r.mask()}
		for range r.count(8, "cache value elements") {
			c := CacheValues{Cache: r.addr()}
			if k := r.count(4, "value sequence numbers"); k > 0 {
				c.Values = make([]uint32, k)
				for i := range c.Values {
					c.Values[i] = r.u32()
				}
			}
			if r.err != nil {
				return nil
			}
			s.Caches = append(s.Caches, c)
		}
		sets = append(sets, s)
	}
	return sets
}

func (w *writer) altMaskValueSets(sets []AltMaskValueSet) {
	w.u32(uint32(len(sets)))
	for _, s := range sets {
		w.mask(s.Mask)
		w.u32(uint32(len(s.Caches)))
		for _, c := range s.Caches {
			w.addr(c.Cache)
			w.u32(uint32(len(c.Values)))
			for _, v := range c.Values {
				w.u32(v)
			}
		}
	}
}
