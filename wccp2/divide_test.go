package wccp2

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestInTurnRecorded holds the division against the recorded tables (FACTS "Hash with weights").
func TestInTurnRecorded(t *testing.T) {
	for _, c := range []struct {
		weights []uint16
		begin   string
		share   []int
	}{
		{[]uint16{3, 1, 6}, "[0 1 2 2 0 2 2 0 2 2 0 1 2 2 0 2 2 0 2 2]", []int{77, 26, 153}},
		{[]uint16{0, 1, 1}, "[1 2 1 2 1 2 1 2 1 2 1 2 1 2 1 2 1 2 1 2]", []int{0, 128, 128}},
		{[]uint16{10000, 10000, 10000, 10000, 10000}, "[0 1 2 3 4 0 1 2 3 4 0 1 2 3 4 0 1 2 3 4]", []int{52, 51, 51, 51, 51}},
		{[]uint16{0, 0, 0}, "[0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1 2 0 1]", []int{86, 85, 85}},
		{[]uint16{7, 5, 2, 1}, "[0 1 2 3 0 1 0 1 2 0 1 0 1 0 0 1 2 3 0 1]", []int{119, 86, 34, 17}},
		{[]uint16{7}, "[0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0]", []int{256}},
	} {
		table := inTurn(c.weights, 256)
		share := make([]int, len(c.weights))
		for _, at := range table {
			share[at]++
		}
		if got := fmt.Sprint(table[:20]); got != c.begin || fmt.Sprint(share) != fmt.Sprint(c.share) {
			t.Errorf("%v: %s %v, want %s %v", c.weights, got, share, c.begin, c.share)
		}
	}
}

// TestInTurnTies holds a whole recorded table, in which the arithmetic's rounding
// decides who comes first.
func TestInTurnTies(t *testing.T) {
	const recorded = "0101010010101001010010101001010010101001010010101001010010101001010010101001010010101001010010101001010010101001010100101001010100101001010100101001010100101001010100101001010100101001010100101001010100101001010100101001010100101010010100101010010100101010"
	var got strings.Builder
	for _, at := range inTurn([]uint16{7, 5}, 256) {
		fmt.Fprint(&got, at)
	}
	if got.String() != recorded {
		t.Errorf("%s, want\n%s", got.String(), recorded)
	}
}

func drawMembers(t *rapid.T, label string) []member {
	n := rapid.IntRange(1, memberLimit).Draw(t, label)
	members := make([]member, n)
	for i := range members {
		members[i] = member{netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), rapid.SampledFrom([]int{0, 1, 2, 3, 6, 50, 999, 10000, 65535}).Draw(t, "weight")}
	}
	return members
}

// want is a member's exact share of n.
func want(members []member, i, n int) float64 {
	sum := 0.0
	for _, m := range members {
		sum += float64(m.weight)
	}
	if sum == 0 {
		return float64(n) / float64(len(members))
	}
	return float64(n) * float64(members[i].weight) / sum
}

// TestSharesFollowWeights: both divisions stay within one bucket of the weights.
func TestSharesFollowWeights(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		members := drawMembers(rt, "members")
		n := rapid.SampledFrom([]int{64, 256}).Draw(rt, "buckets")
		count := map[netip.Addr]int{}
		for _, at := range divide(members, n) {
			count[members[at].addr]++
		}
		sticky := map[netip.Addr]int{}
		for _, a := range divideSticky(members, n, nil) {
			sticky[a]++
		}
		for i, m := range members {
			if d := math.Abs(float64(count[m.addr]) - want(members, i, n)); d > 1+1e-9 {
				rt.Fatalf("%s with weight %d has %d, want %.2f", m.addr, m.weight, count[m.addr], want(members, i, n))
			}
			if d := math.Abs(float64(sticky[m.addr]) - want(members, i, n)); d > 1+1e-9 {
				rt.Fatalf("sticky: %s with weight %d has %d, want %.2f", m.addr, m.weight, sticky[m.addr], want(members, i, n))
			}
		}
	})
}

// TestStickyMoves: who leaves moves his own buckets only, who comes takes his share only.
func TestStickyMoves(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		members := drawMembers(rt, "members")
		if len(members) < 2 {
			return
		}
		before := divideSticky(members, 256, nil)
		gone := rapid.IntRange(0, len(members)-1).Draw(rt, "gone")
		left := append(append([]member(nil), members[:gone]...), members[gone+1:]...)
		after := divideSticky(left, 256, before)
		for b := range after {
			if before[b] != members[gone].addr && before[b] != after[b] && totalWeight(left) > 0 && totalWeight(members) > 0 {
				rt.Fatalf("%v without %d: bucket %d went from %s to %s", members, gone, b, before[b], after[b])
			}
		}
		back := divideSticky(members, 256, after)
		for b := range back {
			if back[b] != after[b] && back[b] != members[gone].addr && totalWeight(left) > 0 {
				rt.Fatalf("%v with %d back: bucket %d went from %s to %s", members, gone, b, after[b], back[b])
			}
		}
	})
}

func totalWeight(members []member) (sum int) {
	for _, m := range members {
		sum += m.weight
	}
	return sum
}
