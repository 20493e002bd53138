package ufs

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// TestRewriteWhileChanging: what is added and deleted while swap.state is written anew
// is in the new one.
func TestRewriteWhileChanging(t *testing.T) {
	o, d, index := filled(t, 30)
	before := maps.Clone(index)
	i := 0
	err := d.Rewrite(func(yield func(*Record) bool) {
		for _, rec := range before {
			if i++; i%3 == 0 { // it goes, after the walk has passed it or before
				delete(index, rec.Key)
				d.Delete(rec)
				if err := d.Unlink(rec.Number); err != nil {
					t.Error(err)
				}
				more := mustStore(t, d, &object{url: fmt.Sprintf("http://b/%d", i), size: 50})
				index[more.Key] = more
			}
			if !yield(rec) {
				return
			}
		}
	}, false)
	if err != nil {
		t.Fatal(err)
	}
	last := mustStore(t, d, &object{url: "http://c/", size: 50})
	index[last.Key] = last
	end(t, d, index, false)
	got, _ := mustRebuild(t, mustOpen(t, o))
	sameRecords(t, got, index)
}

// TestManyAtOnce: writers, readers, deletions, rotations and flushes side by side.
func TestManyAtOnce(t *testing.T) {
	o, d, _ := filled(t, 0)
	var mu sync.Mutex
	index := map[Key]*Record{}
	change := func(f func()) { mu.Lock(); defer mu.Unlock(); f() }
	var all sync.WaitGroup
	for g := range 6 {
		all.Go(func() {
			for i := range 30 {
				ob := &object{url: fmt.Sprintf("http://%d/%d", g, i%7), version: i, size: 50 * i}
				var old *Record
				change(func() { old = index[ob.key()]; delete(index, ob.key()) })
				if old != nil {
					d.Delete(old)
					if err := d.Unlink(old.Number); err != nil {
						t.Error(err)
					}
				}
				rec, err := storeWith(d, ob, func(rec *Record) { change(func() { index[rec.Key] = rec }) })
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := readReply(d, rec); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 2 * 10 {
		all.Go(func() {
			var now []*Record
			err := d.Rewrite(func(yield func(*Record) bool) {
				change(func() {
					for _, rec := range index {
						now = append(now, rec)
					}
				})
				for _, rec := range now {
					if !yield(rec) {
						return
					}
				}
			}, false)
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	end(t, d, index, false)
	got, report := mustRebuild(t, mustOpen(t, o))
	if sameRecords(t, got, index); report.Missing+report.Unfinished+report.Invalid > 0 {
		t.Errorf("rebuilt with %+v", report)
	}
}

// TestBloated: swap.state does not grow without bound.
func TestBloated(t *testing.T) {
	o := newDir(t)
	d := mustOpen(t, o)
	mustRebuild(t, d)
	rec := &Record{Number: 1, Size: 100}
	for range bloat/2 + 2 {
		if d.Bloated(1) {
			t.Fatal("bloated too soon")
		}
		d.Add(rec)
		d.Delete(rec)
	}
	d.Flush()
	if !d.Bloated(1) {
		t.Errorf("%d octets for one entry are not bloated", d.journal.length())
	}
	if err := d.Rewrite(func(yield func(*Record) bool) { yield(rec) }, false); err != nil || d.Bloated(1) {
		t.Errorf("after writing it anew: %v", err)
	}
	if info, err := os.Stat(filepath.Join(o.Path, "swap.state")); err != nil || info.Size() != 2*recordSize {
		t.Errorf("%v, %v", info, err)
	}
}

// TestRewriteFails: where no new swap.state can be written the old one goes on.
func TestRewriteFails(t *testing.T) {
	o, d, index := filled(t, 5)
	inTheWay := filepath.Join(o.Path, "swap.state"+newSuffix, "a folder with a file")
	if err := os.MkdirAll(inTheWay, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := d.Rewrite(maps.Values(index), false); err == nil {
		t.Error("written into a folder")
	}
	rec := mustStore(t, d, &object{url: "http://c/", size: 50})
	index[rec.Key] = rec
	end(t, d, index, false)
	got, _ := mustRebuild(t, mustOpen(t, o))
	sameRecords(t, got, index)
}

// BenchmarkReplay is a start with 1,000,000 entries in swap.state.
func BenchmarkReplay(b *testing.B) {
	for _, clean := range []bool{true, false} {
		b.Run(map[bool]string{true: "clean", false: "dirty"}[clean], func(b *testing.B) {
			o := Options{Path: b.TempDir(), L1: 16, L2: 256}
			mustMake(b, o)
			log := appendHeader(nil)
			for i := range 1_000_000 {
				rec := Record{Number: Number(i), Size: 1000, Times: Times{objectTime, objectTime, -1, -1}}
				rec.Key = Key{byte(i), byte(i >> 8), byte(i >> 16), 1}
				log = rec.append(log, opAdd)
			}
			for b.Loop() {
				os.WriteFile(filepath.Join(o.Path, "swap.state"), log, 0o644)
				if clean {
					os.WriteFile(filepath.Join(o.Path, "swap.state"+cleanSuffix), nil, 0o644)
				}
				o.ReadOnly = true // no file is there to be missed
				d, err := Open(o)
				if err != nil {
					b.Fatal(err)
				}
				n := 0
				if _, err := d.Rebuild(context.Background(), Sink{Load: func(*Record) Verdict { n++; return Loaded }}); err != nil || clean && n != 1_000_000 {
					b.Fatal(n, err)
				}
			}
		})
	}
}
