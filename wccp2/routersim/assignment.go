package routersim

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// assignment is an accepted REDIRECT_ASSIGN, kept by address so that it outlives
// changes of membership.
type assignment struct {
	key     wire.AssignmentKey
	buckets *[256]owner // nil for mask assignment
	sets    []wire.MaskValueSet
}

// owner is who has a bucket; an invalid address means nobody.
type owner struct {
	cache     netip.Addr
	alternate bool
}

// accepted turns the message's form into ours; "" or why it cannot.
func accepted(a *wire.Assignment) (*assignment, string) {
	kept := &assignment{key: a.Key}
	switch a.Method {
	case wire.AssignHash:
		kept.buckets = new([256]owner)
		for i, bucket := range a.Buckets {
			index, assigned := bucket.Index()
			if assigned {
				kept.buckets[i] = owner{a.Caches[index], bucket.Alternate()}
			}
		}
	case wire.AssignMask:
		if len(a.Sets) == 0 {
			return nil, "mask assignment without a set"
		}
		kept.sets = a.Sets
	case wire.AssignAltMask:
		if len(a.AltSets) == 0 {
			return nil, "mask assignment without a set"
		}
		for _, set := range a.AltSets {
			spelled, why := spellOut(set)
			if why != "" {
				return nil, why
			}
			kept.sets = append(kept.sets, spelled)
		}
	default:
		return nil, "form of assignment that this router does not support"
	}
	return kept, ""
}

// spellOut gives the values that an alternate set numbers (rev1 7): the bits of a number
// are those set in the mask, from the lowest of the destination port to the highest of
// the source address.
func spellOut(set wire.AltMaskValueSet) (wire.MaskValueSet, string) {
	spelled := wire.MaskValueSet{Mask: set.Mask}
	for _, his := range set.Caches {
		for _, number := range his.Values {
			n, value := sequence(number), wire.Value{Cache: his.Cache}
			value.DstPort = n.port(set.Mask.DstPort)
			value.SrcPort = n.port(set.Mask.SrcPort)
			value.DstAddr = n.address(set.Mask.DstAddr)
			value.SrcAddr = n.address(set.Mask.SrcAddr)
			if n != 0 {
				return spelled, fmt.Sprintf("value %d is beyond its mask", number)
			}
			spelled.Values = append(spelled.Values, value)
		}
	}
	return spelled, ""
}

// sequence is a number whose bits are dealt to those of a mask.
type sequence uint32

func (n *sequence) deal(mask []byte) {
	for i := range slices.Backward(mask) {
		var value byte
		for bit := byte(1); bit != 0; bit <<= 1 {
			if mask[i]&bit != 0 {
				value |= bit * byte(*n&1)
				*n >>= 1
			}
		}
		mask[i] = value
	}
}

func (n *sequence) port(mask uint16) uint16 {
	octets := binary.BigEndian.AppendUint16(nil, mask)
	n.deal(octets)
	return binary.BigEndian.Uint16(octets)
}

func (n *sequence) address(mask netip.Addr) netip.Addr {
	octets := mask.AsSlice()
	n.deal(octets)
	a, _ := netip.AddrFromSlice(octets)
	return a
}

func (a *assignment) form() string {
	if a.buckets != nil {
		return "hash"
	}
	return "mask"
}

// bitmap marks the buckets of a cache. It may be called on nil.
func (a *assignment) bitmap(cache netip.Addr) wire.Bitmap {
	var bitmap wire.Bitmap
	if a == nil || a.buckets == nil {
		return bitmap
	}
	for i, o := range a.buckets {
		if o.cache == cache {
			bitmap.Set(uint8(i))
		}
	}
	return bitmap
}

// setsOf keeps of each set the values of one cache. It may be called on nil.
func (a *assignment) setsOf(cache netip.Addr) []wire.MaskValueSet {
	if a == nil {
		return nil
	}
	var sets []wire.MaskValueSet
	for _, set := range a.sets {
		his := wire.MaskValueSet{Mask: set.Mask}
		for _, value := range set.Values {
			if value.Cache == cache {
				his.Values = append(his.Values, value)
			}
		}
		sets = append(sets, his)
	}
	return sets
}

// shares counts buckets or values by cache, addresses in order, unassigned first.
func (a *assignment) shares() []Share {
	if a == nil {
		return nil
	}
	count := make(map[netip.Addr]int)
	if a.buckets != nil {
		for _, o := range a.buckets {
			count[o.cache]++
		}
	}
	for _, set := range a.sets {
		for _, value := range set.Values {
			count[value.Cache]++
		}
	}
	var shares []Share
	for cache, n := range count {
		shares = append(shares, Share{cache, n})
	}
	slices.SortFunc(shares, func(a, b Share) int { return cmp.Or(a.Cache.Compare(b.Cache)) })
	return shares
}

// table is the assignment as the packet side needs it, nil when there is none.
// Only usable caches are in it.
func (g *group) table() *Table {
	if g.assignment == nil {
		return nil
	}
	t := &Table{Service: g.service}
	index := make(map[netip.Addr]uint8)
	for _, m := range g.usable() {
		index[m.address] = uint8(len(t.Targets))
		t.Targets = append(t.Targets, Target{m.address, m.methods.forwarding&wire.MethodGRE == 0})
	}
	target := func(cache netip.Addr) uint8 {
		if i, usable := index[cache]; usable {
			return i
		}
		return Unassigned
	}
	if g.assignment.buckets != nil {
		for i, o := range g.assignment.buckets {
			t.Buckets[i], t.Alternate[i] = target(o.cache), o.alternate
		}
		return t
	}
	for _, set := range g.assignment.sets {
		values := make(map[wire.Mask]MaskValue, len(set.Values))
		for i, value := range set.Values {
			values[value.Mask] = MaskValue{target(value.Cache), uint8(i)}
		}
		t.Sets = append(t.Sets, MaskSet{set.Mask, values})
	}
	return t
}
