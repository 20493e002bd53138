package ufs

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Errors of Allocate, which are no fault of the disk: the object is not stored.
var (
	// ErrRebuilding: it is not yet known which Numbers are in use.
	ErrRebuilding = errors.New("the file numbers in use are not known yet")
	// ErrFull: every Number is in use.
	ErrFull = errors.New("no file number is free")
	// ErrReadOnly: the cache_dir line says read-only.
	ErrReadOnly = errors.New("the cache_dir is read-only")
)

// objectMode is the mode of object files and logs, folderMode that of folders that have
// gone missing, less the umask.
const (
	objectMode = 0o644
	folderMode = 0o755
)

// Allocate hands out a Number, for Create. It is given back by Unlink.
func (d *Dir) Allocate() (Number, error) {
	switch {
	case d.readOnly:
		return 0, ErrReadOnly
	case !d.numbered.Load():
		return 0, ErrRebuilding
	}
	n, ok := d.numbers.allocate()
	if !ok {
		return 0, ErrFull
	}
	return n, nil
}

// Create makes the file of a Number with m as its swap header; the reply is
// written from offset on. A file that is there belongs to no object (one in the
// cache has its Number in use) and is replaced, not overwritten, since it may be
// being read. After an error there is no file; after ErrFile the Number is of no use to
// anybody, and should not be given back.
func (d *Dir) Create(n Number, m *Meta) (file *os.File, offset int64, err error) {
	path := d.layout.file(n)
	for range 3 {
		step()
		file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, objectMode)
		switch {
		case errors.Is(err, fs.ErrExist):
			step()
			err = os.Remove(path)
		case errors.Is(err, fs.ErrNotExist):
			if err = d.concerns(err); errors.Is(err, ErrGone) {
				return nil, 0, err
			}
			step()
			err = os.MkdirAll(filepath.Dir(path), folderMode)
		}
		if file != nil || err != nil {
			break
		}
	}
	if file == nil && err == nil {
		err = &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	if err != nil {
		return nil, 0, d.concerns(err)
	}
	head := m.Append(nil)
	step()
	if _, err = file.Write(head); err != nil {
		file.Close()
		os.Remove(path)
		return nil, 0, err
	}
	return file, int64(len(head)), nil
}

// fileSizeAt is where Append puts Meta.FileSize: behind key and times.
const fileSizeAt = metaPrefix + 5 + len(Key{}) + 5 + 4*8

// Seal writes the length of a whole file, in octets, into its swap header. Without it
// (and without Meta.ObjectSize) the file would not tell, were swap.state lost, that it
// is whole.
func Seal(file *os.File, size int64) error {
	_, err := file.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(size)), int64(fileSizeAt))
	return err
}

// Unlink removes the file of a Number, if it is there, and gives the Number
// back. What Delete has noted is in swap.state before, unless the file system is full:
// then a file must go for anything to be written, and a record that is left names a file
// that has another key, or is not there. On other errors nothing has happened and the
// Number stays in use.
func (d *Dir) Unlink(n Number) error {
	if d.readOnly {
		return nil
	}
	full := d.Flush()
	if full != nil && !Full(full) {
		return full
	}
	step()
	if err := os.Remove(d.layout.file(n)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return d.concerns(err)
	}
	d.numbers.free(n)
	return full
}

// Full reports whether an error says that the file system has no room.
func Full(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
