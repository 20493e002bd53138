package accesslog

import (
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// slowDisk takes a batch when it is told to.
type slowDisk struct {
	sync.Mutex
	proceed chan struct{}
	batches []string
}

func (d *slowDisk) Write(b []byte) (int, error) {
	if d.proceed != nil {
		<-d.proceed
	}
	d.Lock()
	defer d.Unlock()
	d.batches = append(d.batches, string(b))
	return len(b), nil
}

func (d *slowDisk) Close() error { return nil }

// onto is a File that writes to the given disk.
func onto(disk io.WriteCloser, report func(error)) *File {
	return newFile("log", diskFiles{}, disk, true, report)
}

// Lines of writers that are there at the same time share writes, in order, and each
// writer goes on when its line is written, not before.
func TestWritersShareWrites(t *testing.T) {
	const writers = 20
	disk := &slowDisk{proceed: make(chan struct{})}
	f := onto(disk, nil)
	var done atomic.Int64
	var group sync.WaitGroup
	write := func(line string) { group.Go(func() { f.Write([]byte(line)); done.Add(1) }) }
	write("first\n")
	waitFor(t, "the first write", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return f.busy })
	for range writers {
		write("next\n")
	}
	waitFor(t, "the others", func() bool { return f.waiting() == writers*len("next\n") })
	if n := done.Load(); n != 0 {
		t.Errorf("%d writers went on before their line was written", n)
	}
	close(disk.proceed)
	group.Wait()
	f.Close()
	if want := []string{"first\n", strings.Repeat("next\n", writers)}; !slices.Equal(disk.batches, want) {
		t.Errorf("%q", disk.batches)
	}
}

// waiting is how much f holds beside what is with the disk.
func (f *File) waiting() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.pending)
}

// What is said after the end is dropped, not written to a closed file.
func TestNothingIsWrittenAfterTheEnd(t *testing.T) {
	disk := &slowDisk{}
	f := onto(disk, nil)
	f.Write([]byte("early\n"))
	for range 2 { // a second time changes nothing
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	f.Write([]byte("late\n"))
	if got := strings.Join(disk.batches, ""); got != "early\n" {
		t.Errorf("%q", got)
	}
}

// fillingDisk has room for so many bytes.
type fillingDisk struct {
	room int
	text []byte
}

func (d *fillingDisk) Write(b []byte) (n int, err error) {
	n = min(len(b), d.room)
	d.room -= n
	d.text = append(d.text, b[:n]...)
	if n < len(b) {
		err = errors.New("no space left on device")
	}
	return n, err
}

func (d *fillingDisk) Close() error { return nil }

// A disk that fills up in the middle of a line leaves a torn one; the next line
// that fits begins on a line of its own.
func TestTornLine(t *testing.T) {
	reports := 0
	disk := &fillingDisk{room: 8}
	f := onto(disk, func(error) { reports++ })
	write := func(room int, lines string) {
		disk.room += room
		f.Write([]byte(lines))
	}
	write(0, "first\nsecond\nthird\n")
	write(0, "fourth\n")
	write(100, "fifth\n")
	write(0, "sixth\n")
	if got, want := string(disk.text), "first\nse\nfifth\nsixth\n"; got != want {
		t.Errorf("on disk %q, want %q", got, want)
	}
	if f.Lost() != 3 || reports != 2 { // the beginning and the end
		t.Errorf("%d lines lost, reported %d times", f.Lost(), reports)
	}
	f.Close()
}

// A disk that fills up between two lines tears nothing.
func TestCutBetweenLines(t *testing.T) {
	disk := &fillingDisk{room: 6}
	f := onto(disk, func(error) {})
	f.Write([]byte("first\nsecond\n"))
	disk.room = 100
	f.Write([]byte("third\n"))
	f.Close()
	if string(disk.text) != "first\nthird\n" || f.Lost() != 1 {
		t.Errorf("%q, %d lost", disk.text, f.Lost())
	}
}
