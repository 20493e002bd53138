package store

import (
	"errors"
	"syscall"

	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

var (
	// ErrAborted ends the reader of an object whose writer could not bring all of it,
	// or which quick_abort_* ended: the client's connection is closed.
	ErrAborted = errors.New("the object ended before it was whole")
	// ErrWithdrawn: the object must not be stored.
	ErrWithdrawn = errors.New("the object proved unstorable")
	// ErrNoMemory: the kernel has no page left.
	ErrNoMemory = errors.New("no memory for an object on its way")
	// ErrStalled ends a reader that made no progress while others waited for it.
	ErrStalled = errors.New("the client takes nothing while others wait for it")
	// ErrNotYet: there are no more bytes now.
	ErrNotYet = errors.New("the next bytes are not here yet")
	// ErrBusy: the queue of the disk workers is full.
	ErrBusy = errors.New("too much disk work is waiting")
	// ErrSwapFail: the object is in the index but not, or not whole, on disk.
	ErrSwapFail = errors.New("the file of the object is missing or damaged")
	// ErrTooManyDirs: the index can name 64 directories.
	ErrTooManyDirs = errors.New("there are more than 64 cache directories")
)

// diskFault reports whether an error concerns a directory as a whole.
func diskFault(err error) bool {
	switch {
	case errors.Is(err, ufs.ErrGone):
		return true
	case errors.Is(err, ufs.ErrFile):
		return false
	}
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return false
	}
	switch errno {
	case syscall.EIO, syscall.ENOSPC, syscall.EROFS, syscall.EDQUOT, syscall.ENODEV, syscall.ENXIO, syscall.ESTALE,
		syscall.EACCES, syscall.EPERM, syscall.ENOTDIR, syscall.EUCLEAN:
		return true
	}
	return false
}
