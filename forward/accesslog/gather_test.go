package accesslog

import (
	"bytes"
	"runtime"
	"sync"
	"testing"
)

// writes counts how often a log is written to, and keeps what it was given.
type writes struct {
	bytes.Buffer
	count int
}

func (w *writes) Write(p []byte) (int, error) {
	w.count++
	return w.Buffer.Write(p)
}

func (w *writes) Close() error { return nil }

// What the same look at the network has woken ends together: its lines are one write,
// and each is written before its writer goes on.
func TestWritersReadyTogetherShareAWrite(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var out writes
	f := newFile("test", diskFiles{}, &out, true, func(err error) { t.Error(err) })
	const writers = 16
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			f.Write([]byte("a line\n"))
			if out.Len() == 0 {
				t.Error("a writer went on before its line was written")
			}
		})
	}
	wg.Wait()
	if got := bytes.Count(out.Bytes(), []byte("\n")); got != writers {
		t.Errorf("%d lines written, not %d", got, writers)
	}
	if out.count > writers/4 {
		t.Errorf("%d writes for %d lines that were there together", out.count, writers)
	}
}
