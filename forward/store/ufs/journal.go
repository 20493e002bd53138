package ufs

import (
	"fmt"
	"os"
	"sync"
)

// journalBuffer is how many octets of records wait for a Flush at most; one more
// is written by whoever brings it.
const journalBuffer = 910 * recordSize // just under 64 KB

// journal appends records to a log. They wait in a buffer; what flush has written
// outlives the process however it ends.
type journal struct {
	mu      sync.Mutex // guards pending; held for a copy only
	pending []byte

	writing sync.Mutex // guards the fields below; taken before mu
	file    *os.File   // nil: no log is kept
	size    int64
	spare   []byte
}

// append adds one record to the buffer.
func (j *journal) append(r *Record, op byte) error {
	j.mu.Lock()
	j.pending = r.append(j.pending, op)
	full := len(j.pending) >= journalBuffer
	j.mu.Unlock()
	if full {
		return j.flush()
	}
	return nil
}

// flush writes the buffer. Records that the disk refuses are lost, like their
// objects at the next start.
func (j *journal) flush() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	return j.write()
}

// write is called with writing held. A part of a write, on a full disk, is taken
// back, so that what follows stays aligned.
func (j *journal) write() error {
	j.mu.Lock()
	batch := j.pending
	j.pending = j.spare[:0]
	j.mu.Unlock()
	j.spare = batch[:0]
	if len(batch) == 0 || j.file == nil {
		return nil
	}
	step()
	n, err := j.file.WriteAt(batch, j.size)
	whole := n / recordSize * recordSize
	j.size += int64(whole)
	if err != nil && n > whole {
		if cut := j.file.Truncate(j.size); cut != nil {
			return fmt.Errorf("%w; a torn record stays: %w", err, cut)
		}
	}
	return err
}

// length of the log in octets.
func (j *journal) length() int64 {
	j.writing.Lock()
	defer j.writing.Unlock()
	return j.size
}

// close writes the buffer and ends the log.
func (j *journal) close() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	err := j.write()
	if j.file == nil {
		return err
	}
	if shut := j.file.Close(); err == nil {
		err = shut
	}
	j.file = nil
	return err
}

// Add notes that an object is whole in its file. It does not wait for the disk,
// except to write out many records at once.
func (d *Dir) Add(r *Record) error { return d.journal.append(r, opAdd) }

// Delete notes that an object is no longer in the cache. It waits as Add does.
// The object's file stays until Unlink.
func (d *Dir) Delete(r *Record) error { return d.journal.append(r, opDelete) }

// Flush writes what Add and Delete have noted to swap.state.
func (d *Dir) Flush() error { return d.journal.flush() }
