package accesslog

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A reader that stalls holds nobody up: a megabyte waits for it, what is above that is
// lost, counted and said, and what waited comes whole when it reads again.
func TestStalledReaderHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reports []string
		disk := &slowDisk{proceed: make(chan struct{})}
		f := newFile("pipe", diskFiles{}, disk, false, func(err error) { reports = append(reports, err.Error()) })
		line := strings.Repeat("x", 9999) + "\n"
		const lines = 3 * queueMax / 10000
		for range lines {
			f.Write([]byte(line))
			synctest.Wait()
		}
		begun := time.Now()
		f.Flush()
		if waited := time.Since(begun); waited != readerPatience {
			t.Errorf("the flush waited %v", waited)
		}
		kept := 1 + queueMax/10000 // the first is being written
		if int(f.Lost()) != lines-kept || len(reports) != 1 {
			t.Errorf("%d lines lost, want %d; %q", f.Lost(), lines-kept, reports)
		}
		close(disk.proceed)
		f.Flush()
		f.Write([]byte("later\n"))
		f.Close()
		if got := strings.Join(disk.batches, ""); got != strings.Repeat(line, kept)+"later\n" {
			t.Errorf("%d bytes arrived", len(got))
		}
		if len(reports) != 2 || !strings.Contains(reports[1], "works again") {
			t.Errorf("%q", reports)
		}
	})
}

// The end does not wait for a reader that takes nothing, be it a FIFO's or one that
// cannot be interrupted.
func TestStalledReaderDoesNotHoldTheEndUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	reports := 0
	f, err := openFile(path, diskFiles{}, func(error) { reports++ })
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		f.Write([]byte(strings.Repeat("x", 9999) + "\n"))
	}
	if err := f.Rotate(3); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if f.Lost() == 0 || reports == 0 {
		t.Errorf("%d lines lost, %d reports", f.Lost(), reports)
	}
	f.Write([]byte("late\n"))

	synctest.Test(t, func(t *testing.T) {
		disk := &slowDisk{proceed: make(chan struct{})}
		f := newFile("pipe", diskFiles{}, disk, false, nil)
		f.Write([]byte("x\n"))
		if err := f.Close(); err == nil {
			t.Error("no word about the line that is stuck")
		}
		close(disk.proceed)
	})
}
