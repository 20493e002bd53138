package store

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// fileSpan is how much of a file is given out at once at most: so much is seen to
// be in the page cache.
const fileSpan = 256 << 10

// next gives a part of the body, after seeing to it that the disk need not be
// waited for when it is sent.
func (f *openFile) next(ctx context.Context, r *Reader, limit int64) (Span, error) {
	n := min(r.length-r.at, limit, fileSpan)
	if n <= 0 {
		return Span{}, nil
	}
	offset := f.body + r.at
	if !cachedRange(f.fd, offset, n) {
		if err := f.warm(ctx, offset, n); err != nil {
			return Span{}, err
		}
	}
	return Span{File: true, FD: f.fd, Offset: offset, Length: n}, nil
}

// warm has a worker read a range, so that it is in the page cache. When their
// queue is full whoever sends it waits for the disk itself.
func (f *openFile) warm(ctx context.Context, offset, n int64) error {
	fd, err := unix.Dup(f.fd) // the reader may be gone before the worker is
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	job := func() {
		buf := make([]byte, min(n, 64<<10))
		var err error
		for at := offset; at < offset+n && err == nil; at += int64(len(buf)) {
			_, err = unix.Pread(fd, buf, at)
		}
		unix.Close(fd)
		done <- err
	}
	if !f.s.work.read(job) {
		unix.Close(fd)
		f.s.stats.readQueueFull.Add(1)
		return nil
	}
	select {
	case err := <-done:
		if err != nil {
			f.s.diskError(f.d, err)
			return ErrAborted
		}
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// noCachestat: the kernel is older than 6.5, or a filter of system calls is.
var noCachestat atomic.Bool

// cachedRange reports whether a range of a file is in the page cache. Kernels that
// do not count its pages are asked for its first and last byte and one in each 64 KB,
// since pages come in runs.
func cachedRange(fd int, offset, n int64) bool {
	if !noCachestat.Load() {
		page := int64(os.Getpagesize())
		var found unix.Cachestat_t
		err := unix.Cachestat(uint(fd), &unix.CachestatRange{Off: uint64(offset), Len: uint64(n)}, &found, 0)
		if err == nil {
			return int64(found.Cache) >= (offset+n-1)/page-offset/page+1
		}
		noCachestat.Store(err == unix.ENOSYS || err == unix.EPERM)
	}
	return probedRange(fd, offset, n)
}

func probedRange(fd int, offset, n int64) bool {
	var one [1]byte
	for at := offset; ; at = min(at+64<<10, offset+n-1) {
		if _, err := unix.Preadv2(fd, [][]byte{one[:]}, at, unix.RWF_NOWAIT); err != nil && err != unix.EOPNOTSUPP && err != unix.ENOSYS {
			return false
		}
		if at == offset+n-1 {
			return true
		}
	}
}

// readAt fills p from a file; with cached only with what is in the page cache,
// otherwise it gives ufs.ErrNotCached. A file that ends early is ErrSwapFail.
func readAt(file *os.File, p []byte, offset int64, cached bool) error {
	for len(p) > 0 {
		var n int
		var err error
		if cached {
			n, err = unix.Preadv2(int(file.Fd()), [][]byte{p}, offset, unix.RWF_NOWAIT)
		} else {
			n, err = file.ReadAt(p, offset)
		}
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case cached && (errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS)):
			return ufs.ErrNotCached
		case n == 0 && (err == nil || err == io.EOF):
			return ErrSwapFail
		case n < 0, err != nil && err != io.EOF:
			return err
		}
		p, offset = p[n:], offset+int64(n)
	}
	return nil
}

// writeAll writes pieces at an offset, as many as writev(2) takes at once.
func writeAll(file *os.File, pieces [][]byte, offset int64) error {
	const most = 1024
	for len(pieces) > 0 {
		n, err := unix.Pwritev(int(file.Fd()), pieces[:min(len(pieces), most)], offset)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		if n == 0 && len(pieces[0]) > 0 {
			return io.ErrShortWrite
		}
		offset += int64(n)
		for len(pieces) > 0 && n >= len(pieces[0]) {
			n -= len(pieces[0])
			pieces = pieces[1:]
		}
		if n > 0 {
			pieces[0] = pieces[0][n:]
		}
	}
	return nil
}

// headEnd is where the head of a reply ends, behind its empty line; 0 when that is
// not there.
func headEnd(b []byte) int {
	for i := 0; i < len(b); i++ {
		if b[i] != '\n' {
			continue
		}
		switch rest := b[i+1:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return i + 2
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return i + 3
		}
	}
	return 0
}
