package accesslog

import (
	"bytes"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// writes counts how often a log is written to, and the lines it was given.
type writes struct {
	lines, count atomic.Int64
}

func (w *writes) Write(p []byte) (int, error) {
	w.count.Add(1)
	w.lines.Add(int64(bytes.Count(p, []byte("\n"))))
	return len(p), nil
}

func (w *writes) Close() error { return nil }

// What the same look at the network has woken ends together: its lines are one write,
// and each is written before its writer goes on. A writer that is taken off its
// processor on the way has its own write, so the best of some rounds counts.
func TestWritersReadyTogetherShareAWrite(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	const writers, rounds = 16, 20
	fewest := writers
	for range rounds {
		fewest = min(fewest, writesOf(t, writers))
	}
	if fewest > writers/4 {
		t.Errorf("%d writes for %d lines that were there together", fewest, writers)
	}
}

// writesOf has writers that become ready together write a line each, and gives the
// number of writes that this took.
func writesOf(t *testing.T, writers int) int {
	var out writes
	f := newFile("test", diskFiles{}, &out, true, func(err error) { t.Error(err) })
	ready := make(chan struct{})
	var gone atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			<-ready
			f.Write([]byte("a line\n"))
			if wrote := gone.Add(1); out.lines.Load() < wrote {
				t.Error("a writer went on before its line was written")
			}
		})
	}
	close(ready)
	wg.Wait()
	if got := out.lines.Load(); got != int64(writers) {
		t.Errorf("%d lines written, not %d", got, writers)
	}
	return int(out.count.Load())
}
