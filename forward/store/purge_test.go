package store

import (
	"sync"
	"testing"
)

// Rule 5: a purged entry's readers finish; it is found by nobody, and nothing stays.
func TestPurgeWhileItIsRead(t *testing.T) {
	for _, when := range []string{"pending", "streaming", "complete"} {
		c := withDisk(t)
		s := rebuilt(t, open(t, c))
		d := docOf(1, 100_000)
		opening := d.opening()
		opening.Collapsed = true
		var own, other, r Reader
		e := s.Begin(opening, &filler{}, &own)
		purge := func(now string) {
			if now != when {
				return
			}
			if !s.Purge(d.key) || s.Purge(d.key) {
				t.Errorf("%s: purged not once", when)
			}
			if found := s.find(d, &r); found != Miss {
				t.Errorf("%s: found %d after it was purged", when, found)
			}
		}
		e.Put()
		e.Own() // this goroutine stands for the fetch's
		purge("pending")
		e.Publish(d.published(len(d.body)))
		e.Append(d.body[:50_000])
		if when != "pending" {
			s.find(d, &other)
			other.read(t.Context(), 100)
			other.Close()
			s.find(d, &other)
		}
		purge("streaming")
		e.Append(d.body[50_000:])
		e.Complete()
		if when == "complete" {
			eventually(t, "it has settled", func() bool { return s.Stats().Objects == 1 })
		}
		purge("complete")
		own.readAll(t, d)
		own.Close()
		if other.Open() {
			other.readAll(t, d)
			other.Close()
		}
		if found := s.find(d, &r); found != Miss {
			t.Errorf("%s: found %d at the end", when, found)
		}
		eventually(t, "nothing is left of it", func() bool {
			st := s.Stats()
			return st.MemoryPages == 0 && st.Objects == 0 && st.Dirs[0].Size == 0 && st.OpenFiles == 0 && filesIn(t, c.Dirs[0].Path) == 0
		})
	}
}

// Who joined an entry that nobody began it for gets all of it when it is purged before
// its first byte: the writer has no client of its own to give the bytes to.
func TestPurgedUnderWhoJoined(t *testing.T) {
	s, d := open(t, memoryOnly()), docOf(1, 9000)
	e := s.Begin(d.opening(), &filler{}, nil)
	e.Publish(d.published(len(d.body)))
	var r Reader
	if found := s.find(d, &r); found != Joined {
		t.Fatal(found)
	}
	s.Purge(d.key)
	if !e.Append(d.body) {
		t.Error("the bytes passed by")
	}
	e.Complete()
	r.readAll(t, d)
	r.Close()
}

// Many purge, fetch and read the same few objects; whoever finds one gets its bytes.
func TestPurgingUnderLoad(t *testing.T) {
	c := withDisk(t)
	c.Memory = 1 << 20
	s := rebuilt(t, open(t, c))
	docs := make([]*doc, 16)
	for n := range docs {
		docs[n] = docOf(n, n*n*1000)
	}
	var all sync.WaitGroup
	for worker := range 6 {
		all.Go(func() {
			for i := range 150 {
				d := docs[(i*7+worker*5)%len(docs)]
				var r Reader
				switch found := s.find(d, &r); {
				case found == Miss && worker < 3:
					e := s.Begin(d.opening(), &filler{}, nil)
					e.Publish(d.published(len(d.body)))
					for at := 0; at < len(d.body); at += 30_000 {
						if e.Pace(t.Context()) != nil {
							break
						}
						e.Append(d.body[at:min(at+30_000, len(d.body))])
					}
					e.Complete()
				case found == Waiting:
					t.Error("waits for a head without collapsed forwarding")
				case found != Miss:
					r.readAll(t, d)
				}
				r.Close()
				if i%10 == worker {
					s.Purge(d.key)
				}
			}
		})
	}
	all.Wait()
	for _, d := range docs {
		s.Purge(d.key)
	}
	eventually(t, "nothing is left", func() bool {
		st := s.Stats()
		return st.MemoryPages == 0 && st.Objects == 0 && st.Pinned == 0 && st.OpenFiles == 0 && st.Dirs[0].Size == 0 && filesIn(t, c.Dirs[0].Path) == 0
	})
}
