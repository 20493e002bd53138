package store

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// shown is the log of a store as text. Private keys, each of which there is once, are
// shown as such.
type shown struct {
	mu    sync.Mutex
	lines []string
	keys  map[Key]string
}

func (l *shown) log(e *Event) Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	key, public := l.keys[e.Key]
	if !public {
		key = "private"
		l.keys[e.Key] = "private again"
	}
	if len(e.Head) == 0 {
		l.lines = append(l.lines, fmt.Sprintf("%s %d %s ?", e.Action, e.Dir, key))
		return nil
	}
	l.lines = append(l.lines, fmt.Sprintf("%s %d %s %d %s %s", e.Action, e.Dir, key, e.Length, e.Method, e.URL))
	return nil
}

// knows gives the keys of objects names.
func (l *shown) knows(docs ...*doc) {
	l.keys = map[Key]string{}
	for i, d := range docs {
		l.keys[d.key] = fmt.Sprintf("key%d", i)
	}
}

func (l *shown) want(t *testing.T, want ...string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Equal(l.lines, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(l.lines, "\n"), strings.Join(want, "\n"))
	}
	l.lines = nil
}

// What store.log shows, in the order it happens.
func TestEvents(t *testing.T) {
	c, f, _ := withFaulty(t)
	var l shown
	c.Log = l.log
	s := rebuilt(t, open(t, c))
	kept, purged, cut, failed := docOf(1, 500), docOf(2, 600_000), docOf(3, 700), docOf(4, 800)
	l.knows(kept, purged, cut, failed)
	s.put(t, kept)
	s.put(t, purged)
	s.Purge(purged.key)
	l.want(t,
		fmt.Sprintf("SWAPOUT 0 key0 500 GET %s", kept.url),
		fmt.Sprintf("SWAPOUT 0 key1 600000 GET %s", purged.url),
		"RELEASE 0 key1 ?") // it is on disk only
	e := s.Begin(cut.opening(), &filler{}, nil)
	e.Publish(cut.published(-1))
	e.Append(cut.body)
	e.Abort(nil)
	l.want(t, fmt.Sprintf("RELEASE -1 private 700 GET %s", cut.url))
	unstorable := s.Begin(cut.opening(), &filler{}, nil)
	unstorable.Withdraw()
	s.Begin(cut.opening(), &filler{}, nil).Abort(nil)
	l.want(t) // what has come of these is told by who knows it
	var r Reader
	if s.find(kept, &r) != Hit {
		t.Error("not stored")
	}
	s.Purge(kept.key)
	r.Close()
	l.want(t, fmt.Sprintf("RELEASE 0 private 500 GET %s", kept.url))
	s.put(t, kept)
	s.put(t, kept)
	l.want(t, fmt.Sprintf("SWAPOUT 0 key0 500 GET %s", kept.url),
		fmt.Sprintf("RELEASE 0 private 500 GET %s", kept.url),
		fmt.Sprintf("SWAPOUT 0 key0 500 GET %s", kept.url))
	f.fail(syscall.EIO, nil)
	s.put(t, failed)
	l.want(t, fmt.Sprintf("SO_FAIL 0 key3 800 GET %s", failed.url))
}

// Without a directory that takes it an object is said to have failed to get to disk, but
// for a negative reply, which 2.6 keeps in memory; what is pushed out of memory is gone.
func TestEventsWithoutDirectory(t *testing.T) {
	var l shown
	c := memoryOnly()
	c.Log = l.log
	s := open(t, c)
	first, negative, head := docOf(1, 500), docOf(2, 500), docOf(3, 0)
	opening := head.opening()
	opening.Method, opening.Asked = http1.HEAD, []byte("http://asked.example/")
	parts := KeyParts{Method: http1.HEAD, URL: opening.URL}
	head.key = parts.Key()
	opening.Key = head.key
	l.knows(first, negative, head)
	s.put(t, first)
	o, h := negative.opening(), negative.published(len(negative.body))
	h.Flags = Negative
	s.Put(&o, h, negative.body)
	e := s.Begin(opening, &filler{}, nil)
	e.Publish(head.published(0))
	e.Complete()
	l.want(t, fmt.Sprintf("SO_FAIL -1 key0 500 GET %s", first.url),
		"SO_FAIL -1 key2 0 HEAD http://asked.example/")
	s.Purge(head.key)
	l.want(t, fmt.Sprintf("RELEASE -1 key2 0 HEAD %s", head.url))
	c.Memory = 1
	if err := s.Reconfigure(c); err != nil {
		t.Fatal(err)
	}
	l.want(t, "RELEASE -1 key0 ?", "RELEASE -1 key1 ?")
}

// What was being written when it ended is shown with its file.
func TestEventOfAnUnfinishedFile(t *testing.T) {
	c, _, _ := withFaulty(t)
	var l shown
	c.Log = l.log
	s := rebuilt(t, open(t, c))
	d := docOf(1, 500_000)
	l.knows(d)
	e := s.Begin(d.opening(), &filler{}, nil)
	e.Publish(d.published(len(d.body)))
	e.Append(d.body[:300_000])
	eventually(t, "some of it is in a file", func() bool {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.swap.high > 0
	})
	e.Abort(nil)
	eventually(t, "there is a line", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.lines) > 0
	})
	l.want(t, fmt.Sprintf("RELEASE 0 private 300000 GET %s", d.url))
}

// Whatever is stored and purged at once, the lines about one file come in order: it is
// there before it has left, and in the end the files that are there are those of the
// objects on disk.
func TestEventsComeInOrder(t *testing.T) {
	c, _, _ := withFaulty(t)
	var mu sync.Mutex
	there := map[string]bool{}
	c.Log = func(e *Event) Line {
		mu.Lock()
		defer mu.Unlock()
		file := fmt.Sprint(e.Dir, e.Number)
		switch {
		case e.Action == SwappedOut && there[file]:
			t.Errorf("file %s is there twice", file)
		case e.Action == SwappedOut:
			there[file] = true
		case e.Action == Released:
			delete(there, file)
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
	if n := s.Stats().Objects; int64(len(there)) != int64(n) {
		t.Errorf("%d files are there by the log, and %d objects", len(there), n)
	}
}
