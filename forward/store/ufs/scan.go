package ufs

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// listFolders learns which files there are. A file of which swap.state knows
// nothing has its number in use until it is looked at.
func (r *rebuild) listFolders() error {
	for i := range r.l1 {
		for j := range r.l2 {
			if err := r.listFolder(i, j); err != nil {
				return err
			}
		}
		if err := r.ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (r *rebuild) listFolder(i, j int) error {
	f, err := os.Open(r.secondFolder(i, j))
	if err != nil {
		r.problem(err) // its entries will be missing
		return nil
	}
	defer f.Close()
	for {
		names, err := f.Readdirnames(4096)
		for _, name := range names {
			n, ok := parseNumber(name)
			if first, second := r.folders(n); !ok || first != i || second != j {
				r.report.Misplaced++
				continue
			}
			r.files.add(n)
			r.numbers.take(n)
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			r.problem(err)
			return nil
		}
	}
}

// adopt looks at the files swap.state knows nothing of: what is whole is taken
// into the index, what a killed process did not finish is removed.
func (r *rebuild) adopt() error {
	total := int64(len(r.files) * 64)
	r.buf = make([]byte, 4096)
	for word, bits := range r.files {
		if bits == 0 {
			continue
		}
		if err := r.progress(int64(word*64), total); err != nil {
			return err
		}
		for bit := range 64 {
			n := Number(word*64 + bit)
			if bits&(1<<bit) != 0 && r.last.get(n) == 0 {
				if err := r.adoptFile(n); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// adoptFile looks at one file. Only an error of swap.state ends the work.
func (r *rebuild) adoptFile(n Number) error {
	rec, err := r.examine(n)
	r.report.Entries++
	switch {
	case err == nil:
		if r.entry(rec) {
			r.report.Adopted++
			return r.Add(rec)
		}
		return nil
	case errors.Is(err, ErrForeign):
		r.report.Foreign++ // it stays, and so does its number
		return nil
	case errors.Is(err, ErrMismatch):
		r.report.Unfinished++
		err = r.Unlink(n)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.problem(err)
	}
	return nil
}

// examine makes a record of a file that proves to be whole. An error that is
// neither ErrMismatch nor ErrForeign is the disk's.
func (r *rebuild) examine(n Number) (*Record, error) {
	o, err := r.openObject(n, r.buf, false)
	if errors.Is(err, errBigEndianFile) {
		return nil, ErrForeign
	}
	if err != nil {
		return nil, err
	}
	defer o.File.Close()
	if !o.provenWhole() {
		return nil, ErrMismatch
	}
	return &Record{Number: n, Times: o.Times, Size: o.Size, RefCount: o.RefCount, Flags: o.Flags &^ FlagValidated, Key: o.Key}, nil
}

// provenWhole reports whether something in the file says that it has all its
// octets: the swap header, or the reply's Content-Length. Those that 2.6 began to
// write before it knew their length have only that.
func (o *Object) provenWhole() bool {
	switch {
	case o.wrongLength() != nil:
		return false
	case o.ObjectSize >= 0 || o.FileSize > 0:
		return true
	}
	length, body, ok := o.contentLength()
	return ok && o.Size == o.HeadOffset+int64(length)+body
}

// contentLength reads the reply's head: its own length, and that of the body it
// announces.
func (o *Object) contentLength() (head int, body int64, ok bool) {
	var reply http1.Reply
	options := http1.Options{Relaxed: true, MaxHead: metaMax}
	n, state := reply.Parse(o.First, false, &options)
	if state == http1.NeedMore {
		first := make([]byte, min(metaMax, o.Size-o.HeadOffset))
		if _, err := o.File.ReadAt(first, o.HeadOffset); err != nil {
			return 0, 0, false
		}
		reply.Reset()
		n, state = reply.Parse(first, true, &options)
	}
	if state != http1.Complete || n == 0 {
		return 0, 0, false
	}
	body = reply.ContentLength()
	return n, body, body >= 0
}
