package ufs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

const (
	// cleanSuffix makes the name of the empty file that says that swap.state is
	// complete: it is younger than swap.state, and removed at a start.
	cleanSuffix = ".last-clean"
	// newSuffix makes the name of a swap.state that is not finished.
	newSuffix = ".new"
)

// foundLog is swap.state as a start finds it.
type foundLog struct {
	end   int64 // length in octets up to the last whole record
	clean bool  // a clean end wrote it, and nothing came after
	why   error // it cannot be replayed, because of this
}

// usable reports whether the log's records can be replayed and appended to.
func (f *foundLog) usable() bool { return f.why == nil }

// errNoLog: there is no swap.state, or nothing in it.
var errNoLog = errors.New("no swap.state")

// findLog looks at a swap.state.
func findLog(path string) (found foundLog, err error) {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return foundLog{why: errNoLog}, nil
	case err != nil:
		return found, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return found, err
	}
	if !info.Mode().IsRegular() {
		return found, fmt.Errorf("%s is not a regular file", path)
	}
	head := make([]byte, recordSize)
	n, err := io.ReadFull(f, head)
	switch {
	case err == io.EOF:
		return foundLog{why: errNoLog}, nil
	case err != nil && err != io.ErrUnexpectedEOF:
		return found, err
	}
	if found.why = checkHeader(head[:n]); found.why != nil {
		if errors.Is(found.why, errBigEndian) {
			return found, fmt.Errorf("%s: %w", path, ErrForeign)
		}
		return found, nil
	}
	found.end = info.Size() / recordSize * recordSize
	mark, err := os.Stat(path + cleanSuffix)
	found.clean = err == nil && !info.ModTime().After(mark.ModTime()) && found.end == info.Size()
	return found, nil
}

// openLog opens a log that ends at size, a multiple of recordSize: what is
// behind it, the torn end of a record, is cut off.
func openLog(path string, size int64) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	step()
	if err := f.Truncate(size); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// newLog makes a log with its header.
func newLog(path string) (*os.File, error) {
	step()
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	step()
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, objectMode)
	if err != nil {
		return nil, err
	}
	step()
	if _, err := f.Write(appendHeader(nil)); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
