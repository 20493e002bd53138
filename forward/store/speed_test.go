package store

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/store/index"
	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// hit is what a memory hit asks of the store.
func (s *Store) hit(t testing.TB, now time.Time, d *doc, r *Reader) {
	if s.Lookup(now, d.key, d.url, r) != Hit {
		t.Fatal("no hit")
	}
	head, err := r.Head()
	if err != nil || len(head) != len(d.head) {
		t.Fatal(err)
	}
	span, err := r.Next(context.Background(), 1<<40)
	if err != nil || span.Length != int64(len(d.body)) {
		t.Fatal(err)
	}
	r.Advance(span.Length)
	r.Close()
}

func TestAHitDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	s := open(t, memoryOnly())
	d := docOf(1, 32<<10)
	s.put(t, d)
	var r Reader
	now := time.Now()
	if n := testing.AllocsPerRun(100, func() { s.hit(t, now, d, &r) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// With -cpu 1,2: two cores serve at least 1.8 times as many.
func BenchmarkMemoryHit(b *testing.B) {
	for _, size := range []int{1 << 10, 32 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			c := memoryOnly()
			c.Memory = 64 << 20
			s := open(b, c)
			docs := make([]*doc, 1000)
			for n := range docs {
				docs[n] = docOf(n, size)
				s.put(b, docs[n])
			}
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				var r Reader
				now, n := time.Now(), 0
				for pb.Next() {
					n = (n*1103515245 + 12345) & (1<<20 - 1)
					s.hit(b, now, docs[n%len(docs)], &r)
				}
			})
		})
	}
}

// A miss that is stored, in memory alone.
func BenchmarkStore(b *testing.B) {
	s := open(b, memoryOnly())
	d := docOf(1, 1<<10)
	f := &filler{}
	var r Reader
	b.ReportAllocs()
	for range b.N {
		e := s.Begin(d.opening(), f, &r)
		e.Publish(d.published(len(d.body)))
		e.Append(d.body)
		e.Complete()
		r.Next(context.Background(), 1<<40)
		r.Advance(int64(len(d.body)))
		r.Close()
	}
}

// A hit on disk, with the file open already and not.
func BenchmarkDiskHit(b *testing.B) {
	for _, kept := range []int{0, index.Shards} {
		b.Run(fmt.Sprint(kept), func(b *testing.B) {
			c := withDisk(b)
			c.MaxInMemory, c.KeptFiles = 0, kept
			s := rebuilt(b, open(b, c))
			d := docOf(1, 64<<10)
			s.put(b, d)
			b.ReportAllocs()
			var r Reader
			for range b.N {
				if s.find(d, &r) != Hit || r.Load(context.Background(), d.url) != nil {
					b.Fatal("no hit")
				}
				if span, err := r.Next(context.Background(), 1<<40); err != nil || !span.File {
					b.Fatal(err)
				}
				r.Close()
			}
		})
	}
}

// status reads a line of /proc/self/status, in bytes.
func status(t testing.TB, name string) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			var kb int64
			fmt.Sscan(rest, &kb)
			return kb << 10
		}
	}
	t.Fatalf("no %s", name)
	return 0
}

// cache_mem full of objects of 8 KB takes 1.15 of it and 64 MB at most.
func TestResidentMemoryIsThatOfCacheMem(t *testing.T) {
	if raceEnabled {
		t.Skip("pages come from Go's heap")
	}
	c := memoryOnly()
	c.Memory = 128 << 20
	s := open(t, c)
	before := status(t, "VmRSS")
	d := docOf(0, 8<<10)
	for n := range 16_000 {
		d.url = fmt.Appendf(d.url[:0], "http://origin.example/%d", n)
		parts := KeyParts{Method: 1, URL: d.url}
		d.key = parts.Key()
		o := d.opening()
		o.URL = append([]byte(nil), d.url...)
		e := s.Begin(o, &filler{}, nil)
		e.Publish(d.published(len(d.body)))
		e.Append(d.body)
		e.Complete()
	}
	if st := s.Stats(); st.MemoryPages < st.MemoryLimit-8 {
		t.Fatalf("not full: %+v", st)
	}
	if grown := status(t, "VmRSS") - before; grown > c.Memory*115/100+64<<20 {
		t.Errorf("%d MB resident for a cache_mem of %d", grown>>20, c.Memory>>20)
	}
}

// The collector takes no longer for a full index. One million entries; run by
// hand: it says how long.
func BenchmarkCollect(b *testing.B) {
	for _, entries := range []int{0, 1_000_000} {
		b.Run(fmt.Sprint(entries), func(b *testing.B) {
			s := open(b, memoryOnly())
			s.loadMany(b, entries)
			b.ResetTimer()
			for range b.N {
				runtime.GC()
			}
		})
	}
}

// BenchmarkLoad is what a million entries of swap.state cost the index.
func BenchmarkLoad(b *testing.B) {
	for range b.N {
		open(b, memoryOnly()).loadMany(b, 1_000_000)
	}
}

func (s *Store) loadMany(t testing.TB, entries int) {
	d := &disk{}
	d.config.Store(&DirConfig{Path: "x", Size: 1 << 40})
	d.order.Store(s.ix.NewOrder(LRU.order(), diskLinks))
	var r ufs.Record
	for n := range entries {
		r.Number, r.Size = ufs.Number(n), 10_000
		r.Key = ufs.Key(Key{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24), 7})
		if s.loadRecord(d, &r) != ufs.Loaded {
			t.Fatal("not loaded")
		}
	}
}
