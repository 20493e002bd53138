package store

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// rack is directories that are only chosen from.
func rack(t *rapid.T) *disks {
	ds := &disks{wake: make(chan struct{}, 1)}
	for i := range rapid.IntRange(0, 5).Draw(t, "directories") {
		d := &disk{slot: i}
		c := &DirConfig{Path: fmt.Sprint(i), Size: rapid.Int64Range(1, 40).Draw(t, "room"), MaxSize: -1,
			ReadOnly: rapid.IntRange(0, 5).Draw(t, "read-only") == 0, NoStore: rapid.IntRange(0, 9).Draw(t, "no-store") == 0}
		if rapid.Bool().Draw(t, "bounded") {
			c.MinSize, c.MaxSize = rapid.Int64Range(0, 4).Draw(t, "min-size"), rapid.Int64Range(0, 8).Draw(t, "max-size")
		}
		d.config.Store(c)
		d.size.Store(rapid.Int64Range(0, 44).Draw(t, "size"))
		d.open.Store(rapid.Int32Range(0, 9).Draw(t, "open files"))
		d.failed.Store(rapid.IntRange(0, 9).Draw(t, "failed") == 0)
		ds.slots[i].Store(d)
	}
	return ds
}

// suits tells in the plainest way whether a directory takes an object.
func suits(d *disk, size int64) bool {
	c := d.config.Load()
	fits := c.MaxSize == -1
	if size >= 0 {
		fits = size >= c.MinSize && (c.MaxSize == -1 || size < c.MaxSize)
	}
	return fits && !c.ReadOnly && !c.NoStore && !d.failed.Load() && d.size.Load() <= c.Size
}

// least-load as 2.6 goes through its directories, written down once more: a later
// one wins with less load, or with the same when its max-size is no farther and its
// room no smaller.
func TestLeastLoadIsThatOfTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ds := rack(t)
		size := rapid.Int64Range(-1, 9).Draw(t, "object")
		want := -1
		for i, d := range ds.all() {
			if !suits(d, size) {
				continue
			}
			if want < 0 {
				want = i
				continue
			}
			best := ds.all()[want]
			load, least := int(d.open.Load())/2, int(best.open.Load())/2
			max, nearest := d.config.Load().MaxSize, best.config.Load().MaxSize
			farther := nearest != -1 && (max == -1 || max > nearest)
			room, most := d.config.Load().Size-d.size.Load(), best.config.Load().Size-best.size.Load()
			if load < least || load == least && !farther && room >= most {
				want = i
			}
		}
		got := -1
		if d := ds.leastLoaded(size); d != nil {
			got = d.slot
		}
		if got != want {
			t.Fatalf("directory %d, the model says %d", got, want)
		}
	})
}

// round-robin gives each directory that takes the object its turn.
func TestRoundRobinIsThatOfTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ds := rack(t)
		all := ds.all()
		at := 0
		for range 20 {
			size := rapid.Int64Range(-1, 9).Draw(t, "object")
			want := -1
			for range all {
				if at++; suits(all[at%len(all)], size) {
					want = at % len(all)
					break
				}
			}
			got := -1
			if d := ds.nextInTurn(size); d != nil {
				got = d.slot
			}
			if got != want {
				t.Fatalf("directory %d, the model says %d", got, want)
			}
		}
	})
}
