package peer

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func anyone(int) bool { return true }

// Keys fall to the members roughly in proportion to their weights: the hash of
// the draft does not make the scores of one key quite independent.
func TestArrayShares(t *testing.T) {
	for _, weights := range [][]int{{1}, {1, 1}, {1, 2}, {5, 1, 3}, {1, 1, 1, 7}} {
		var hosts []string
		total := 0
		for i, w := range weights {
			hosts = append(hosts, fmt.Sprintf("parent%d.example.net", i))
			total += w
		}
		a := NewArray(hosts, weights)
		const keys = 20000
		won := make([]int, len(weights))
		for i := range keys {
			index, ok := a.Choose(fmt.Appendf(nil, "http://site%d.example.com/some/path/%d", i%977, i), anyone)
			if !ok {
				t.Fatal("nobody chosen")
			}
			won[index]++
		}
		for i, w := range weights {
			share, want := float64(won[i])/keys, float64(w)/float64(total)
			if math.Abs(share-want) > 0.05 {
				t.Errorf("weights %v: member %d won %.3f of the keys, want %.3f", weights, i, share, want)
			}
		}
	}
}

// When a member cannot be used, only its keys move.
func TestArrayMovesLittle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 6).Draw(t, "n")
		var hosts []string
		for i := range n {
			hosts = append(hosts, fmt.Sprintf("p%d.test", i))
		}
		weights := rapid.SliceOfN(rapid.IntRange(1, 9), n, n).Draw(t, "weights")
		a := NewArray(hosts, weights)
		key := []byte(rapid.String().Draw(t, "key"))
		down := rapid.IntRange(0, n-1).Draw(t, "down")
		first, ok := a.Choose(key, anyone)
		if !ok {
			t.Skip("a key that hashes to nothing")
		}
		second, ok := a.Choose(key, func(i int) bool { return i != down })
		if !ok || second == down || first != down && second != first {
			t.Fatalf("%d before, %d after %d left", first, second, down)
		}
	})
}

// Members of equal weight taken out of the configuration take only their own keys
// along, members put in take keys from the others and move none between them, and
// the order of the lines decides nothing.
func TestArrayOfEqualsIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 8).Draw(t, "n")
		weight := rapid.IntRange(1, 9).Draw(t, "weight")
		var hosts []string
		for i := range n {
			hosts = append(hosts, fmt.Sprintf("p%d.test", i))
		}
		order := rapid.Permutation(hosts).Draw(t, "order")
		left := order[:rapid.IntRange(1, n-1).Draw(t, "left")]
		winner := func(hosts []string, key string) string {
			i, ok := NewArray(hosts, slices.Repeat([]int{weight}, len(hosts))).Choose([]byte(key), anyone)
			if !ok {
				return ""
			}
			return hosts[i]
		}
		for range 20 {
			key := rapid.String().Draw(t, "key")
			whole := winner(hosts, key)
			if other := winner(order, key); other != whole {
				t.Fatalf("%q: %s in one order, %s in another", key, whole, other)
			}
			if after := winner(left, key); slices.Contains(left, whole) && after != whole {
				t.Fatalf("%q moved from %s, which stayed, to %s", key, whole, after)
			}
		}
	})
}

// Of members that leave one after the other, each time only the keys of the one that
// left move, and back when it returns: the choice is the first of an order of its own.
func TestArrayLeavesInOrder(t *testing.T) {
	a := NewArray([]string{"a.test", "b.test", "c.test", "d.test", "e.test"}, []int{1, 2, 3, 3, 9})
	for i := range 500 {
		key := fmt.Appendf(nil, "http://www.example.com/%d", i)
		down := map[int]bool{}
		usable := func(i int) bool { return !down[i] }
		var order []int
		for range a.Len() {
			index, ok := a.Choose(key, usable)
			if !ok || down[index] {
				t.Fatalf("%s: %d, %v with %v down", key, index, ok, down)
			}
			order, down[index] = append(order, index), true
		}
		if index, ok := a.Choose(key, usable); ok {
			t.Fatalf("%s: %d of nobody", key, index)
		}
		for i := len(order) - 1; i >= 0; i-- {
			delete(down, order[i])
			if index, _ := a.Choose(key, usable); index != order[i] {
				t.Fatalf("%s: %d came back and %d was chosen, order %v", key, order[i], index, order)
			}
		}
	}
}

// Squid 2.6.STABLE24's own choices among three parents of weights 1, 2 and 5.
func TestArrayRecorded(t *testing.T) {
	const recorded = "3333133333133333333333233331333213333332"
	a := NewArray([]string{"127.0.0.1", "127.0.0.2", "127.0.0.3"}, []int{1, 2, 5})
	for i, want := range []byte(recorded) {
		url := fmt.Sprintf("http://site%d.test/p/%d", i%7, i)
		if index, ok := a.Choose([]byte(url), anyone); !ok || index != int(want-'1') {
			t.Errorf("%s: p%d, recorded p%c", url, index+1, want)
		}
	}
}

func TestArrayHash(t *testing.T) {
	if got := sum("127.0.0.1"); got != sum([]byte("127.0.0.1")) {
		t.Error("text and bytes differ")
	}
	if sum("a") != 'a' || sum("") != 0 {
		t.Error("one character is its own sum")
	}
	minus := int32(-23) // 0xe9 as a signed character
	if sum("\xe9") != uint32(minus) {
		t.Error("bytes above 0x7f are negative")
	}
}

func TestArrayEdges(t *testing.T) {
	if _, ok := NewArray(nil, nil).Choose([]byte("x"), anyone); ok {
		t.Error("chosen out of nobody")
	}
	a := NewArray([]string{"a", "b", "c"}, []int{0, 1, 5000})
	if a.Len() != 2 {
		t.Errorf("%d members", a.Len())
	}
	for i := range 1000 {
		if index, ok := a.Choose(fmt.Append(nil, i), anyone); ok && index != 2 {
			t.Fatal("a share below one in a thousand is none")
		}
	}
	// Equal hosts score alike: the first in the file wins.
	b := NewArray([]string{"127.0.0.1", "127.0.0.1"}, []int{1, 1})
	if index, _ := b.Choose([]byte("http://site1.test/a"), anyone); index != 0 {
		t.Error("the second of equals was chosen")
	}
}

func BenchmarkChoose(b *testing.B) {
	a := NewArray([]string{"p1.test", "p2.test", "p3.test", "p4.test"}, []int{1, 1, 2, 3})
	key := []byte("http://www.example.com/some/rather/ordinary/path.html")
	b.ReportAllocs()
	for b.Loop() {
		a.Choose(key, anyone)
	}
}
