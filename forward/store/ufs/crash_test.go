package ufs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// world is what a process knows of its directory: what must be there after a kill
// and what may be.
type world struct {
	index   map[Key]*Record
	durable map[Key]Record          // in swap.state, the file whole
	maybe   map[Key]map[string]bool // replies that were whole and whose file has not gone
}

// crash runs random changes of a directory and looks, at each change of the disk,
// at what a kill just then would leave.
type crash struct {
	t       *testing.T
	rt      *rapid.T
	o       Options
	d       *Dir
	world   world
	file    map[Number]string // what each file holds
	stops   int
	phase   int
	scratch string
}

// lookEvery thins out the looks, to be quick: 1 looks at all 10,000 or so.
const lookEvery = 30

// TestCrash: a kill at any change of the disk loses at most what was being written,
// and nothing that is read afterwards is wrong.
func TestCrash(t *testing.T) {
	stops, scratch := 0, t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		c := &crash{t: t, rt: rt, o: Options{Path: t.TempDir(), L1: 1, L2: 1}, scratch: scratch, phase: rapid.IntRange(0, lookEvery-1).Draw(rt, "phase"), file: map[Number]string{},
			world: world{map[Key]*Record{}, map[Key]Record{}, map[Key]map[string]bool{}}}
		mustMake(t, c.o)
		step = c.look
		defer func() { step = func() {} }()
		c.start()
		rt.Repeat(map[string]func(*rapid.T){
			"store":   c.store,
			"delete":  c.delete,
			"flush":   func(*rapid.T) { c.must(c.d.Flush()); c.settle() },
			"rewrite": func(*rapid.T) { c.must(c.d.Rewrite(maps.Values(c.world.index), false)); c.settle() },
			"restart": func(rt *rapid.T) {
				c.must(c.d.Rewrite(maps.Values(c.world.index), rapid.Bool().Draw(rt, "clean")))
				c.must(c.d.Close())
				c.settle()
				c.start()
			},
		})
		c.d.Close()
		stops += c.stops
	})
	if stops < 100*lookEvery {
		t.Errorf("only %d kills were possible", stops)
	}
}

func (c *crash) must(err error) {
	if err != nil {
		c.rt.Fatal(err)
	}
}

func (c *crash) start() {
	d, err := Open(c.o)
	c.must(err)
	c.d = d
	x := simpleIndex{d: d, entries: map[Key]*Record{}}
	_, err = d.Rebuild(context.Background(), x.sink())
	c.must(err)
	sameRecords(c.t, x.entries, c.world.index)
}

// settle notes that all that is in the index is in swap.state.
func (c *crash) settle() {
	clear(c.world.durable)
	for key, rec := range c.world.index {
		c.world.durable[key] = *rec
		c.world.maybe[key] = map[string]bool{c.file[rec.Number]: true}
	}
	for key := range c.world.maybe {
		if c.world.index[key] == nil {
			delete(c.world.maybe, key)
		}
	}
}

func (c *crash) store(rt *rapid.T) {
	o := &object{url: fmt.Sprintf("http://a/%d", rapid.IntRange(0, 5).Draw(rt, "url")), version: rapid.IntRange(0, 3).Draw(rt, "version"),
		size: rapid.SampledFrom([]int{0, 10, 5000, 9000}).Draw(rt, "size"), unknown: rapid.Bool().Draw(rt, "unknown")}
	key := o.key()
	if old := c.world.index[key]; old != nil {
		c.remove(old)
	}
	if c.world.maybe[key] == nil {
		c.world.maybe[key] = map[string]bool{}
	}
	c.world.maybe[key][string(o.reply())] = true
	rec, err := store(c.d, o)
	c.must(err)
	c.world.index[key] = rec
	c.file[rec.Number] = string(o.reply())
}

func (c *crash) delete(rt *rapid.T) {
	for _, rec := range c.world.index {
		c.remove(rec)
		return
	}
	rt.Skip("nothing to delete")
}

func (c *crash) remove(rec *Record) {
	delete(c.world.index, rec.Key)
	delete(c.world.durable, rec.Key)
	c.must(c.d.Delete(rec))
	c.must(c.d.Unlink(rec.Number))
	delete(c.world.maybe, rec.Key)
	delete(c.file, rec.Number)
	c.settle() // Unlink has flushed
}

// look starts a copy of the directory as it is now.
func (c *crash) look() {
	if c.stops++; c.stops%lookEvery != c.phase {
		return
	}
	old := step
	step = func() {}
	defer func() { step = old }()
	o := c.o
	o.Path = c.copied()
	defer os.RemoveAll(o.Path)
	d, err := Open(o)
	c.must(err)
	defer d.Close()
	x := simpleIndex{d: d, entries: map[Key]*Record{}}
	_, err = d.Rebuild(context.Background(), x.sink())
	c.must(err)
	for key, want := range c.world.durable {
		if got := x.entries[key]; got == nil || *got != want {
			c.rt.Errorf("kill %d: %x is lost: %+v, want %+v", c.stops, key, got, want)
		}
	}
	for key, rec := range x.entries {
		reply, err := readReply(d, rec)
		_, must := c.world.durable[key]
		switch {
		case err == nil && !c.world.maybe[key][reply]:
			c.rt.Errorf("kill %d: %x reads as %.60q", c.stops, key, reply)
		case err != nil && must:
			c.rt.Errorf("kill %d: %x cannot be read: %v", c.stops, key, err)
		case err != nil && !errors.Is(err, ErrMismatch) && !errors.Is(err, fs.ErrNotExist):
			c.rt.Error(err)
		}
	}
	rec, err := store(d, &object{url: "http://a/after", size: 300})
	c.must(err)
	if _, err := readReply(d, rec); err != nil {
		c.rt.Error(err)
	}
}

// copied makes a copy of the directory. Object files, which are never changed once
// they are there, are linked.
func (c *crash) copied() string {
	to, err := os.MkdirTemp(c.scratch, "")
	c.must(err)
	o := c.o
	o.Path = to
	mustMake(c.t, o)
	for _, name := range filesOf(c.o.Path) {
		from, to := filepath.Join(c.o.Path, name), filepath.Join(to, name)
		if !strings.HasPrefix(name, "swap.state") {
			c.must(os.Link(from, to))
			continue
		}
		data, err := os.ReadFile(from)
		c.must(err)
		info, err := os.Stat(from)
		c.must(err)
		c.must(os.WriteFile(to, data, 0o644))
		c.must(os.Chtimes(to, info.ModTime(), info.ModTime()))
	}
	return to
}

// readReply reads an entry's reply as a hit does.
func readReply(d *Dir, rec *Record) (string, error) {
	o, err := d.OpenObject(rec.Number, &Want{Key: rec.Key, Size: rec.Size, Timestamp: rec.Timestamp}, make([]byte, 4096), false)
	if err != nil {
		return "", err
	}
	defer o.File.Close()
	reply := make([]byte, o.Size-o.HeadOffset)
	_, err = o.File.ReadAt(reply, o.HeadOffset)
	return string(reply), err
}
