package routersim

import "net/netip"

// Method is a way of handing packets between router and cache, with its value in
// the capabilities component.
type Method uint32

// The methods of forwarding and return.
const (
	GRE Method = 1
	L2  Method = 2
)

// String names the method as routers' configuration does.
func (m Method) String() string {
	switch m {
	case GRE:
		return "gre"
	case L2:
		return "l2"
	}
	return "none"
}

// MarshalText lets methods stand in JSON as String writes them.
func (m Method) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// Target is a cache that packets can be sent to.
type Target struct {
	Cache      netip.Addr
	Forwarding Method
}

// Unassigned marks a bucket without a cache in a Table.
const Unassigned = 0xFF

// Table is one router's assignment for one service: who gets which packets. A
// Table never changes once published; a new assignment is a new Table.
type Table struct {
	Service Service
	Targets []Target
	// Buckets holds an index into Targets, or Unassigned. It is meaningful when Sets is empty.
	Buckets [256]uint8
	// Alternate marks buckets whose packets are hashed again by the alternate fields.
	Alternate [256]bool
	Sets      []MaskSet
}

// Mask is a pattern over the four fields mask assignment looks at.
type Mask struct {
	Source, Destination         uint32
	SourcePort, DestinationPort uint16
}

// MaskSet is one mask with the caches of the values it can leave.
type MaskSet struct {
	Mask   Mask
	Values map[Mask]MaskValue
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
	flags := t.Service.hashed()
	choice := Choice{Bucket: hash(flow, flags)}
	index := choice.Bucket
	if t.Alternate[index] {
		choice.Alternate = true
		choice.AlternateBucket = hash(flow, flags>>8)
		index = choice.AlternateBucket
	}
	return t.to(choice, t.Buckets[index])
}

func (t *Table) chooseByMask(flow Flow) (Choice, bool) {
	for _, set := range t.Sets {
		if value, found := set.Values[set.Mask.of(flow)]; found {
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

// of is what the mask leaves of a packet's fields.
func (m Mask) of(flow Flow) Mask {
	source, destination := flow.Source.As4(), flow.Destination.As4()
	return Mask{
		Source:          m.Source & beUint32(source),
		Destination:     m.Destination & beUint32(destination),
		SourcePort:      m.SourcePort & flow.SourcePort,
		DestinationPort: m.DestinationPort & flow.DestinationPort,
	}
}

func beUint32(b [4]byte) uint32 {
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// hash folds the octets of the fields that flags name into one. Real routers' hash
// is not published; what matters here is that it depends on these fields alone.
// The alternate fields have the same bits, eight places further up.
func hash(flow Flow, flags Flags) uint8 {
	var folded uint8
	if flags&SourceAddressHash != 0 {
		folded ^= foldAddress(flow.Source)
	}
	if flags&DestinationAddressHash != 0 {
		folded ^= foldAddress(flow.Destination)
	}
	if flags&SourcePortHash != 0 {
		folded ^= foldPort(flow.SourcePort)
	}
	if flags&DestinationPortHash != 0 {
		folded ^= foldPort(flow.DestinationPort)
	}
	return folded
}

func foldAddress(address netip.Addr) uint8 {
	b := address.As4()
	return b[0] ^ b[1] ^ b[2] ^ b[3]
}

func foldPort(port uint16) uint8 { return uint8(port>>8) ^ uint8(port) }
