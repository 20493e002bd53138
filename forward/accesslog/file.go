package accesslog

import (
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"
)

// Sizes of a File's buffer in bytes: a write to disk starts at flushAt, writers
// wait for it at bufferMax.
const (
	flushAt   = 64 << 10
	bufferMax = 1 << 20
)

// How long a line may wait in the buffer: buffered_logs off and on. 2.6 writes
// each line at once in the first case; so does a File that has rested, and those
// that come within a twentieth of a second go together, which is as good to
// whoever reads the log and saves a system call per request.
const (
	promptDelay   = 50 * time.Millisecond
	bufferedDelay = time.Second
)

// Opener opens and renames log files. The daemon may not be allowed to any
// more; then a process that is does it.
type Opener interface {
	// OpenLog opens path for appending and creates it when needed.
	OpenLog(path string) (*os.File, error)
	// Rename renames a log file.
	Rename(from, to string) error
}

// File is one log file, shared by many writers.
type File struct {
	path   string
	opener Opener
	delay  time.Duration
	report func(error)

	mu      sync.Mutex // guards the fields below; held for a copy only
	room    sync.Cond  // signalled when pending has been taken
	pending []byte
	armed   bool // a flush is under way or due
	rested  bool // nothing came since the last flush; see promptDelay
	closed  bool

	writing sync.Mutex // held while writing to out; taken before mu
	out     io.WriteCloser
	spare   []byte
	failing bool
	torn    bool // the last write ended within a line
	timer   *time.Timer

	// Lost counts lines dropped because a write failed. Guarded by writing.
	lost int64
}

func openFile(path string, opener Opener, delay time.Duration, report func(error)) (*File, error) {
	out, err := openTarget(path, opener)
	if err != nil {
		return nil, fmt.Errorf("cannot open log %s: %w", path, err)
	}
	f := &File{path: path, opener: opener, delay: delay, report: report, out: out, rested: true}
	f.room.L = &f.mu
	f.timer = time.AfterFunc(time.Hour, f.flushLater)
	f.timer.Stop()
	return f, nil
}

// Write appends one line, with its line end, to the log. Safe for concurrent
// use; the bytes are copied.
func (f *File) Write(line []byte) {
	f.mu.Lock()
	for len(f.pending)+len(line) > bufferMax && len(f.pending) > 0 && !f.closed {
		f.room.Wait()
	}
	if f.closed {
		f.mu.Unlock()
		return
	}
	before := len(f.pending)
	f.pending = append(f.pending, line...)
	full := before < flushAt && len(f.pending) >= flushAt
	arm := !f.armed
	if arm || full {
		f.armed = true
		wait := f.delay
		if full || f.rested && f.delay < bufferedDelay {
			wait = 0
		}
		f.rested = false
		f.timer.Reset(wait)
	}
	f.mu.Unlock()
}

// flushLater runs in the timer's goroutine. What comes in the next while waits
// for the next flush; a while without anything makes the file rested.
func (f *File) flushLater() {
	f.writing.Lock()
	defer f.writing.Unlock()
	some := f.flush()
	if f.delay >= bufferedDelay {
		return
	}
	f.mu.Lock()
	switch {
	case f.closed || f.armed: // armed: a line came while this one wrote
	case some:
		f.armed = true
		f.timer.Reset(f.delay)
	default:
		f.rested = true
	}
	f.mu.Unlock()
}

// Flush writes out what is buffered and returns when it is written.
func (f *File) Flush() {
	f.writing.Lock()
	defer f.writing.Unlock()
	f.flush()
}

// flush is called with writing held. It reports whether there was anything.
func (f *File) flush() (some bool) {
	f.mu.Lock()
	batch := f.pending
	f.pending, f.armed = f.spare[:0], false
	f.room.Broadcast()
	f.mu.Unlock()
	if len(batch) > 0 {
		f.write(batch)
	}
	f.spare = batch[:0]
	if cap(f.spare) > 2*flushAt {
		f.spare = nil // a burst is over; do not keep its buffer
	}
	return len(batch) > 0
}

// write is called with writing held.
func (f *File) write(batch []byte) {
	n, err := 0, error(nil)
	if f.torn { // keep the half line apart from what follows
		_, err = f.out.Write([]byte{'\n'})
		f.torn = err != nil
	}
	if err == nil {
		n, err = f.out.Write(batch)
	}
	if err == nil {
		f.failing = false
		return
	}
	if n > 0 && n < len(batch) {
		f.torn = batch[n-1] != '\n'
	}
	for _, c := range batch[min(n, len(batch)):] {
		if c == '\n' {
			f.lost++
		}
	}
	if !f.failing {
		f.failing = true
		f.report(fmt.Errorf("writing log %s: %w; lines are lost until it works again", f.path, err))
	}
}

// Lost is the number of lines dropped so far because the disk refused them.
func (f *File) Lost() int64 {
	f.writing.Lock()
	defer f.writing.Unlock()
	return f.lost
}

// Close writes out the buffer and closes the file. Later lines are dropped.
func (f *File) Close() error {
	f.writing.Lock()
	defer f.writing.Unlock()
	f.flush()
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return nil
	}
	f.closed = true
	f.timer.Stop()
	f.room.Broadcast()
	late := f.pending
	f.pending = nil
	f.mu.Unlock()
	if len(late) > 0 {
		f.write(late)
	}
	return f.out.Close()
}

// diskFiles is the Opener that uses the process's own rights.
type diskFiles struct{}

// OpenLog does not wait for a FIFO's reader: without one it is an error, as in
// 2.6.
func (diskFiles) OpenLog(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND|syscall.O_NONBLOCK, 0o644)
}

func (diskFiles) Rename(from, to string) error { return os.Rename(from, to) }
