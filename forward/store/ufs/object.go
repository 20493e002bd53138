package ufs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

var (
	// ErrMismatch: a file is not what the index says it is: another object's, cut,
	// or damaged. The entry is worthless; nothing of the file may be sent.
	ErrMismatch = errors.New("not the object in the index")
	// ErrNotCached: the disk would have to be waited for.
	ErrNotCached = errors.New("not in the page cache")
)

// Want is what the index knows of the object a file should hold.
type Want struct {
	Key Key
	// Size of the file in octets.
	Size int64
	// Timestamp in the index: a file that is younger came after it.
	Timestamp int64
	// URL of the request; nil where the key alone names the object (its URL was
	// rewritten for the store, say).
	URL []byte
}

// Object is an object file that is read.
type Object struct {
	// Meta is a view of the buffer given to OpenObject.
	Meta
	File *os.File
	// HeadOffset is where the reply's head begins; the reply ends at Size.
	HeadOffset, Size int64
	// First is what was read of the reply with the swap header: a view of the same
	// buffer, possibly empty.
	First []byte
}

// OpenObject opens the file of number n for reading and checks that it is the
// object wanted. The error wraps ErrMismatch if it is not, is fs.ErrNotExist where
// there is no file, ErrGone where there is no directory, ErrFile where the file alone
// cannot be opened, and ErrNotCached where that was asked for with cached and the
// disk would have to be waited for. It reads into buf, of which a few KB do: a
// longer swap header takes memory of its own. The caller closes the file.
func (d *Dir) OpenObject(n Number, want *Want, buf []byte, cached bool) (*Object, error) {
	o, err := d.openObject(n, buf, cached)
	if err != nil {
		return nil, d.concerns(err)
	}
	if err := o.check(want); err != nil {
		o.File.Close()
		return nil, fmt.Errorf("%s: %w: %w", o.File.Name(), ErrMismatch, err)
	}
	return o, nil
}

// openObject opens a file and reads its swap header.
func (d *Dir) openObject(n Number, buf []byte, cached bool) (*Object, error) {
	file, err := openFile(d.layout.file(n), cached)
	if err != nil {
		return nil, err
	}
	o := &Object{File: file}
	if err := o.read(buf, cached); err != nil {
		file.Close()
		return nil, fmt.Errorf("%s: %w", file.Name(), err)
	}
	return o, nil
}

// resolveCached is openat2's RESOLVE_CACHED.
const resolveCached = 0x20

// openFile opens a file for reading; with cached only if that is possible
// without the disk (Linux 5.12; with older kernels, never).
func openFile(path string, cached bool) (*os.File, error) {
	how := unix.OpenHow{Flags: unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NOFOLLOW | unix.O_NONBLOCK}
	if !cached {
		return os.OpenFile(path, int(how.Flags), 0)
	}
	how.Resolve = resolveCached
	fd, err := unix.Openat2(unix.AT_FDCWD, path, &how)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EINVAL), errors.Is(err, unix.EPERM):
		return nil, ErrNotCached
	case err != nil:
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// read reads the swap header. An error of the disk is returned as it is, what
// is wrong with the contents with ErrMismatch.
func (o *Object) read(buf []byte, cached bool) error {
	info, err := o.File.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: not a regular file", ErrMismatch)
	}
	o.Size = info.Size()
	readAt := io.ReaderAt(o.File)
	if cached {
		readAt = cachedReader{o.File}
	}
	if buf, err = readFull(readAt, buf); err != nil {
		return err
	}
	length, err := metaLength(buf)
	if err == nil && length > len(buf) {
		if buf, err = readFull(readAt, make([]byte, length)); err != nil {
			return err
		}
	}
	if err == nil {
		_, err = o.Meta.Parse(buf)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMismatch, err)
	}
	o.HeadOffset, o.First = int64(length), buf[length:]
	return nil
}

// readFull fills buf from the beginning of a file, or as much as there is.
func readFull(r io.ReaderAt, buf []byte) ([]byte, error) {
	n, err := r.ReadAt(buf, 0)
	if err == io.EOF {
		err = nil
	}
	return buf[:n], err
}

// cachedReader reads what is in the page cache. A short read counts as the end
// of the file.
type cachedReader struct{ file *os.File }

func (c cachedReader) ReadAt(p []byte, offset int64) (int, error) {
	n, err := unix.Preadv2(int(c.file.Fd()), [][]byte{p}, offset, unix.RWF_NOWAIT)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
		return 0, ErrNotCached
	case err != nil:
		return 0, err
	}
	return n, nil
}

// check compares the file with the index.
func (o *Object) check(want *Want) error {
	switch {
	case o.Key != want.Key:
		return errors.New("another key")
	case want.URL != nil && !bytes.Equal(o.URL, want.URL):
		return fmt.Errorf("another URL: %q", o.URL)
	case o.Size != want.Size:
		return fmt.Errorf("%d octets long, not %d", o.Size, want.Size)
	case o.Timestamp > want.Timestamp:
		return fmt.Errorf("younger than its entry: %d, not %d", o.Timestamp, want.Timestamp)
	}
	return o.wrongLength()
}

// wrongLength is what the swap header itself says about the file's length.
func (o *Object) wrongLength() error {
	switch {
	case o.Size < o.HeadOffset:
		return fmt.Errorf("%d octets long, its swap header %d", o.Size, o.HeadOffset)
	case o.ObjectSize >= 0 && o.Size != o.HeadOffset+o.ObjectSize:
		return fmt.Errorf("%d octets long, not %d and %d", o.Size, o.HeadOffset, o.ObjectSize)
	case o.FileSize > 0 && o.Size != o.FileSize:
		return fmt.Errorf("%d octets long, not %d", o.Size, o.FileSize)
	}
	return nil
}
