package store

import "errors"

var (
	// ErrAborted ends the reader of an object whose writer could not bring all of it,
	// or which quick_abort_* ended: the client's connection is closed.
	ErrAborted = errors.New("the object ended before it was whole")
	// ErrStalled ends a reader that made no progress while others waited for it.
	ErrStalled = errors.New("the client takes nothing while others wait for it")
	// ErrNotCached is given instead of waiting for a disk.
	ErrNotCached = errors.New("not in the page cache")
	// ErrBusy: the queue of the disk workers is full.
	ErrBusy = errors.New("too much disk work is waiting")
	// ErrSwapFail: the object is in the index but not, or not whole, on disk.
	ErrSwapFail = errors.New("the file of the object is missing or damaged")
)
