package peer

import (
	"math"
	"math/bits"
	"slices"
)

// Array divides keys among members in proportion to their weights. It is
// immutable.
type Array struct{ members []member }

// member is one parent of the array.
type member struct {
	index      int // in the lists the Array was made of
	hash       uint32
	multiplier float64
}

// NewArray makes an array of hosts. A weight below 1 keeps a host out.
func NewArray(hosts []string, weights []int) *Array {
	a := &Array{}
	total := 0
	for i, host := range hosts {
		if weights[i] > 0 {
			a.members = append(a.members, member{index: i, hash: scatter(sum(host))})
			total += weights[i]
		}
	}
	slices.SortStableFunc(a.members, func(x, y member) int { return weights[x.index] - weights[y.index] })
	a.setMultipliers(func(m *member) float64 {
		share := float64(weights[m.index]) / float64(total)
		if share < 0.001 {
			return 0 // too small to count, as in 2.6
		}
		return share
	})
	return a
}

// setMultipliers gives each member the factor that makes the share of keys it
// wins equal to its load factor (draft section 3.4, "load factor multiplier");
// members are in order of growing load.
func (a *Array) setMultipliers(load func(*member) float64) {
	product, lastMultiplier, lastLoad := 1.0, 0.0, 0.0
	for k := range a.members {
		left := float64(len(a.members) - k)
		share := load(&a.members[k])
		x := math.Pow(left*(share-lastLoad)/product+math.Pow(lastMultiplier, left), 1/left)
		a.members[k].multiplier = x
		product *= x
		lastMultiplier, lastLoad = x, share
	}
}

// Choose gives the index of the usable member with the highest score for key;
// ok is false when there is none.
func (a *Array) Choose(key []byte, usable func(index int) bool) (index int, ok bool) {
	hash, best := sum(key), 0.0
	for i := range a.members {
		m := &a.members[i]
		score := float64(scatter(hash^m.hash)) * m.multiplier
		if score > best && usable(m.index) {
			index, best, ok = m.index, score, true
		}
	}
	return index, ok
}

// Len is the number of members.
func (a *Array) Len() int { return len(a.members) }

// sum is the draft's hash of a text. Bytes above 0x7f count as negative, as
// characters do in 2.6.
func sum[T string | []byte](text T) uint32 {
	h := uint32(0)
	for i := range len(text) {
		h += bits.RotateLeft32(h, 19) + uint32(int32(int8(text[i])))
	}
	return h
}

// scatter spreads what sum leaves close together.
func scatter(h uint32) uint32 {
	h += h * 0x62531965
	return bits.RotateLeft32(h, 21)
}
