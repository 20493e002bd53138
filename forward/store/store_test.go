package store

import (
	"testing"
	"time"
)

func TestAnObjectInMemoryIsAHit(t *testing.T) {
	s := open(t, memoryOnly())
	for n, size := range []int{0, 1, 100, 4095, 4096, 4097, 20_000, 256 << 10} {
		d := docOf(n, size)
		var r Reader
		if found := s.find(d, &r); found != Miss {
			t.Fatalf("found %d before it came", found)
		}
		s.put(t, d)
		if found := s.find(d, &r); found != Hit || !r.InMemory() || r.Length() != int64(size) {
			t.Fatalf("%d bytes: found %d, in memory %v, length %d", size, found, r.InMemory(), r.Length())
		}
		if f := r.Metadata(); f.Timestamp != 1_800_000_000 || f.Refs != 2 || f.Flags&stored != stored {
			t.Errorf("metadata %+v", f)
		}
		r.readAll(t, d)
		r.SeekTo(int64(size / 2))
		span, err := r.Next(t.Context(), 10)
		if want := min(10, size-size/2); err != nil || span.Length != int64(want) ||
			want > 0 && string(span.Pieces[0][:1]) != string(d.body[size/2:size/2+1]) {
			t.Errorf("from the middle: %+v, %v", span, err)
		}
		r.Close()
	}
}

// Heads and URLs of any length are given back as they came.
func TestLongHeadsAndURLs(t *testing.T) {
	s := open(t, memoryOnly())
	for n, size := range []int{10, 3000, 4000, 4096, 5000, 60_000} {
		d := docOf(n, 5000)
		for len(d.head) < size {
			d.head = append(d.head[:len(d.head)-2], "X-More: 0123456789012345678901234567890123456789\r\n\r\n"...)
		}
		for len(d.url) < size/2 {
			d.url = append(d.url, 'u')
		}
		s.put(t, d)
		var r Reader
		if found := s.find(d, &r); found != Hit {
			t.Fatalf("head of %d bytes: found %d", len(d.head), found)
		}
		r.readAll(t, d)
		r.Close()
		if found := s.Lookup(time.Now(), d.key, append(d.url[:len(d.url)-1:len(d.url)-1], 'x'), &r); found != Miss {
			t.Errorf("another URL with the same key: found %d", found)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	c := memoryOnly()
	s := open(t, c)
	for n := range 1500 {
		s.put(t, docOf(n, 8<<10))
	}
	st := s.Stats()
	if st.MemoryPages > st.MemoryLimit || st.InMemory != st.Objects || st.Objects < 200 || st.MemoryEvictions != int64(1500-st.Objects) {
		t.Errorf("%+v", st)
	}
	var r Reader
	for n := 1499; n > 1499-st.Objects; n-- {
		if s.find(docOf(n, 8<<10), &r) != Hit {
			t.Fatalf("object %d of %d left before older ones", n, 1500)
		}
		r.readAll(t, docOf(n, 8<<10))
		r.Close()
	}
	c.Memory = 1 << 20
	if err := s.Reconfigure(c); err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st.MemoryPages > 256 || st.Objects < 50 {
		t.Errorf("after cache_mem became 1 MB: %+v", st)
	}
}

func TestObjectsGoToDiskAndComeBack(t *testing.T) {
	c := withDisk(t)
	s := rebuilt(t, open(t, c))
	docs := []*doc{docOf(1, 0), docOf(2, 5000), docOf(3, 100_000), docOf(4, 1<<20), docOf(5, 3<<20)}
	for _, d := range docs {
		s.put(t, d)
	}
	c.Memory = 0
	if err := s.Reconfigure(c); err != nil {
		t.Fatal(err)
	}
	c.Memory = 4 << 20
	if err := s.Reconfigure(c); err != nil {
		t.Fatal(err)
	}
	if st := s.Stats(); st.Objects != len(docs) || st.InMemory != 0 {
		t.Fatalf("%+v", st)
	}
	for _, again := range []bool{false, true} {
		for _, d := range docs {
			var r Reader
			if found := s.find(d, &r); found != Hit {
				t.Fatalf("%s: found %d", d.url, found)
			}
			if small := len(d.body) <= int(c.MaxInMemory); r.InMemory() != (again && small) {
				t.Errorf("%s: in memory %v", d.url, r.InMemory())
			}
			r.readAll(t, d)
			r.Close()
		}
	}
	if st := s.Stats(); st.OpenFiles != 0 || st.SwapIns != 3 {
		t.Errorf("%+v", st)
	}
}

// A store that is opened on what another left has all of it.
func TestAStoreOutlivesItsProcess(t *testing.T) {
	c := withDisk(t)
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	rebuilt(t, s)
	var docs []*doc
	for n := range 300 {
		docs = append(docs, docOf(n, n*100))
		s.put(t, docs[n])
	}
	s.Purge(docs[7].key)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = rebuilt(t, open(t, c))
	if st := s.Stats(); st.Objects != 299 {
		t.Fatalf("%+v", st)
	}
	for n, d := range docs {
		var r Reader
		found := s.find(d, &r)
		if (found == Hit) != (n != 7) {
			t.Fatalf("object %d: found %d", n, found)
		}
		if found == Hit {
			r.readAll(t, d)
			r.Close()
		}
	}
}
