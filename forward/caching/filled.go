package caching

import (
	"context"
	"io"

	"github.com/cuttle-proxy/cuttle/forward/reply"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// FilledBody is the body of a reply on its way into the store. As long as the permit
// is the client's goroutine's, that reads it from the origin; afterwards it is a reader
// as any other.
type FilledBody struct {
	Body
	f      *Filling
	other  bool // the fetch has a goroutine of its own, or has ended
	direct int  // bytes of the last piece that the store did not take
}

// FilledBody begins the body of what the request brings into the store. Waiting for it
// ends with ctx, which is the client's.
func (r *Request) FilledBody(ctx context.Context) *FilledBody {
	return &FilledBody{f: r.Fill, Body: Body{r: &r.Filled.Reader, ctx: ctx, left: -1}}
}

// Rest implements reply.Resting: whoever joins meanwhile does not wait for this client.
func (b *FilledBody) Rest() {
	if b.direct == 0 && !b.other {
		b.other = !b.f.entry.Put()
	}
}

// Span implements reply.Spanned.
func (b *FilledBody) Span(most int64) reply.Span {
	if b.direct > 0 {
		return reply.Span{}
	}
	return b.Body.Span(most)
}

// Next implements reply.Body.
func (b *FilledBody) Next(most int, wait bool) ([]byte, error) {
	if b.direct > 0 {
		b.r.Advance(int64(b.direct))
		b.direct = 0
	}
	for !b.other {
		if b.given < b.span.Length {
			break // what the store has is sent first
		}
		b.giveBack()
		if !b.f.entry.Take() {
			b.other = true
			break
		}
		piece, err := b.f.Next(most, wait)
		held := len(piece) > 0 && b.f.entry.Append(piece)
		switch {
		case err == sock.ErrInterrupted:
			// Somebody joined, or the client left: its goroutine is not to wait here.
			if b.ctx.Err() != nil {
				return nil, err
			}
		case err != nil:
			b.other = true
			b.f.finished(err)
		}
		if len(piece) > 0 && !held {
			if err == io.EOF {
				err = nil // it comes again
			}
			b.direct = len(piece)
			return piece, err // the permit stays up: nobody else may read on meanwhile
		}
		b.other = !b.f.entry.Put() || b.other
		if len(piece) == 0 && err == nil {
			return nil, nil
		}
		if len(piece) > 0 {
			break
		}
	}
	piece, err := b.Body.Next(most, wait)
	if len(piece) == 0 && err == nil && wait {
		return b.Next(most, wait)
	}
	return piece, err
}
