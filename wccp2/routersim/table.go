package routersim

import (
	"net/netip"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// Target is a cache that packets can be sent to.
type Target struct {
	Cache netip.Addr
	// ByLayer2 is the forwarding method negotiated: frames instead of GRE.
	ByLayer2 bool
}

// Unassigned marks a bucket without a cache in a Table.
const Unassigned = 0xFF

// Table is one router's assignment for one service: who gets which packets. A
// Table never changes once published; a new assignment is a new Table.
type Table struct {
	Service wire.Service
	Targets []Target
	// Buckets holds an index into Targets, or Unassigned. It is meaningful when Sets is empty.
	Buckets [256]uint8
	// Alternate marks buckets whose packets are hashed again by the alternate fields.
	Alternate [256]bool
	Sets      []MaskSet
	// Bare: packets go out in GRE without the redirect header, as in version 1.
	Bare bool
}

// MaskSet is one mask with the caches of the values it can leave.
type MaskSet struct {
	Mask   wire.Mask
	Values map[wire.Mask]MaskValue
}

// MaskValue is where a masked value leads: an index into Targets (or Unassigned)
// and the number of the value within its set.
type MaskValue struct {
	Target uint8
	Number uint8
}

// Choice is the outcome of a lookup. Bucket and AlternateBucket go into the
// redirect header.
type Choice struct {
	Target          Target
	Bucket          uint8
	AlternateBucket uint8
	Alternate       bool // the alternate hash decided
}

// Choose finds the cache for a packet of the service; false when the packet's
// bucket has none, and the packet is then forwarded as if there were no WCCP.
func (t *Table) Choose(flow Flow) (Choice, bool) {
	if len(t.Sets) > 0 {
		return t.chooseByMask(flow)
	}
	fields := hashedFields(t.Service)
	choice := Choice{Bucket: hash(flow, fields)}
	index := choice.Bucket
	if t.Alternate[index] {
		choice.Alternate = true
		choice.AlternateBucket = hash(flow, fields>>8)
		index = choice.AlternateBucket
	}
	return t.to(choice, t.Buckets[index])
}

func (t *Table) chooseByMask(flow Flow) (Choice, bool) {
	for _, set := range t.Sets {
		if value, found := set.Values[masked(set.Mask, flow)]; found {
			return t.to(Choice{Bucket: value.Number}, value.Target)
		}
	}
	return Choice{}, false
}

func (t *Table) to(choice Choice, target uint8) (Choice, bool) {
	if int(target) >= len(t.Targets) {
		return choice, false
	}
	choice.Target = t.Targets[target]
	return choice, true
}

// masked is what a mask leaves of a packet's fields.
func masked(mask wire.Mask, flow Flow) wire.Mask {
	return wire.Mask{
		SrcAddr: maskedAddress(mask.SrcAddr, flow.Source),
		DstAddr: maskedAddress(mask.DstAddr, flow.Destination),
		SrcPort: mask.SrcPort & flow.SourcePort,
		DstPort: mask.DstPort & flow.DestinationPort,
	}
}

// maskedAddress is what a mask leaves of an address. One of the other family is looked
// at from its end.
func maskedAddress(mask, address netip.Addr) netip.Addr {
	left, of := mask.AsSlice(), address.AsSlice()
	for i := range left {
		if at := len(of) - len(left) + i; at >= 0 {
			left[i] &= of[at]
		} else {
			left[i] = 0
		}
	}
	result, _ := netip.AddrFromSlice(left)
	return result
}

// hash folds the octets of the fields that the flags name into one. Real routers' hash
// is not published; what matters here is that it depends on these fields alone.
// The alternate fields have the same bits, eight places further up.
func hash(flow Flow, fields uint32) uint8 {
	var folded uint8
	if fields&wire.SrcIPHash != 0 {
		folded ^= foldAddress(flow.Source)
	}
	if fields&wire.DstIPHash != 0 {
		folded ^= foldAddress(flow.Destination)
	}
	if fields&wire.SrcPortHash != 0 {
		folded ^= foldPort(flow.SourcePort)
	}
	if fields&wire.DstPortHash != 0 {
		folded ^= foldPort(flow.DestinationPort)
	}
	return folded
}

func foldAddress(address netip.Addr) uint8 {
	var folded uint8
	for _, b := range address.AsSlice() {
		folded ^= b
	}
	return folded
}

func foldPort(port uint16) uint8 { return uint8(port>>8) ^ uint8(port) }
