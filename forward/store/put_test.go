package store

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// putWhole stores an object by Put.
func (s *Store) putWhole(d *doc) {
	o := d.opening()
	s.Put(&o, d.published(len(d.body)), d.body)
}

// What is put whole is found as what was appended is: heads and bodies of all sizes
// around those of pages.
func TestPut(t *testing.T) {
	s := open(t, memoryOnly())
	var docs []*doc
	for n, size := range []int{0, 1, 1000, 3500, 3900, 4000, 4096, 4097, 8192, 12_000, 100_000} {
		for extra := range 3 {
			d := docOf(10*n+extra, size)
			d.head = append(d.head[:len(d.head)-2], "X-Long: "...)
			d.head = append(append(d.head, bytes.Repeat([]byte("x"), extra*2000)...), "\r\n\r\n"...)
			if extra == 1 {
				d.vary = "accept=\"x\""
			}
			docs = append(docs, d)
			s.putWhole(d)
		}
	}
	for _, d := range docs {
		var r Reader
		if found := s.find(d, &r); found != Hit || !r.InMemory() || r.Length() != int64(len(d.body)) {
			t.Fatalf("%s: %v", d.url, found)
		}
		if head, err := r.Head(); err != nil || !bytes.Equal(head, d.head) {
			t.Errorf("%s: head of %d bytes, %v", d.url, len(head), err)
		}
		if vary := r.Vary(nil); string(vary) != d.vary {
			t.Errorf("%s: selected by %q", d.url, vary)
		}
		if f := r.Metadata(); f.Refs != 2 || f.Flags&stored == 0 || f.LastRef == 0 || f.Expires != 1_900_000_000 {
			t.Errorf("%s: %+v", d.url, f)
		}
		r.readAll(t, d)
		r.Close()
	}
	if st := s.Stats(); st.Stored != int64(len(docs)) || st.Begun != st.Stored || st.InMemory != len(docs) {
		t.Errorf("%+v", st)
	}
}

// What had the key before is gone, whatever it is and whether the new object is kept or
// not; who reads it finishes.
func TestPutTakesThePlaceOfAnother(t *testing.T) {
	for _, kept := range []bool{true, false} {
		t.Run(fmt.Sprint(kept), func(t *testing.T) {
			c := memoryOnly()
			var released []string
			c.Log = func(e *Event) Line {
				released = append(released, fmt.Sprintf("%s %d %s", e.Action, len(e.Head), e.URL))
				return nil
			}
			s := open(t, c)
			newer := docOf(1, 2000)
			if !kept {
				newer = docOf(1, 300_000)
			}
			want := map[bool]Found{true: Hit, false: Miss}[kept]
			look := func(when string) {
				t.Helper()
				var r Reader
				found := s.find(newer, &r)
				if found != want {
					t.Fatalf("%s: %v", when, found)
				}
				if found == Hit {
					r.readAll(t, newer)
				}
				r.Close()
			}

			older := docOf(1, 5000)
			older.body[0]++
			s.put(t, older)
			var r Reader
			if s.find(older, &r) != Hit {
				t.Fatal("not stored")
			}
			s.putWhole(newer)
			look("after a whole one")
			r.readAll(t, older)
			r.Close()

			var own Reader
			e := s.Begin(older.opening(), &filler{}, &own)
			e.Publish(older.published(len(older.body)))
			e.Append(older.body[:1000])
			s.putWhole(newer)
			look("while another is on its way")
			e.Append(older.body[1000:])
			e.Complete()
			own.readAll(t, older)
			own.Close()
			look("when the other has come")

			lines := len(released)
			s.putWhole(newer)
			if fmt.Sprint(released[lines:]) != map[bool]string{
				true:  fmt.Sprintf("[RELEASE %[1]d %[2]s SO_FAIL %[1]d %[2]s]", len(newer.head), newer.url),
				false: fmt.Sprintf("[RELEASE %d %s]", len(newer.head), newer.url),
			}[kept] {
				t.Errorf("store.log: %q", released[lines:])
			}
		})
	}
}

