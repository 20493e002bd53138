package accesslog

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// slowDisk takes a batch when it is told to.
type slowDisk struct {
	sync.Mutex
	proceed chan struct{}
	batches []string
	times   []time.Time
}

func (d *slowDisk) Write(b []byte) (int, error) {
	if d.proceed != nil {
		<-d.proceed
	}
	d.Lock()
	defer d.Unlock()
	d.batches = append(d.batches, string(b))
	d.times = append(d.times, time.Now())
	return len(b), nil
}

func (d *slowDisk) Close() error { return nil }

// onto is a File that writes to the given disk.
func onto(t *testing.T, disk interface {
	Write([]byte) (int, error)
	Close() error
}, delay time.Duration, report func(error)) *File {
	f, err := openFile(filepath.Join(t.TempDir(), "log"), diskFiles{}, delay, report)
	if err != nil {
		t.Fatal(err)
	}
	f.out.Close()
	f.out = disk
	return f
}

// With buffered_logs a line waits for the delay and not longer; those that come
// meanwhile go with it, and the next one starts a delay of its own. Without, a
// line after a rest is written at once, and those that follow closely share the
// next writes.
func TestDelay(t *testing.T) {
	type batch struct {
		text  string
		after time.Duration // in quarters of the delay
	}
	for _, c := range []struct {
		delay time.Duration
		want  []batch
	}{
		{bufferedDelay, []batch{{"1\n2\n", 4}, {"3\n", 10}, {"4\n", 22}}},
		{promptDelay, []batch{{"1\n", 0}, {"2\n", 4}, {"3\n", 8}, {"4\n", 18}}},
	} {
		synctest.Test(t, func(t *testing.T) {
			disk := &slowDisk{}
			f := onto(t, disk, c.delay, nil)
			start := time.Now()
			f.Write([]byte("1\n"))
			time.Sleep(c.delay / 2)
			f.Write([]byte("2\n"))
			time.Sleep(c.delay)
			f.Write([]byte("3\n"))
			time.Sleep(3 * c.delay)
			f.Write([]byte("4\n"))
			time.Sleep(2 * c.delay)
			f.Close()
			var got []batch
			for i, text := range disk.batches {
				got = append(got, batch{text, 4 * disk.times[i].Sub(start) / c.delay})
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%v: %v, want %v", c.delay, got, c.want)
			}
		})
	}
}

func TestBufferedLogsWaitLonger(t *testing.T) {
	for _, buffered := range []bool{false, true} {
		l := &Logs{cfg: &conf.LogSettings{BufferedLogs: buffered}, env: Env{Files: diskFiles{}}, files: map[string]*File{}}
		f, err := l.file(filepath.Join(t.TempDir(), "log"))
		if err != nil {
			t.Fatal(err)
		}
		if (f.delay == bufferedDelay) != buffered {
			t.Errorf("buffered_logs %v: %v", buffered, f.delay)
		}
		f.Close()
	}
}

// waiting is how much f holds beside what is with the disk.
func (f *File) waiting() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.pending)
}

// A disk that hangs holds the writers up once a megabyte waits, and nothing is
// lost or cut when it comes back.
func TestWritersWaitForTheDisk(t *testing.T) {
	disk := &slowDisk{proceed: make(chan struct{})}
	f := onto(t, disk, time.Millisecond, nil)
	line := strings.Repeat("x", 9999) + "\n"
	const lines = 4 * bufferMax / 10000
	var writer sync.WaitGroup
	writer.Go(func() {
		for range lines {
			f.Write([]byte(line))
		}
	})
	waitFor(t, "a full buffer", func() bool { return f.waiting() > bufferMax-len(line) })
	if held := f.waiting(); held > bufferMax {
		t.Errorf("%d bytes held for a disk that hangs", held)
	}
	close(disk.proceed)
	writer.Wait()
	f.Close()
	if all := strings.Join(disk.batches, ""); all != strings.Repeat(line, lines) {
		t.Errorf("%d bytes of %d on disk", len(all), lines*len(line))
	}
}

// Close lets the writers that wait for the disk go; what they have to say
// afterwards is dropped, not written to a closed file.
func TestCloseReleasesWriters(t *testing.T) {
	disk := &slowDisk{proceed: make(chan struct{})}
	f := onto(t, disk, time.Hour, nil)
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() { f.Write(make([]byte, bufferMax)) })
	}
	waitFor(t, "a full buffer", func() bool { return f.waiting() == bufferMax })
	var closer sync.WaitGroup
	closer.Go(func() { f.Close() })
	close(disk.proceed)
	closer.Wait()
	writers.Wait()
	if err := f.Close(); err != nil { // a second time changes nothing
		t.Error(err)
	}
	f.Write([]byte("late\n"))
	f.Flush()
	if last := disk.batches[len(disk.batches)-1]; strings.Contains(last, "late") {
		t.Error("written after the end")
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
	f := onto(t, disk, time.Hour, func(error) { reports++ })
	write := func(room int, lines string) {
		disk.room += room
		f.Write([]byte(lines))
		f.Flush()
	}
	write(0, "first\nsecond\nthird\n")
	write(0, "fourth\n")
	write(100, "fifth\n")
	write(0, "sixth\n")
	if got, want := string(disk.text), "first\nse\nfifth\nsixth\n"; got != want {
		t.Errorf("on disk %q, want %q", got, want)
	}
	if f.Lost() != 3 || reports != 1 {
		t.Errorf("%d lines lost, reported %d times", f.Lost(), reports)
	}
	f.Close()
}

// A disk that fills up between two lines tears nothing.
func TestCutBetweenLines(t *testing.T) {
	disk := &fillingDisk{room: 6}
	f := onto(t, disk, time.Hour, func(error) {})
	f.Write([]byte("first\nsecond\n"))
	f.Flush()
	disk.room = 100
	f.Write([]byte("third\n"))
	f.Close()
	if string(disk.text) != "first\nthird\n" || f.Lost() != 1 {
		t.Errorf("%q, %d lost", disk.text, f.Lost())
	}
}
