package helper

import (
	"io"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// errAgain is EAGAIN as an error made once.
var errAgain error = unix.EAGAIN

// readNow reads from a pipe without waiting and, as it cannot take long, without a word
// to the scheduler, which would otherwise look whether it does. errAgain when there is
// nothing, io.EOF at the end. (Package sock has the like for sockets, by other calls.)
func readNow(fd uintptr, p []byte) (int, error) {
	return now(unix.SYS_READ, fd, p)
}

// writeNow writes likewise; errAgain when the pipe is full.
func writeNow(fd uintptr, p []byte) (int, error) {
	return now(unix.SYS_WRITE, fd, p)
}

func now(call, fd uintptr, p []byte) (int, error) {
	for {
		n, _, e := syscall.RawSyscall(call, fd, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p)))
		switch {
		case e == 0 && n == 0:
			return 0, io.EOF
		case e == 0:
			return int(n), nil
		case e == unix.EAGAIN:
			return 0, errAgain
		case e != unix.EINTR:
			return 0, e
		}
	}
}
