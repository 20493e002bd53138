package caching

import (
	"context"
	"io"

	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Ranges are the parts of what is stored that the request asks for, none when it gets
// the whole.
func (r *Request) Ranges() []freshness.Span {
	fields := &r.Request.Fields
	if !r.Asked.Ranged || !freshness.RangeHolds(fields, &r.Stored.Reply.Fields) {
		return nil
	}
	specs, ok := freshness.ParseRange(nil, fields.Get(http1.Range))
	if !ok {
		return nil
	}
	spans, ordered := freshness.Spans(nil, specs, r.Stored.Length())
	if !ordered {
		return nil
	}
	return spans
}

// Parts gives several parts of what is stored.
func (r *Request) Parts(ctx context.Context, spans []freshness.Span) *Parts {
	return &Parts{
		Multipart: freshness.Multipart{
			Boundary: r.Policy.Product + ":" + r.key.String(), ContentType: r.Stored.Reply.Get(http1.ContentType), Size: r.Stored.Length(),
		},
		spans: spans, Body: Body{r: &r.Stored.Reader, ctx: ctx},
	}
}

// Parts is several parts of an object as multipart/byteranges, which is a reply.Body.
// End it.
type Parts struct {
	freshness.Multipart
	spans []freshness.Span
	at    int
	begun bool
	over  bool
	made  []byte
	Body
}

// Length is that of the whole body in bytes.
func (p *Parts) Length() int64 { return p.Multipart.Length(p.spans) }

// Next implements reply.Body.
func (p *Parts) Next(most int, wait bool) ([]byte, error) {
	for {
		switch {
		case p.over:
			return nil, io.EOF
		case p.at == len(p.spans):
			p.over = true
			p.made = p.AppendEnd(p.made[:0])
			return p.made, nil
		case !p.begun:
			p.begun = true
			p.giveBack()
			p.r.SeekTo(p.spans[p.at].From)
			p.left = p.spans[p.at].Len()
			p.made = p.AppendHead(p.made[:0], p.spans[p.at])
			return p.made, nil
		}
		piece, err := p.Body.Next(most, wait)
		if err != io.EOF {
			return piece, err
		}
		p.begun = false
		if p.left > 0 {
			return nil, io.ErrUnexpectedEOF
		}
		p.at++
	}
}
