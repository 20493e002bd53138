package store

import (
	"context"
	"iter"
	"os"
)

// FileNumber names a file of a cache directory, 0 to MaxFileNumber.
type FileNumber uint32

// MaxFileNumber is the largest number a file can have: 2.6 keeps 25 bits, one of
// them a sign.
const MaxFileNumber FileNumber = 1<<24 - 1

// DiskRecord is an object of a cache directory as swap.state tells it.
type DiskRecord struct {
	Key    Key
	Number FileNumber
	Facts
	// FileSize is the size of the file in bytes, swap header included.
	FileSize int64
}

// DiskMeta is what the swap header of a file says beside its DiskRecord.
type DiskMeta struct {
	// URL is the canonical URL, the client's; StoreURL what a store URL rewriter made
	// of it, empty without.
	URL, StoreURL string
	// Vary is the text of the selecting request fields, empty without.
	Vary string
	// ObjectSize is the length of head and body in bytes, -1 when it was not known
	// as the header was written.
	ObjectSize int64
}

// Directory keeps files for the store: a cache directory of one format. All its
// methods but Add and Delete may wait for the disk and are called by the store's workers
// only, several at a time, never two at once for the same number.
//
// Errors that concern the directory as a whole (EIO, ENOSPC, EROFS, a folder that
// is gone) are recognised by errno; the store takes the directory out.
type Directory interface {
	// Create makes the file of an object and writes its swap header. Head and body
	// follow as WriteAt of the file returned, from offset on, in any order.
	Create(DiskRecord, DiskMeta) (file *os.File, offset int64, err error)
	// Open opens a file for reading, checks key, URL and length against it, and tells
	// where head and body begin. With cached, it gives ErrNotCached instead of
	// waiting for the disk.
	Open(rec DiskRecord, url string, cached bool) (file *os.File, offset int64, meta DiskMeta, err error)
	// Unlink removes a file. One that is not there is no error.
	Unlink(FileNumber) error
	// Add and Delete note in the journal that an object is there, or no longer. They
	// buffer and do not wait.
	Add(DiskRecord)
	Delete(DiskRecord)
	// Flush writes what Add and Delete have buffered.
	Flush() error
	// Rebuild tells what the directory holds, from its journal or, where that is
	// missing or foreign, from its files. A later record of the same key or number
	// replaces an earlier one; deleted is true for one that went.
	Rebuild(ctx context.Context, found func(rec DiskRecord, deleted bool)) error
	// Rewrite replaces the journal by one that holds just these records; clean says
	// that nothing will be added before the process ends.
	Rewrite(records iter.Seq[DiskRecord], clean bool) error
	// Close closes the journal.
	Close() error
}
