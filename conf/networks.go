package conf

import (
	"iter"
	"slices"
)

// Networks is the values of src, dst or myip in their order, twelve bytes each.
type Networks struct {
	four []network4
	six  []network6
}

// network6 is an IPv6 value, and how many IPv4 ones stand in front of it.
type network6 struct {
	IPRange
	behind int
}

// NetworksOf makes the list of some values.
func NetworksOf(values ...IPRange) Networks {
	var n Networks
	for _, v := range values {
		n.add(v)
	}
	return n
}

// Len is the number of values.
func (n *Networks) Len() int { return len(n.four) + len(n.six) }

// Has6 reports whether there is an IPv6 value.
func (n *Networks) Has6() bool { return len(n.six) > 0 }

// HasAll reports whether 0.0.0.0/0 is among the values: every address of either family.
func (n *Networks) HasAll() bool { return slices.Contains(n.four, network4{}) }

// All is the values in their order.
func (n *Networks) All() iter.Seq[IPRange] {
	return func(yield func(IPRange) bool) {
		six := n.six
		for i := 0; i <= len(n.four); i++ {
			for len(six) > 0 && six[0].behind == i {
				if !yield(six[0].IPRange) {
					return
				}
				six = six[1:]
			}
			if i < len(n.four) && !yield(n.four[i].ipRange()) {
				return
			}
		}
	}
}

func (n *Networks) add(v IPRange) {
	if v.First.Is4() {
		n.four = append(n.four, v.numbers())
		return
	}
	n.six = append(n.six, network6{v, len(n.four)})
}
