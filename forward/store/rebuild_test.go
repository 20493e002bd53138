package store

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// lines collects what goes into cache.log.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) add(n Notice) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, n.Lines...)
}

// take gives the lines since the last take, without what time has made of them.
func (l *lines) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.all
	l.all = nil
	for i, line := range all {
		if strings.HasPrefix(line, "  Took ") {
			all[i] = "  Took"
		}
	}
	return all
}

// TestRebuildLines: cache.log through three lives of two directories: as 2.6 has it.
func TestRebuildLines(t *testing.T) {
	var log lines
	c := memoryOnly()
	c.Dirs = []DirConfig{ufsDir(t, 100<<20), ufsDir(t, 100<<20)}
	c.RoundRobin, c.Report = true, log.add
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	<-s.Rebuilt()
	eventually(t, "the lines", func() bool { return !s.Rebuilding() })
	for i := range 6 {
		s.put(t, docOf(i, 1000))
	}
	eventually(t, "all are on disk", func() bool { return filesIn(t, c.Dirs[0].Path)+filesIn(t, c.Dirs[1].Path) == 6 })
	log.take()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	want := []string{"storeDirWriteCleanLogs: Starting...", "  Finished.  Wrote 6 entries.", "  Took"}
	if got := log.take(); !slices.Equal(got, want) {
		t.Errorf("at the end: %q", got)
	}

	c.Dirs[1].Size, c.Dirs = 100<<20, c.Dirs[:1] // one alone, for the order of the lines
	if s, err = Open(c); err != nil {
		t.Fatal(err)
	}
	<-s.Rebuilt()
	eventually(t, "the last line", func() bool { log.mu.Lock(); defer log.mu.Unlock(); return len(log.all) > 12 })
	n := filesIn(t, c.Dirs[0].Path)
	want = []string{"Rebuilding storage in " + c.Dirs[0].Path + " (CLEAN)"}
	want = append(want, (&ufs.Report{Path: c.Dirs[0].Path, Records: n, Entries: n, Loaded: n}).DirLines()...)
	want = append(want, (&ufs.Report{Entries: n, Loaded: n}).Lines()...)
	want[len(want)-1] = "  Took"
	want = append(want, "Beginning Validation Procedure", "  Completed Validation Procedure", "  Validated 3 Entries", "  store_swap_size = 12k")
	if got := log.take(); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	s.Rotate()
	want = []string{"storeDirWriteCleanLogs: Starting...", "  Finished.  Wrote 3 entries.", "  Took"}
	if got := log.take(); !slices.Equal(got, want) {
		t.Errorf("at a rotation: %q", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// held is a directory whose rebuild waits.
type held struct {
	*ufs.Dir
	start chan struct{}
}

func (h *held) Rebuild(ctx context.Context, sink ufs.Sink) (ufs.Report, error) {
	select {
	case <-h.start:
	case <-ctx.Done():
	}
	return h.Dir.Rebuild(ctx, sink)
}

// TestEndWhileRebuilding: swap.state stays what it is while a directory is rebuilt, and
// the end does not wait for that.
func TestEndWhileRebuilding(t *testing.T) {
	var log lines
	c := memoryOnly()
	c.Dirs, c.Report = []DirConfig{ufsDir(t, 100<<20)}, log.add
	sound, start := c.Dirs[0].Open, make(chan struct{})
	c.Dirs[0].Open = func() (Directory, error) {
		d, err := sound()
		if err != nil {
			return nil, err
		}
		return &held{d.(*ufs.Dir), start}, nil
	}
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.Rebuilt():
		t.Error("rebuilt before it began")
	default:
	}
	s.Rotate()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	stop := []string{"Not currently OK to rewrite swap log.", "storeDirWriteCleanLogs: Operation aborted."}
	if got := log.take(); len(got) != 5 || !slices.Equal(got[1:3], stop) || !slices.Equal(got[3:], stop) {
		t.Errorf("got %q", got)
	}
	if _, err := os.Stat(filepath.Join(c.Dirs[0].Path, "swap.state.last-clean")); err == nil {
		t.Error("it counts as clean")
	}
}

// TestNothingToRebuild: without directories the index is complete at once.
func TestNothingToRebuild(t *testing.T) {
	s := open(t, memoryOnly())
	<-s.Rebuilt()
	if s.Rebuilding() {
		t.Error("something is rebuilt")
	}
}
