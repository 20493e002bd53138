package caching

import (
	"io"

	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/reply"
)

// Cut is the parts that a client asked for of a reply that was fetched whole for them
// (range_offset_limit) and proved not to be stored. It is a reply.Body.
type Cut struct {
	freshness.Multipart
	Spans []freshness.Span

	body  reply.Body
	rest  []byte // of the last piece of it
	at    int    // of Spans
	pos   int64  // of the body: rest begins there
	begun bool
	over  bool
	made  []byte
}

// Cut is nil when the client gets the reply as it is.
func (r *Request) Cut(f *fetch.Fetch) *Cut {
	if !r.miss.whole || f.Framing().Framing != http1.ByLength {
		return nil
	}
	size := f.Framing().Length
	spans := r.spans(&f.Reply, size)
	if len(spans) == 0 {
		return nil
	}
	return &Cut{Multipart: r.multipart(&f.Reply, size), Spans: spans, body: f}
}

// Length is that of all parts in bytes, with what is between several.
func (c *Cut) Length() int64 {
	if len(c.Spans) == 1 {
		return c.Spans[0].Len()
	}
	return c.Multipart.Length(c.Spans)
}

// Next implements reply.Body.
func (c *Cut) Next(most int, wait bool) ([]byte, error) {
	for c.at < len(c.Spans) {
		s := c.Spans[c.at]
		if !c.begun && len(c.Spans) > 1 {
			c.begun = true
			c.made = c.AppendHead(c.made[:0], s)
			return c.made, nil
		}
		if c.pos == s.To {
			c.at, c.begun = c.at+1, false
			continue
		}
		if len(c.rest) == 0 {
			piece, err := c.body.Next(most, wait)
			if len(piece) == 0 {
				if err == io.EOF {
					err = io.ErrUnexpectedEOF
				}
				return nil, err
			}
			c.rest = piece
		}
		skip := min(max(0, s.From-c.pos), int64(len(c.rest)))
		c.pos, c.rest = c.pos+skip, c.rest[skip:]
		take := min(s.To-c.pos, int64(len(c.rest)), int64(most))
		if take <= 0 {
			continue
		}
		piece := c.rest[:take]
		c.pos, c.rest = c.pos+take, c.rest[take:]
		return piece, nil
	}
	if len(c.Spans) > 1 && !c.over {
		c.over = true
		c.made = c.AppendEnd(c.made[:0])
		return c.made, nil
	}
	return nil, io.EOF
}
