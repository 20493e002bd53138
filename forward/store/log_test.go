package store

import (
	"fmt"
	"sync"
	"syscall"
	"testing"
)

// What store.log shows, in the order it happens: 2.6 says nothing of an object that
// goes into memory alone.
func TestEvents(t *testing.T) {
	c, f, _ := withFaulty(t)
	var mu sync.Mutex
	var lines []string
	c.Log = func(e *Event) Line {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, fmt.Sprintf("%s %d %s %d/%d %s %s", e.Action, e.Dir, e.Key, e.Announced, e.Length, e.Method, e.URL))
		if e.Action != Released && len(e.Head) == 0 {
			t.Errorf("%s without a head", e.Action)
		}
		return nil
	}
	s := rebuilt(t, open(t, c))
	kept, purged, cut, failed := docOf(1, 500), docOf(2, 600_000), docOf(3, 700), docOf(4, 800)
	s.put(t, kept)
	s.put(t, purged)
	s.Purge(purged.key)
	e := s.Begin(cut.opening(), &filler{}, nil)
	e.Publish(cut.published(-1))
	e.Append(cut.body)
	e.Abort(nil)
	f.fail(syscall.EIO, nil)
	s.put(t, failed)
	want := []string{
		fmt.Sprintf("SWAPOUT 0 %s 500/500 GET %s", kept.key, kept.url),
		fmt.Sprintf("SWAPOUT 0 %s 600000/600000 GET %s", purged.key, purged.url),
		fmt.Sprintf("RELEASE 0 %s 0/0  ", purged.key),
		fmt.Sprintf("RELEASE -1 %s -1/700 GET %s", cut.key, cut.url),
		fmt.Sprintf("SO_FAIL 0 %s 800/800 GET %s", failed.key, failed.url),
	}
	mu.Lock()
	defer mu.Unlock()
	if fmt.Sprint(lines) != fmt.Sprint(want) {
		t.Errorf("%q\nwant %q", lines, want)
	}
	if st := s.Stats(); st.MemoryHits != 0 || st.DiskHits != 0 {
		t.Errorf("%+v", st)
	}
}

// Whatever is stored and purged at once, the lines about one object come in order: it is
// on disk before it has left.
func TestEventsComeInOrder(t *testing.T) {
	c, _, _ := withFaulty(t)
	var mu sync.Mutex
	onDisk := map[Key]string{}
	c.Log = func(e *Event) Line {
		mu.Lock()
		defer mu.Unlock()
		file := fmt.Sprint(e.Dir, e.Number)
		switch was := onDisk[e.Key]; {
		case e.Action == SwappedOut && was == "":
			onDisk[e.Key] = file
		case e.Action == Released && e.Dir >= 0 && was == file:
			delete(onDisk, e.Key)
		case e.Dir >= 0:
			t.Errorf("%s of file %s while %q is on disk", e.Action, file, was)
		}
		return nil
	}
	s := rebuilt(t, open(t, c))
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 100 {
				d := docOf(i%4, 500)
				s.put(t, d)
				s.Purge(d.key)
			}
		})
	}
	all.Wait()
}
