package store

import (
	"context"

	"github.com/cuttle-proxy/cuttle/forward/store/arena"
)

// nextOfWhole is Next of an object that is complete.
func (r *Reader) nextOfWhole(ctx context.Context, limit int64) (Span, error) {
	switch {
	case !r.pinned:
		return Span{}, ErrAborted
	case r.memory:
		return r.nextInMemory(limit)
	case r.file == nil:
		return Span{}, ErrSwapFail // Load comes first
	}
	return r.file.next(ctx, r, limit)
}

// nextInMemory gives views of pages, without a copy.
func (r *Reader) nextInMemory(limit int64) (Span, error) {
	n := min(r.length-r.at, limit)
	if n <= 0 {
		return Span{}, nil
	}
	r.pieces = r.pieces[:0]
	from := r.object.body
	p, at := from.page, int64(from.at)+r.at
	ok := r.s.mem.Generation(p) == from.gen
	for ok && at >= arena.PageSize {
		p, ok = r.s.mem.Next(p)
		ok = ok && p != 0
		at -= arena.PageSize
	}
	for left := n; ok && left > 0; {
		part := min(left, arena.PageSize-at)
		if part > 0 {
			r.pieces = append(r.pieces, r.s.mem.Bytes(p)[at:at+part:at+part])
		}
		if left, at = left-part, 0; left > 0 {
			p, ok = r.s.mem.Next(p)
			ok = ok && p != 0
		}
	}
	if !ok {
		r.s.stats.faults.Add(1)
		return Span{}, ErrAborted
	}
	return Span{Pieces: r.pieces, Length: n}, nil
}
