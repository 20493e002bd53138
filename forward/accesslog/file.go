package accesslog

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
)

// Opener opens and renames log files. The daemon may not be allowed to any
// more; then a process that is does it.
type Opener interface {
	// OpenLog opens path for appending and creates it when needed.
	OpenLog(path string) (*os.File, error)
	// Rename renames a log file.
	Rename(from, to string) error
}

// File is one log, shared by many writers.
//
// A line is with the kernel when Write returns, as it is in 2.6: whoever kills the
// process loses nothing that was logged. Writers that are there at the same time
// share one write: the first of them writes for all that came before it had its turn.
// What is no regular file (a FIFO, the system's log) may have a reader that stalls;
// its lines go through a queue, which nobody waits for.
type File struct {
	path   string
	opener Opener
	report func(error)
	queue  atomic.Pointer[queue] // nil for a regular file, and for what is not open yet

	mu      sync.Mutex // guards the fields below; put down while writing
	turn    sync.Cond  // a write has ended
	busy    bool       // somebody has out for himself
	pending []byte     // lines of the next write
	taken   int64      // writes begun
	written int64      // writes ended
	closed  bool
	spare   []byte

	// Whoever made the File busy has these.
	out     io.WriteCloser
	failing bool
	torn    bool  // the last write ended within a line
	since   int64 // lines lost since it is failing

	lost atomic.Int64
}

func openFile(path string, opener Opener, report func(error)) (*File, error) {
	out, err := openTarget(path, opener)
	if err != nil {
		return nil, &OpenError{Path: path, Err: err}
	}
	return newFile(path, opener, out, isRegular(out), report), nil
}

// OpenError is a log that cannot be opened.
type OpenError struct {
	Path string
	Err  error
}

func (e *OpenError) Error() string { return fmt.Sprintf("cannot open log %s: %v", e.Path, e.Err) }
func (e *OpenError) Unwrap() error { return e.Err }

func newFile(path string, opener Opener, out io.WriteCloser, regular bool, report func(error)) *File {
	f := &File{path: path, opener: opener, report: report}
	f.turn.L = &f.mu
	f.use(out, regular)
	return f
}

// use writes to out from now on. Who calls it has made the File busy.
func (f *File) use(out io.WriteCloser, regular bool) {
	f.out = onDisk(out, regular)
	if !regular {
		f.queue.Store(newQueue(f))
	}
}

// isRegular reports whether an open log is a regular file: its writes do not wait for
// a reader.
func isRegular(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	st, err := file.Stat()
	return err == nil && st.Mode().IsRegular()
}

// Write appends one line, with its line end, to the log. Safe for concurrent
// use; the bytes are copied.
func (f *File) Write(line []byte) { f.put(line).Wait() }

// put leaves a line for the next write.
func (f *File) put(line []byte) Pending {
	if q := f.queue.Load(); q != nil {
		q.put(line)
		return Pending{}
	}
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return Pending{}
	}
	f.pending = append(f.pending, line...)
	number := f.taken
	f.mu.Unlock()
	return Pending{{f, number}}
}

// Pending are lines of at most two logs that were put down and are not with the kernel
// yet. Somebody has to Wait for them.
type Pending [2]pendingLine

type pendingLine struct {
	file   *File // nil for none
	number int64 // of the write it is part of
}

// And is both. What there is no room for is waited for at once.
func (p Pending) And(q Pending) Pending {
	for _, line := range q {
		switch {
		case line.file == nil:
		case p[0].file == nil || p[0].file == line.file:
			p[0] = line // the later one of a log
		case p[1].file == nil || p[1].file == line.file:
			p[1] = line
		default:
			Pending{p[0]}.Wait()
			p = Pending{p[1], line}
		}
	}
	return p
}

// Wait returns when the lines are with the kernel. It lets goroutines that are ready to
// run add theirs before the write is made: one write for all that the last look at the
// network has woken. With nobody else ready it writes at once. The zero value waits for
// nothing.
func (p Pending) Wait() {
	if p[0].file == nil {
		return
	}
	runtime.Gosched()
	for _, line := range p {
		if line.file != nil {
			line.file.reach(line.number)
		}
	}
}

// reach returns when the write with that number has ended.
func (f *File) reach(number int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commit(number)
}

// commit returns when the write with that number has ended; who comes first makes it.
func (f *File) commit(number int64) {
	for f.written <= number {
		if f.busy {
			f.turn.Wait()
			continue
		}
		f.flush()
	}
}

// flush writes what is pending. The caller holds mu, and nobody is busy.
func (f *File) flush() {
	f.busy = true
	f.writePending()
	f.release()
}

// writePending writes what is pending, if anything is. The caller holds mu, which is
// put down meanwhile, and is the one that is busy.
func (f *File) writePending() {
	if len(f.pending) == 0 {
		return
	}
	batch := f.pending
	f.pending, f.spare = f.spare[:0], nil
	f.taken++
	f.mu.Unlock()
	f.hand(batch)
	f.mu.Lock()
	if cap(batch) <= maxSpare {
		f.spare = batch[:0]
	}
	f.written++
}

// hand writes lines, or leaves them to the queue: what could not be opened before may
// turn out to have a reader. Who calls it has made the File busy.
func (f *File) hand(batch []byte) {
	if a, ok := f.out.(*absent); ok && a.open() == nil {
		f.use(a.out, isRegular(a.out))
	}
	if q := f.queue.Load(); q != nil {
		q.put(batch)
		return
	}
	f.write(batch)
}

// maxSpare is the largest buffer that is kept, in bytes; a burst's is not.
const maxSpare = 64 << 10

// seize waits until nobody is busy, and is it then. The caller holds mu.
func (f *File) seize() {
	for f.busy {
		f.turn.Wait()
	}
	f.busy = true
}

func (f *File) release() {
	f.busy = false
	f.turn.Broadcast()
}

// write hands lines to the kernel. What it refuses is lost, counted and said, once
// when it begins and once when it is over.
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
		f.works()
		return
	}
	n = min(n, len(batch))
	if n > 0 && n < len(batch) {
		f.torn = batch[n-1] != '\n'
	}
	f.lose(batch[n:], err)
}

// lose counts lines that are not in the log.
func (f *File) lose(lines []byte, why error) {
	count := int64(bytes.Count(lines, []byte{'\n'}))
	f.since += count
	f.lost.Add(count)
	if !f.failing {
		f.failing = true
		f.report(fmt.Errorf("writing log %s: %w; lines are lost until it works again", f.path, why))
	}
}

// works notes that a write succeeded.
func (f *File) works() {
	if f.failing {
		f.report(fmt.Errorf("log %s works again; %d lines were lost", f.path, f.since))
		f.failing, f.since = false, 0
	}
}

// Lost is the number of lines dropped so far.
func (f *File) Lost() int64 { return f.lost.Load() }

// Flush returns when everything that was logged is with the kernel, or the queue's
// patience with a reader is over.
func (f *File) Flush() {
	if q := f.queue.Load(); q != nil {
		q.drain()
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seize()
	f.writePending()
	f.release()
}

// Close ends the log. Lines put down before are written, those too whose writers have
// not begun to write; later ones are dropped.
func (f *File) Close() error {
	if q := f.queue.Load(); q != nil {
		return q.close()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.seize()
	defer f.release()
	if f.closed {
		return nil
	}
	f.closed = true // nothing is put down from here on
	f.writePending()
	if q := f.queue.Load(); q != nil {
		return q.close()
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
