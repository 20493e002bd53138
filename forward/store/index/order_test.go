package index

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// object is a record as the slow models see it.
type object struct {
	used    time.Time
	lastRef uint32
	refs    uint16
	size    int64
	key     float64 // in a heap
}

// model is an order told in the plainest way: go through all.
type model struct {
	policy  Policy
	objects map[int]*object
	age     float64
}

func (m *model) touch(o *object, now time.Time) {
	o.used = now
	switch m.policy {
	case GDSF:
		o.key = m.age + float64(o.refs)/float64(max(o.size, 1)) - 1/float64(o.lastRef)
	case LFUDA:
		o.key = m.age + float64(o.refs) // just used: nothing to take off
		if unused := float64(now.Unix()) - float64(o.lastRef); unused > 0 {
			o.key -= 1 - math.Exp(-unused/86400)
		}
	}
}

// leavesFirst reports whether n may be the one that leaves first.
func (m *model) leavesFirst(n int) error {
	chosen := m.objects[n]
	for other, o := range m.objects {
		if m.policy == LRU && o.used.Before(chosen.used) || m.policy != LRU && o.key < chosen.key {
			return fmt.Errorf("object %d leaves before %d: %+v, %+v", n, other, chosen, o)
		}
	}
	return nil
}

func TestOrdersAreThoseOfTheModels(t *testing.T) {
	for _, policy := range []Policy{LRU, GDSF, LFUDA} {
		t.Run(fmt.Sprint(policy), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { checkOrder(t, policy) })
		})
	}
}

func checkOrder(t *rapid.T, policy Policy) {
	ix := New()
	order := ix.NewOrder(policy, diskLinks)
	m := &model{policy: policy, objects: map[int]*object{}}
	names := map[[16]byte]int{}
	now := time.Unix(1_800_000_000, 0)
	next := 0
	pick := func(t *rapid.T) int {
		if len(m.objects) == 0 {
			t.Skip()
		}
		n := rapid.IntRange(0, next-1).Draw(t, "which")
		if m.objects[n] == nil {
			t.Skip()
		}
		return n
	}
	locked := func(n int, do func(*Shard, ID, *Record)) {
		key := keyOf(n)
		s := ix.Shard(&key)
		s.Lock()
		defer s.Unlock()
		id, r := s.Find(&key)
		do(s, id, r)
	}
	t.Repeat(map[string]func(*rapid.T){
		"add": func(t *rapid.T) {
			o := &object{lastRef: uint32(now.Unix()), refs: 1, size: rapid.Int64Range(0, 1<<22).Draw(t, "size")}
			key := keyOf(next)
			s := ix.Shard(&key)
			s.Lock()
			id, r := s.Insert(&key)
			r.LastRef, r.Refs = o.lastRef, o.refs
			r.SetSize(o.size)
			order.Add(s, id, now)
			s.Unlock()
			m.touch(o, now)
			m.objects[next], names[key] = o, next
			next++
		},
		"touch": func(t *rapid.T) {
			n := pick(t)
			o := m.objects[n]
			locked(n, func(s *Shard, id ID, r *Record) {
				r.LastRef, r.Refs = uint32(now.Unix()), r.Refs+1
				o.lastRef, o.refs = r.LastRef, r.Refs
				order.Touch(s, id, now)
			})
			m.touch(o, now)
		},
		"remove": func(t *rapid.T) {
			n := pick(t)
			locked(n, func(s *Shard, id ID, r *Record) {
				order.Remove(s, id)
				order.Remove(s, id) // once is enough
				s.Detach(id)
				s.Free(id)
			})
			delete(m.objects, n)
		},
		"evict": func(t *rapid.T) {
			s, id, r := order.First()
			if s == nil {
				if len(m.objects) > 0 {
					t.Fatalf("none of %d leaves", len(m.objects))
				}
				return
			}
			defer s.Unlock()
			n := names[r.Key]
			if err := m.leavesFirst(n); err != nil {
				t.Fatal(err)
			}
			m.age = max(m.age, m.objects[n].key)
			order.Evict(s, id)
			s.Detach(id)
			s.Free(id)
			delete(m.objects, n)
		},
		"": func(*rapid.T) {
			now = now.Add(time.Duration(1 + next%7*int(time.Second)))
			if order.Len() != len(m.objects) {
				t.Fatalf("%d in the order, %d in the model", order.Len(), len(m.objects))
			}
		},
	})
}

// What was loaded from a log leaves by its last use, not by its place in the log.
func TestLoadedRecordsAreSorted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ix := New()
		order := ix.NewOrder(LRU, diskLinks)
		refs := rapid.SliceOfN(rapid.Uint32Range(1, 1000), 1, 600).Draw(t, "last uses")
		for n, ref := range refs {
			key := keyOf(n)
			s := ix.Shard(&key)
			id, r := s.Insert(&key)
			r.LastRef = ref
			order.Add(s, id, time.Unix(int64(ref), 0))
		}
		for i := range Shards {
			order.Sort(ix.At(i))
		}
		before := uint32(0)
		for range refs {
			s, id, r := order.First()
			if r.LastRef < before {
				t.Fatalf("last used %d after %d", r.LastRef, before)
			}
			before = r.LastRef
			order.Evict(s, id)
			s.Unlock()
		}
		if s, _, _ := order.First(); s != nil {
			t.Fatal("more leave than came")
		}
	})
}

func BenchmarkFirst(b *testing.B) {
	ix := New()
	order := ix.NewOrder(LRU, diskLinks)
	now := time.Unix(1_800_000_000, 0)
	for n := range 1 << 16 {
		key := keyOf(n)
		s := ix.Shard(&key)
		id, r := s.Insert(&key)
		now = now.Add(time.Millisecond)
		r.LastRef = uint32(now.Unix())
		order.Add(s, id, now)
	}
	for range b.N {
		s, id, r := order.First()
		now = now.Add(time.Millisecond)
		r.LastRef = uint32(now.Unix())
		order.Touch(s, id, now)
		s.Unlock()
	}
}
