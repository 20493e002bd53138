package store

import "testing"

// putUnknown stores an object whose length its head does not announce.
func (s *Store) putUnknown(t testing.TB, d *doc) {
	t.Helper()
	e := s.Begin(d.opening(), &filler{}, nil)
	e.Publish(d.published(-1))
	e.Append(d.body)
	e.Complete()
	eventually(t, "the object has settled", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.settled
	})
}

// holds tells where an object is, after reading all of it there.
func (s *Store) holds(t testing.TB, d *doc) (memory, disk bool) {
	t.Helper()
	var r Reader
	defer r.Close()
	if s.find(d, &r) == Miss {
		return false, false
	}
	if memory = r.InMemory(); memory {
		sh := s.ix.Shard((*[16]byte)(&d.key))
		sh.Lock()
		_, rec := sh.Find((*[16]byte)(&d.key))
		_, _, disk = rec.OnDisk()
		sh.Unlock()
	} else if disk = true; r.Load(t.Context(), d.url) != nil {
		t.Fatal("not to be loaded")
	}
	r.readAll(t, d)
	return memory, disk
}

// What no directory takes for its length stays in memory beyond
// maximum_object_size_in_memory, as in 2.6, up to a part of cache_mem.
func TestWhatNoDirectoryTakesStaysInMemory(t *testing.T) {
	c := withDisk(t)
	c.MaxInMemory, c.Dirs[0].MinSize = 1000, 100_000
	s := rebuilt(t, open(t, c))
	for n, want := range []struct {
		length       int
		memory, disk bool
	}{{500, true, false}, {50_000, true, false}, {200_000, false, true}} {
		d := docOf(n, want.length)
		s.put(t, d)
		if memory, disk := s.holds(t, d); memory != want.memory || disk != want.disk {
			t.Errorf("%d bytes: in memory %t, on disk %t", want.length, memory, disk)
		}
	}
	c.Dirs[0].MinSize = 2 << 20
	if err := s.Reconfigure(c); err != nil {
		t.Fatal(err)
	}
	d := docOf(10, int(c.Memory/aloneShare)+1)
	s.put(t, d)
	if memory, disk := s.holds(t, d); memory || disk {
		t.Error("more than its share of cache_mem stays")
	}
}

// A directory that takes objects up to a length takes those that did not announce one
// when they are whole.
func TestMaxSizeWithoutAnnouncedLength(t *testing.T) {
	c := withDisk(t)
	c.MaxInMemory, c.Dirs[0].MaxSize = 1000, 20_000
	s := rebuilt(t, open(t, c))
	for n, want := range []struct {
		length       int
		memory, disk bool
	}{{500, true, true}, {15_000, false, true}, {30_000, true, false}} {
		d := docOf(n, want.length)
		s.putUnknown(t, d)
		if memory, disk := s.holds(t, d); memory != want.memory || disk != want.disk {
			t.Errorf("%d bytes: in memory %t, on disk %t", want.length, memory, disk)
		}
	}
	if n := s.disks.at(0).coming.Load(); n != 0 {
		t.Errorf("%d bytes are still announced", n)
	}
}

// maximum_object_size counts the head, minimum_object_size does where no length was
// announced: 2.6's arithmetic.
func TestLengthsCountTheHead(t *testing.T) {
	c := memoryOnly()
	c.MinObject, c.MaxObject = 1000, 10_000
	s := open(t, c)
	head := len(docOf(0, 900).head)
	for n, want := range []struct {
		length    int
		announced bool
		kept      bool
	}{
		{1000 - 1, true, false}, {1000, true, true},
		{1000 - head - 1, false, false}, {1000 - head, false, true},
		{10_000 - head - 1, true, true}, {10_000, true, false},
		{10_000 - head - 1, false, true}, {10_000, false, false},
	} {
		d := docOf(n, want.length)
		if want.announced {
			s.put(t, d)
		} else {
			s.putUnknown(t, d)
		}
		if memory, _ := s.holds(t, d); memory != want.kept {
			t.Errorf("%d bytes, announced %t: kept %t", want.length, want.announced, memory)
		}
	}
}
