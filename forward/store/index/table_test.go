package index

import (
	"crypto/md5"
	"encoding/binary"
	"runtime"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// keyOf is the key of object n.
func keyOf(n int) [16]byte {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	return md5.Sum(b[:])
}

func diskLinks(r *Record) *Links { return &r.Disk }

// The index answers as a map does, whatever is inserted and detached.
func TestIndexIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ix := New()
		model := map[int]int64{}
		some := rapid.IntRange(0, 3000)
		insert := func(n int, size int64) {
			key := keyOf(n)
			s := ix.Shard(&key)
			s.Lock()
			defer s.Unlock()
			id, r := s.Find(&key)
			if _, known := model[n]; known != (r != nil) {
				t.Fatalf("object %d: found %v, known %v", n, r != nil, known)
			}
			if r == nil {
				id, r = s.Insert(&key)
			}
			r.SetSize(size)
			if s.Record(id) != r || ix.ShardOf(id) != s {
				t.Fatalf("object %d: its ID leads elsewhere", n)
			}
			model[n] = size
		}
		remove := func(n int) {
			key := keyOf(n)
			s := ix.Shard(&key)
			s.Lock()
			defer s.Unlock()
			id, r := s.Find(&key)
			if _, known := model[n]; known != (r != nil) {
				t.Fatalf("object %d: found %v, known %v", n, r != nil, known)
			}
			if r != nil {
				s.Detach(id)
				s.Free(id)
				delete(model, n)
			}
		}
		for range rapid.IntRange(0, 8).Draw(t, "rounds") {
			from, many := some.Draw(t, "from"), some.Draw(t, "many")
			if rapid.Bool().Draw(t, "insert") {
				for n := from; n < from+many; n++ {
					insert(n, int64(n)<<33|7)
				}
			} else {
				for n := from; n < from+many; n += 1 + n%3 {
					remove(n)
				}
			}
		}
		seen := 0
		for i := range Shards {
			s := ix.At(i)
			s.All(func(_ ID, r *Record) bool { seen++; return true })
		}
		found, detached := ix.Len()
		if seen != len(model) || found != len(model) || detached != 0 {
			t.Fatalf("%d walked, %d found, %d detached, %d in the model", seen, found, detached, len(model))
		}
		for n, size := range model {
			key := keyOf(n)
			if _, r := ix.Shard(&key).Find(&key); r == nil || r.Size() != size&MaxSize {
				t.Fatalf("object %d is not as it was put", n)
			}
		}
	})
}

// A detached record keeps what it says until it is freed, and its key may be
// inserted again meanwhile.
func TestDetachedRecordsStay(t *testing.T) {
	ix := New()
	key := keyOf(1)
	s := ix.Shard(&key)
	s.Lock()
	defer s.Unlock()
	old, r := s.Insert(&key)
	r.SetFlags(1120)
	r.SetDisk(3, MaxNumber)
	s.Detach(old)
	s.Detach(old) // once is enough
	if _, found := s.Find(&key); found != nil {
		t.Fatal("a detached record is found")
	}
	again, r2 := s.Insert(&key)
	if again == old || r2 == r {
		t.Fatal("a record in use was handed out again")
	}
	if dir, number, ok := r.OnDisk(); !r.Detached() || r.Flags() != 1120 || dir != 3 || number != MaxNumber || !ok {
		t.Errorf("detached, flags %d, directory %d, number %d, %v", r.Flags(), dir, number, ok)
	}
	s.Free(old)
	if third, _ := s.Insert(&[16]byte{9}); third != old {
		t.Errorf("freed record %d is not used again but %d", old, third)
	}
}

// Many objects cost at most 80 bytes each, replacement included.
func TestRecordsAreSmall(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector needs memory of its own")
	}
	for _, policy := range []Policy{LRU, LFUDA} {
		const objects = 400_000
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		ix := New()
		order := ix.NewOrder(policy, diskLinks)
		now := time.Unix(1_800_000_000, 0)
		for n := range objects {
			key := keyOf(n)
			s := ix.Shard(&key)
			s.Lock()
			id, r := s.Insert(&key)
			r.Refs = 1
			order.Add(s, id, now)
			s.Unlock()
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		used := int(after.HeapAlloc - before.HeapAlloc)
		for i := range Shards {
			used += (int(ix.At(i).fresh)*64 + 4095) / 4096 * 4096 // outside the heap, in whole pages
		}
		each := float64(used) / objects
		if each > 80 {
			t.Errorf("policy %d: %.1f bytes an object", policy, each)
		}
		t.Logf("policy %d: %.1f bytes an object", policy, each)
		runtime.KeepAlive(ix)
	}
}

func BenchmarkInsert(b *testing.B) {
	ix := New()
	order := ix.NewOrder(LRU, diskLinks)
	now := time.Unix(1_800_000_000, 0)
	for n := range b.N {
		key := keyOf(n)
		s := ix.Shard(&key)
		s.Lock()
		id, _ := s.Insert(&key)
		order.Add(s, id, now)
		s.Unlock()
	}
}

// Lookups of several cores do not wait for each other: -cpu 1,2.
func BenchmarkLookup(b *testing.B) {
	const objects = 1 << 16
	ix := New()
	order := ix.NewOrder(LRU, diskLinks)
	now := time.Unix(1_800_000_000, 0)
	keys := make([][16]byte, objects)
	for n := range keys {
		keys[n] = keyOf(n)
		s := ix.Shard(&keys[n])
		s.Lock()
		id, _ := s.Insert(&keys[n])
		order.Add(s, id, now)
		s.Unlock()
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		n := int(keyOf(b.N)[0]) * 251
		for pb.Next() {
			n = (n*1103515245 + 12345) & (objects - 1)
			key := &keys[n]
			s := ix.Shard(key)
			s.Lock()
			id, r := s.Find(key)
			r.Pins++
			order.Touch(s, id, now)
			s.Unlock()
			s.Lock()
			r.Pins--
			s.Unlock()
		}
	})
}

// The memory of records is given back when the index is not used any more, and not
// before.
func TestMemoryGoesBackWithTheIndex(t *testing.T) {
	m := &slabs{}
	for range 3 * slabsChunk {
		s := m.take()
		s[0].Pins, s[slabLen-1].Pins = 1, 2
	}
	if len(m.chunks) != 3 {
		t.Errorf("%d chunks", len(m.chunks))
	}
	m.giveBack()
	for range 50 {
		ix := New()
		key := keyOf(1)
		s := ix.Shard(&key)
		_, r := s.Insert(&key)
		runtime.GC()
		if r.Key != key {
			t.Fatal("a record went with memory that was given back")
		}
		runtime.KeepAlive(ix)
	}
}
