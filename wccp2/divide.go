package wccp2

import (
	"net/netip"
	"slices"
)

// member is a cache as a division sees it.
type member struct {
	addr   netip.Addr
	weight int // 0 to 65535, or unstated
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

// inTurn gives each of n buckets an index into weights: the recorded division
// where that leaves everybody within one bucket of his share, as it nearly always
// does, else the same with shares bounded. Many light caches beside a heavy one
// are the other case: each of them rounds up at its cost.
func inTurn(weights []uint16, n int) []int {
	t := newTurns(weights, n)
	table := t.deal(n, false)
	if t.sum != 0 && !t.fair(n) {
		t = newTurns(weights, n)
		table = t.deal(n, true)
	}
	return table
}

// turns hands buckets round a list of weights.
type turns struct {
	weights []uint16
	sum     uint64
	taken   []uint64 // buckets each has
	whole   []uint64 // buckets each is due, rounded down
	spare   uint64   // buckets that rounding leaves over
	at      int      // whose turn it was
}

func newTurns(weights []uint16, n int) *turns {
	t := &turns{weights: weights, taken: make([]uint64, len(weights)), whole: make([]uint64, len(weights)), at: len(weights) - 1}
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
	return t
}

// deal goes round (FACTS "Hash, all weights zero" and "Hash with weights"): whoever's
// turn it is takes the bucket unless he is ahead of his share or, when shares are
// bounded, has all he may have; then the next one is asked.
func (t *turns) deal(n int, bounded bool) []int {
	table := make([]int, n)
	for i := range table {
		table[i] = t.next(uint64(i), uint64(n), bounded)
	}
	return table
}

// next finds who takes the bucket when given of n are out.
func (t *turns) next(given, n uint64, bounded bool) int {
	t.at = (t.at + 1) % len(t.weights)
	if t.sum == 0 {
		return t.at
	}
	for _, anyway := range []bool{false, true} {
		for range t.weights {
			if (!bounded || t.due(t.at, n)) && (anyway || t.notAhead(t.at, given)) {
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

// fineness is the recorded arithmetic's: a step is counted in sixteenths of the
// sum of weights and rounded down, which decides who comes first where two would
// come at once.
const fineness = 16

// notAhead reports whether cache i has no more than is due to it of the buckets
// given: each of its buckets is a step of sum / weight.
func (t *turns) notAhead(i int, given uint64) bool {
	w := uint64(t.weights[i])
	return w > 0 && t.taken[i]*(fineness*t.sum*t.sum/w) <= given*fineness*t.sum
}

// due reports whether cache i may have one more of n buckets.
func (t *turns) due(i int, n uint64) bool {
	if t.taken[i] < t.whole[i] {
		return true
	}
	return t.taken[i] == t.whole[i] && t.spare > 0 && n*uint64(t.weights[i])%t.sum != 0
}

// fair reports whether everybody has his share of n, rounded up or down.
func (t *turns) fair(n int) bool {
	for i, w := range t.weights {
		over := uint64(n) * uint64(w) % t.sum
		if t.taken[i] < t.whole[i] || t.taken[i] > t.whole[i]+1 || t.taken[i] == t.whole[i]+1 && over == 0 {
			return false
		}
	}
	return true
}

// divide hands n buckets round the members in order.
func divide(members []member, n int) []int {
	weights := make([]uint16, len(members))
	for i, m := range members {
		weights[i] = uint16(m.weight)
	}
	return inTurn(weights, n)
}

// sortMembers puts members in the order of their addresses as numbers in network
// order, the order of the election (section 4.9) and of every division.
func sortMembers(members []member) {
	slices.SortFunc(members, func(a, b member) int { return a.addr.Compare(b.addr) })
}
