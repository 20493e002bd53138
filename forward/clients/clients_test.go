package clients

import (
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

type conn struct {
	Link[*conn]
	from netip.Addr
}

// A set is what a map of its members says it is, whatever comes and goes, and whoever
// waits hears of it.
func TestSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s Set[*conn]
		all := make([]conn, 6)
		for i := range all {
			all[i].from = netip.AddrFrom4([4]byte{127, 0, 0, byte(i % 3)})
		}
		in := map[*conn]bool{}
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			c := &all[rapid.IntRange(0, len(all)-1).Draw(t, "which")]
			left, none, was := s.Departure(), s.Empty(), in[c]
			switch {
			case rapid.Bool().Draw(t, "comes"):
				if !was {
					s.Add(&c.Link, c, c.from)
				}
				in[c] = true
			default:
				s.Remove(&c.Link, c.from)
				delete(in, c)
				if ended(left) != was {
					t.Fatalf("the end of one that was in: %v, told: %v", was, !was)
				}
				if (len(in) == 0) != ended(none) {
					t.Fatalf("%d left, told of the last one: %v", len(in), ended(none))
				}
			}
			var each []*conn
			s.Each(func(c *conn) { each = append(each, c) })
			if s.Len() != len(in) || len(each) != len(in) {
				t.Fatalf("%d and %d connections, want %d", s.Len(), len(each), len(in))
			}
			for c := range maps.Keys(in) {
				if !slices.Contains(each, c) {
					t.Fatal("one that is in was left out")
				}
			}
			of := 0
			for other := range in {
				if other.from == c.from {
					of++
				}
			}
			if n := s.Established(c.from); n != of {
				t.Fatalf("%d from %v, want %d", n, c.from, of)
			}
		}
	})
}

func ended(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Kept connections are let go before those that have asked nothing for long, old ones
// before new, and busy ones never.
func TestIdle(t *testing.T) {
	var s Set[*conn]
	uses := map[*conn]Use{}
	var all []*conn
	for _, use := range []Use{New, Busy, Kept, New, Kept} {
		c := &conn{from: netip.AddrFrom4([4]byte{127, 0, 0, 1})}
		s.Add(&c.Link, c, c.from)
		uses[c], all = use, append(all, c)
	}
	use := func(c *conn) Use { return uses[c] }
	soon := time.Now().Add(time.Hour)
	if got := s.Idle(9, soon, use); !slices.Equal(got, []*conn{all[2], all[4], all[0], all[3]}) {
		t.Errorf("all: %v", got)
	}
	if got := s.Idle(1, soon, use); !slices.Equal(got, []*conn{all[2]}) {
		t.Errorf("one: %v", got)
	}
	if got := s.Idle(9, time.Now().Add(-time.Hour), use); len(got) != 2 {
		t.Errorf("with none that is silent for an hour: %v", got)
	}
	if got := s.Idle(0, soon, use); got != nil {
		t.Errorf("none: %v", got)
	}
}
