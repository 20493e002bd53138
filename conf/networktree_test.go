package conf

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// With ranges in front, and with the tree made late, the same values are kept and the same
// is said as when each goes into the tree; of a long list's values one that each overlaps.
func TestNetworkTreeModel(t *testing.T) {
	value := rapid.Custom(func(t *rapid.T) network4 {
		n := network4{first: rapid.Uint32Range(0, 1<<7).Draw(t, "first"), mask: ^uint32(0) << rapid.IntRange(0, 5).Draw(t, "bits")}
		switch rapid.IntRange(0, 9).Draw(t, "kind") {
		case 0:
			n.mask = rapid.Uint32().Draw(t, "mask")
		case 1, 2:
			n.last = rapid.Uint32Range(0, 1<<7).Draw(t, "last")
		case 3:
			n = network4{}
		}
		n.first, n.last = n.first&n.mask, n.last&n.mask
		return n
	})
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		plainOnly := rapid.Bool().Draw(t, "plain")
		b, modelB := newBuilder(Options{}), newBuilder(Options{})
		var a, modelA ACL
		tree, model := new(aclState).networksOf(b, &a), &new(aclState).networksOf(modelB, &modelA).tree
		if long := rapid.Bool().Draw(t, "long"); long {
			tree.long = 0
		}
		var kept []network4
		for _, n := range rapid.SliceOfN(value, 0, 25).Draw(t, "values") {
			if _, _, plain := n.span(); plainOnly && !plain {
				continue
			}
			want := model.insert(n)
			if want {
				kept = append(kept, n)
			}
			before := len(b.report.Lines)
			if got := tree.insert(b, n); got != want {
				t.Fatalf("%v is kept: %v, want %v", n, got, want)
			}
			if said := once(b.report.Lines[before:]); tree.long == 0 && !want && !slices.ContainsFunc(kept, func(k network4) bool {
				one := newBuilder(Options{})
				new(networkTree).compare(one, n, k)
				return len(said) > 0 && slices.Equal(said, one.report.Lines)
			}) {
				t.Fatalf("of %v beside %v is said\n%v", n, kept, said)
			}
		}
		if !slices.Equal(a.Networks.four, kept) {
			t.Fatalf("kept %v, want %v", a.Networks.four, kept)
		}
		if got, want := fmt.Sprint(b.report.Lines), fmt.Sprint(modelB.report.Lines); tree.long > 0 && got != want {
			t.Fatalf("said\n%s\nwant\n%s", got, want)
		}
		seen[fmt.Sprintf("plain %v, overlaps %v, long %v", plainOnly, len(b.report.Lines) > 0, tree.long == 0)]++
	})
	if len(seen) != 8 {
		t.Errorf("only these were seen: %v", seen)
	}
}

// Blocks of ranges agree with a bit for each address.
func TestSpansModel(t *testing.T) {
	split := false
	rapid.Check(t, func(t *rapid.T) {
		var s spans
		var taken [1 << 13]uint32 // numbers, counted from 1
		number := uint32(0)
		seed := rapid.Uint32().Draw(t, "seed")
		for range 3000 {
			seed = seed*1664525 + 1013904223
			first := seed >> 19
			last := min(first+seed>>8&3, 1<<13-1)
			meets := slices.Compact(slices.DeleteFunc(slices.Clone(taken[first:last+1]), func(n uint32) bool { return n == 0 }))
			want := append(slices.Clone(meets), 0)[0]
			if len(meets) > 1 {
				want |= several
			}
			got, met := s.add(first, last, number+1)
			if got != want || met != (len(meets) > 0) {
				t.Fatalf("%d-%d: %d, %v, want %d", first, last, got, met, want)
			}
			for i := first; !met && i <= last; i++ {
				taken[i] = number + 1
			}
			number++
		}
		split = split || len(s.blocks) > 1
	})
	if !split {
		t.Error("there was never more than one block")
	}
}

func TestPlainQuad(t *testing.T) {
	for s, want := range map[string]uint32{"1.2.3.4": 0x01020304, "255.255.255.255": 0xffffffff, "0.0.0.0": 0} {
		if got, ok := plainQuad(s); !ok || got != want {
			t.Errorf("%s: %x, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "1", "1.2.3", "1.2.3.", "1.2.3.256", "256.2.3.4", "1..3.4", "1.2.3.4.5", "1.2.3.0004", "24", ".1.2.3", "1.2.3.x", "010.0.0.9", "1.2.3.00"} {
		if got, ok := plainQuad(s); ok {
			t.Errorf("%s: %x", s, got)
		}
	}
}