// One whose head is not there yet is newer: nobody finds it in the place of what was put,
// and it takes that place when its head comes.
func TestPutWhileAnotherIsPending(t *testing.T) {
	s := open(t, memoryOnly())
	first, second := docOf(1, 2000), docOf(1, 3000)
	o := second.opening()
	o.Collapsed = true
	var own, r Reader
	e := s.Begin(o, &filler{}, &own)
	s.putWhole(first)
	if found := s.find(first, &r); found != Hit {
		t.Fatal(found)
	}
	r.readAll(t, first)
	r.Close()
	e.Publish(second.published(len(second.body)))
	if found := s.find(second, &r); found != Joined {
		t.Fatal(found)
	}
	e.Append(second.body)
	e.Complete()
	r.readAll(t, second)
	r.Close()
	own.Close()
	if found := s.find(second, &r); found != Hit {
		t.Fatal(found)
	}
	r.readAll(t, second)
	r.Close()
}

// When every page is in use what is put is not kept, and no page is lost.
func TestPutWithoutPages(t *testing.T) {
	c := memoryOnly()
	c.Memory = 16 << 10
	s := open(t, c)
	held, d := docOf(1, 9000), docOf(2, 9000)
	s.put(t, held)
	var r Reader
	if s.find(held, &r) != Hit {
		t.Fatal("not stored")
	}
	s.putWhole(d)
	var none Reader
	if found := s.find(d, &none); found != Miss {
		t.Fatal(found)
	}
	r.readAll(t, held)
	r.Close()
	s.putWhole(d)
	if s.find(d, &r) != Hit {
		t.Fatal("there was room")
	}
	r.readAll(t, d)
	r.Close()
	if st := s.Stats(); st.MemoryPages != 3 || st.MemoryEvictions != 1 {
		t.Errorf("%+v", st)
	}
}

// A directory gets it, too.
func TestPutOnDisk(t *testing.T) {
	c := withDisk(t)
	c.MaxInMemory = 1000
	s := rebuilt(t, open(t, c))
	small, large := docOf(1, 500), docOf(2, 50_000)
	s.putWhole(small)
	s.putWhole(large)
	eventually(t, "both are on disk", func() bool { return s.Stats().Dirs[0].Objects == 2 })
	for _, d := range []*doc{small, large} {
		var r Reader
		if s.find(d, &r) != Hit || r.Load(t.Context(), d.url) != nil {
			t.Fatal("no hit")
		}
		r.readAll(t, d)
		r.Close()
	}
}

// Those who put, read, purge and fetch the same few objects at the same time never see
// other bytes than were put.
func TestPutRaces(t *testing.T) {
	c := memoryOnly()
	c.Memory = 64 << 10
	s := open(t, c)
	var docs [4]*doc
	for n := range docs {
		docs[n] = docOf(n, 3000*(n+1))
	}
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			var r Reader
			for i := range 300 {
				d := docs[(i+worker)%len(docs)]
				switch (i + worker) % 5 {
				case 0:
					s.Purge(d.key)
				case 1:
					e := s.Begin(d.opening(), &filler{}, nil)
					e.Publish(d.published(len(d.body)))
					e.Append(d.body)
					e.Complete()
				default:
					s.putWhole(d)
				}
				if found := s.find(d, &r); found == Hit || found == Joined {
					r.readAll(t, d)
					r.Close()
				}
			}
		})
	}
	all.Wait()
}

func TestPutDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	c := memoryOnly()
	c.Memory = 1 << 20
	s := open(t, c)
	d := docOf(1, 1<<10)
	o, h := d.opening(), d.published(len(d.body))
	put := func() {
		d.key[0]++
		d.key[1] += d.key[0] & 1
		o.Key, h.Key = d.key, d.key
		s.Put(&o, h, d.body)
	}
	for range 2000 { // until it is full, and the index as large as it becomes
		put()
	}
	if n := testing.AllocsPerRun(1000, put); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// What is whole at once, in a cache that is full.
func BenchmarkPut(b *testing.B) {
	s := open(b, memoryOnly())
	s.mem.SetPoison(false)
	d := docOf(1, 1<<10)
	o, h := d.opening(), d.published(len(d.body))
	b.ReportAllocs()
	for n := range b.N {
		parts := KeyParts{Method: 1, URL: fmt.Append(d.url[:0], n)}
		h.Key = parts.Key()
		s.Put(&o, h, d.body)
	}
	var r Reader
	if s.Lookup(time.Now(), h.Key, d.url, &r) == Hit {
		r.Next(context.Background(), 1)
		r.Close()
	}
}
