package wccp2

import (
	"net/netip"
	"slices"
)

// member is a cache as a division sees it.
type member struct {
	addr   netip.Addr
	weight uint16
}

// memberLimit is how many caches a division can name: bucket indices run from
// 0 to 31 (draft-wilson-wrec-wccp-v2-01 section 5.6.7).
const memberLimit = 32

// Division chooses how buckets are handed round the caches.
type Division int

// The ways to divide.
const (
	// DivideInTurn is the recorded division: a function of the sorted caches and
	// their weights only, so that all services with the same caches agree.
	DivideInTurn Division = iota
	// DivideSticky moves as few buckets as can be when caches come and go.
	DivideSticky
)

// turns hands buckets round a list of weights.
type turns struct {
	weights []uint16
	sum     uint64
	taken   []uint64 // buckets each has
	whole   []uint64 // buckets each is due, rounded down
	spare   uint64   // buckets that rounding leaves over
	at      int      // whose turn it was
}

// inTurn gives each of n buckets an index into weights (FACTS "Hash, all weights
// zero" and "Hash with weights"). The buckets go round; whoever's turn it is takes
// the bucket unless that puts him ahead of his share, in which case the next one
// is asked. Nobody ends more than one bucket off his share, which is all that is
// added to the recorded procedure; it let many light caches take several buckets
// from a heavy one.
func inTurn(weights []uint16, n int) []int {
	t := turns{weights: weights, taken: make([]uint64, len(weights)), whole: make([]uint64, len(weights)), at: len(weights) - 1}
	for _, w := range weights {
		t.sum += uint64(w)
	}
	t.spare = uint64(n)
	if t.sum != 0 {
		for i, w := range weights {
			t.whole[i] = uint64(n) * uint64(w) / t.sum
			t.spare -= t.whole[i]
		}
	}
	table := make([]int, n)
	for i := range table {
		table[i] = t.next(uint64(i), uint64(n))
	}
	return table
}

// next finds who takes the bucket when given of n are out.
func (t *turns) next(given, n uint64) int {
	t.at = (t.at + 1) % len(t.weights)
	if t.sum == 0 {
		return t.at
	}
	notAhead := func(i int) bool { return t.taken[i]*t.sum <= given*uint64(t.weights[i]) }
	anyway := func(int) bool { return true }
	for _, fits := range []func(int) bool{notAhead, anyway} {
		for range t.weights {
			if t.due(t.at, n) && fits(t.at) {
				if t.taken[t.at] == t.whole[t.at] {
					t.spare--
				}
				t.taken[t.at]++
				return t.at
			}
			t.at = (t.at + 1) % len(t.weights)
		}
	}
	return t.at
}

// due tells whether cache i may have one more of n buckets.
func (t *turns) due(i int, n uint64) bool {
	if t.taken[i] < t.whole[i] {
		return true
	}
	return t.taken[i] == t.whole[i] && t.spare > 0 && n*uint64(t.weights[i])%t.sum != 0
}

// divide hands n buckets round the members in order.
func divide(members []member, n int) []int {
	weights := make([]uint16, len(members))
	for i, m := range members {
		weights[i] = m.weight
	}
	return inTurn(weights, n)
}

// sortMembers puts members in the order of their addresses as numbers in network
// order, the order of the election (section 4.9) and of every division.
func sortMembers(members []member) {
	slices.SortFunc(members, func(a, b member) int { return a.addr.Compare(b.addr) })
}
