package store

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// Whatever is put, read, refreshed, purged and pushed out, in memory and on disk: a hit
// is what was put last under its key, and what was purged is no hit.
func TestAHitIsWhatWasPutLast(t *testing.T) {
	for _, disk := range []bool{false, true} {
		t.Run(fmt.Sprint(disk), func(t *testing.T) {
			c := memoryOnly()
			if disk {
				c = withDisk(t)
				c.Dirs[0].Size = 1 << 20
				c.KeptFiles = 256
			}
			c.Memory, c.MaxInMemory, c.UpdateHeaders = 256<<10, 20_000, true
			s := rebuilt(t, open(t, c))
			rapid.Check(t, func(rt *rapid.T) { checkHits(t, rt, s, c) })
		})
	}
}

func checkHits(t *testing.T, rt *rapid.T, s *Store, c Config) {
	const objects = 12
	last := map[int]*doc{}
	for n := range objects {
		s.Purge(docOf(n, 0).key)
	}
	open := map[int]*Reader{} // readers that stay, and what they must read in the end
	reads := map[int]*doc{}
	version := 0
	which := rapid.IntRange(0, objects-1)
	rt.Repeat(map[string]func(*rapid.T){
		"put": func(rt *rapid.T) {
			n := which.Draw(rt, "object")
			d := docOf(n, rapid.SampledFrom([]int{0, 100, 4000, 9000, 19_000, 50_000, 150_000}).Draw(rt, "size"))
			version++
			d.head = fmt.Appendf(nil, "HTTP/1.0 200 OK\r\nX-Version: %d\r\n\r\n", version)
			for i := range d.body {
				d.body[i] += byte(version)
			}
			s.put(t, d)
			last[n] = d
		},
		"get": func(rt *rapid.T) {
			n := which.Draw(rt, "object")
			var r Reader
			found := s.find(docOf(n, 0), &r)
			if found == Miss {
				return
			}
			defer r.Close()
			if last[n] == nil {
				rt.Fatalf("object %d: found %d after it was purged", n, found)
			}
			r.readAll(t, last[n])
		},
		"open": func(rt *rapid.T) {
			n := which.Draw(rt, "object")
			if open[n] != nil {
				open[n].readAll(t, reads[n])
				open[n].Close()
				delete(open, n)
				return
			}
			r := new(Reader)
			if s.find(docOf(n, 0), r) == Miss {
				return
			}
			if err := r.Load(t.Context(), docOf(n, 0).url); err != nil {
				rt.Fatal(err)
			}
			open[n], reads[n] = r, last[n]
		},
		"refresh": func(rt *rapid.T) {
			n := which.Draw(rt, "object")
			d := last[n]
			var r Reader
			if d == nil || s.find(d, &r) != Hit {
				r.Close()
				return
			}
			defer r.Close()
			if err := r.Load(t.Context(), d.url); err != nil {
				rt.Fatal(err)
			}
			version++
			fresh := *d
			fresh.head = fmt.Appendf(nil, "HTTP/1.0 200 OK\r\nX-Version: %d\r\n\r\n", version)
			h := fresh.published(-1)
			h.Metadata.Timestamp += Time(version)
			if !s.Refresh(&r, h) {
				return
			}
			last[n] = &fresh
			// Until the file is written anew it has the old head.
			eventually(t, "the file has the new head", func() bool { return s.rewrites.Load() == 0 })
		},
		"purge": func(rt *rapid.T) {
			n := which.Draw(rt, "object")
			s.Purge(docOf(n, 0).key)
			delete(last, n)
		},
		"memory": func(rt *rapid.T) {
			c.Memory = rapid.Int64Range(0, 256<<10).Draw(rt, "cache_mem")
			if err := s.Reconfigure(c); err != nil {
				rt.Fatal(err)
			}
		},
	})
	for n, r := range open {
		r.readAll(t, reads[n])
		r.Close()
	}
}
