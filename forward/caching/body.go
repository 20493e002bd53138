package caching

import (
	"context"
	"io"
	"sync"

	"github.com/cuttle-proxy/cuttle/forward/reply"
	"github.com/cuttle-proxy/cuttle/forward/store"
	"golang.org/x/sys/unix"
)

// Body is the body of what a reader of the store is at, as a reply.Body. End it.
type Body struct {
	r    *store.Reader
	ctx  context.Context
	left int64 // of a range, -1 for all there is

	span  store.Span
	piece int    // the next of span.Pieces
	given int64  // bytes of span given out
	buf   []byte // for what is read from a file
}

// fileBuffers are for parts of files that are copied.
var fileBuffers = sync.Pool{New: func() any { return new([fileBuffer]byte) }}

const fileBuffer = 64 << 10

// Next implements reply.Body.
func (b *Body) Next(most int, wait bool) (piece []byte, err error) {
	if b.left == 0 {
		b.giveBack()
		return nil, io.EOF
	}
	for b.given == b.span.Length {
		if err := b.advance(wait); err != nil {
			if err == store.ErrNotYet {
				return nil, nil
			}
			return nil, err
		}
	}
	if b.span.File {
		return b.readFile(most)
	}
	piece = b.span.Pieces[b.piece]
	if len(piece) > most {
		b.span.Pieces[b.piece] = piece[most:]
		piece = piece[:most]
	} else {
		b.piece++
	}
	b.took(len(piece))
	if b.r.InMemory() && (b.left == 0 || b.r.EndsBehind(b.given)) {
		return piece, io.EOF
	}
	return piece, nil
}

// Span implements reply.Spanned.
func (b *Body) Span(most int64) reply.Span {
	if b.left == 0 || b.given == b.span.Length && b.advance(false) != nil {
		return reply.Span{}
	}
	s := reply.Span{FD: b.span.FD, Offset: b.span.Offset + b.given, Length: b.span.Length - b.given}
	if !b.span.File {
		s.Pieces = b.span.Pieces[b.piece:]
	}
	return s
}

// Advance implements reply.Spanned.
func (b *Body) Advance(n int64) {
	b.took(int(n))
	if b.span.File {
		return
	}
	for n > 0 && n >= int64(len(b.span.Pieces[b.piece])) {
		n -= int64(len(b.span.Pieces[b.piece]))
		b.piece++
	}
	if n > 0 {
		b.span.Pieces[b.piece] = b.span.Pieces[b.piece][n:]
	}
}

// advance gives the span back and gets the next.
func (b *Body) advance(wait bool) (err error) {
	b.giveBack()
	limit := int64(longestSpan)
	if b.left > 0 {
		limit = min(limit, b.left)
	}
	if wait || b.r.Filler() == nil {
		b.span, err = b.r.Next(b.ctx, limit)
	} else {
		b.span, err = b.r.Poll(limit)
	}
	if err == nil && b.span.Length == 0 {
		return io.EOF
	}
	return err
}

// longestSpan bounds how much of an object is had at a time, in bytes.
const longestSpan = 1 << 20

func (b *Body) giveBack() {
	if b.span.Length > 0 {
		b.r.Advance(b.given)
	}
	b.span, b.piece, b.given = store.Span{}, 0, 0
}

// took counts n bytes given out.
func (b *Body) took(n int) {
	b.given += int64(n)
	if b.left > 0 {
		b.left -= int64(n)
	}
}

func (b *Body) readFile(most int) ([]byte, error) {
	if b.buf == nil {
		b.buf = fileBuffers.Get().(*[fileBuffer]byte)[:]
	}
	want := min(int64(most), int64(len(b.buf)), b.span.Length-b.given)
	n, err := unix.Pread(b.span.FD, b.buf[:want], b.span.Offset+b.given)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	b.took(n)
	return b.buf[:n], nil
}

// End gives back what the body holds.
func (b *Body) End() {
	if b.buf != nil {
		fileBuffers.Put((*[fileBuffer]byte)(b.buf))
		b.buf = nil
	}
}
