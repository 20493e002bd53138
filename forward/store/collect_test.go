package store

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"testing"
)

// scanned is how much of the heap a collection looks through in bytes, and in how many
// objects the heap is.
func scanned() (bytes, objects int64) {
	runtime.GC()
	runtime.GC() // what the first one found to be garbage is swept by now
	all := []metrics.Sample{{Name: "/gc/scan/heap:bytes"}, {Name: "/gc/heap/objects:objects"}}
	metrics.Read(all)
	return int64(all[0].Value.Uint64()), int64(all[1].Value.Uint64())
}

// A collection has next to nothing more to do with a full cache than with an empty one,
// be it full of small objects in memory or of entries of what is on disk.
func TestFullMemoryIsNotScanned(t *testing.T) {
	if raceEnabled {
		t.Skip("pages and records come from Go's heap")
	}
	c := memoryOnly()
	c.Memory = 64 << 20
	s := open(t, c)
	s.mem.SetPoison(false)
	bytesBefore, objectsBefore := scanned()
	d := docOf(1, 2<<10)
	o, h := d.opening(), d.published(len(d.body))
	for n := range 20_000 {
		o.URL = fmt.Append(o.URL[:0], "http://origin.example/", n)
		parts := KeyParts{Method: o.Method, URL: o.URL}
		h.Key = parts.Key()
		s.Put(&o, h, d.body)
	}
	s.loadMany(t, 300_000)
	bytes, objects := scanned()
	st := s.Stats()
	if st.MemoryPages < st.MemoryLimit || st.Objects < 300_000+st.MemoryLimit {
		t.Fatalf("not full: %+v", st)
	}
	t.Logf("%d objects: %d bytes more to scan, %d heap objects", st.Objects, bytes-bytesBefore, objects-objectsBefore)
	if grown := bytes - bytesBefore; grown > 128<<10 {
		t.Errorf("%d bytes more are scanned with %d objects", grown, st.Objects)
	}
	if grown := objects - objectsBefore; grown > 2000 {
		t.Errorf("the heap has %d objects more with %d in the cache", grown, st.Objects)
	}
	runtime.KeepAlive(s)
}
