package store

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// What neighbours are told of an object is what a reader would find, and telling is no
// use of it.
func TestGlance(t *testing.T) {
	s := rebuilt(t, open(t, withDisk(t)))
	d, other := docOf(1, 50_000), docOf(2, 10)
	glance := func(when string, want bool) {
		t.Helper()
		before := s.Stats()
		f, ok := s.Glance(d.key, d.url)
		if ok != want || ok && (f.Expires != 1_900_000_000 || f.LastMod != Unknown) {
			t.Errorf("%s: %v %+v", when, ok, f)
		}
		if after := s.Stats(); after.MemoryHits != before.MemoryHits || after.DiskHits != before.DiskHits || after.Misses != before.Misses {
			t.Errorf("%s: it counted as a use", when)
		}
	}
	glance("nothing there", false)
	opening := d.opening()
	opening.Collapsed = true
	var own Reader
	e := s.Begin(opening, &filler{}, &own)
	glance("no head yet", false)
	e.Publish(d.published(len(d.body)))
	glance("on its way", true)
	if _, ok := s.Glance(d.key, other.url); ok {
		t.Error("on its way: found under another URL")
	}
	e.Append(d.body)
	e.Complete()
	own.readAll(t, d)
	own.Close()
	glance("whole", true)
	if _, ok := s.Glance(d.key, other.url); ok {
		t.Error("whole: found under another URL")
	}
	s.Purge(d.key)
	glance("purged", false)
}

// A walk in slices meets every object that is there all the while once, whatever
// comes and goes meanwhile.
func TestWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := memoryOnly()
		c.Memory = 64 << 20 // nothing has to leave
		s, err := Open(c)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		put := func(n int) *doc {
			d := docOf(n, 0)
			e := s.Begin(d.opening(), &filler{}, nil)
			e.Publish(d.published(0))
			e.Complete()
			return d
		}
		stays, goes := map[Key]string{}, []*doc{}
		n := rapid.IntRange(0, 600).Draw(t, "objects")
		for i := range n {
			if d := put(i); i%3 != 0 {
				stays[d.key] = string(d.url)
			} else {
				goes = append(goes, d)
			}
		}
		slice := rapid.IntRange(1, 100).Draw(t, "slice")
		seen := map[Key]int{}
		for position, more := uint64(0), true; more; more = position != 0 {
			left := slice
			position = s.Walk(position, func(p *Passed) bool {
				seen[p.Key]++
				if url, known := stays[p.Key]; known && string(p.URL(nil)) != url {
					t.Fatalf("%s is said to be %s", url, p.URL(nil))
				}
				left--
				return left > 0
			})
			if len(goes) > 0 {
				s.Purge(goes[0].key)
				goes = goes[1:]
			}
			put(1000 + len(seen))
		}
		for key, url := range stays {
			if seen[key] != 1 {
				t.Fatalf("%s was visited %d times of %d objects in slices of %d", url, seen[key], n, slice)
			}
		}
	})
}

// A URL that does not fit into the first page is told whole.
func TestWalkLongURL(t *testing.T) {
	s := open(t, memoryOnly())
	d := docOf(1, 10)
	for len(d.url) < 10_000 {
		d.url = fmt.Appendf(d.url, "/%d", len(d.url))
	}
	s.put(t, d)
	s.Walk(0, func(p *Passed) bool {
		if string(p.URL(nil)) != string(d.url) {
			t.Errorf("%d bytes of %d", len(p.URL(nil)), len(d.url))
		}
		return true
	})
}
