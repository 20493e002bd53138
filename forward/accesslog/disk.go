package accesslog

import (
	"io"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// disk writes to a log that is a regular file: into the page cache, which takes a
// microsecond or two. So it skips the runtime's bookkeeping for system calls that may
// wait, which costs more than the call: the runtime looks every 20 us whether this one
// is over, and moves the rest of the work to another thread. A disk that is behind does
// make writes wait; then the bookkeeping is kept for a while, so that others go on.
type disk struct {
	file   *os.File
	fd     uintptr
	wary   int // writes to go with the bookkeeping
	closed bool
}

// A write that took longer was made to wait by the disk, not just put off by other
// processes, and so many after it may be.
const (
	slowWrite  = 20 * time.Millisecond
	waryWrites = 1024
)

// onDisk gives a regular file the quick way; anything else stays what it is.
func onDisk(out io.WriteCloser, regular bool) io.WriteCloser {
	if file, ok := out.(*os.File); ok && regular {
		return &disk{file: file, fd: file.Fd()}
	}
	return out
}

// Write implements io.Writer. One goroutine at a time may call it.
func (d *disk) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if d.closed { // the descriptor's number may be another file's by now
		return 0, &os.PathError{Op: "write", Path: d.file.Name(), Err: os.ErrClosed}
	}
	if d.wary > 0 {
		d.wary--
		return d.file.Write(p)
	}
	began := time.Now()
	n, _, e := syscall.RawSyscall(syscall.SYS_WRITE, d.fd, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
	if time.Since(began) > slowWrite {
		d.wary = waryWrites
	}
	done := 0
	switch {
	case e == 0:
		done = int(n)
	case e != syscall.EINTR && e != syscall.EAGAIN:
		return 0, &os.PathError{Op: "write", Path: d.file.Name(), Err: e}
	}
	if done == len(p) {
		return done, nil
	}
	rest, err := d.file.Write(p[done:])
	return done + rest, err
}

// Close implements io.Closer. Who calls it is the one that may call Write.
func (d *disk) Close() error {
	d.closed = true
	return d.file.Close()
}
