package caching

import (
	"context"
	"io"

	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Ranges are the parts of what is stored, or on its way there, that the request asks for,
// none when it gets the whole. Of what is on its way for this request 2.6 gives parts only
// where range_offset_limit had the whole fetched; so do we, and where the part that an
// origin gave is the whole.
func (r *Request) Ranges(o *Object) []freshness.Span {
	fields := &r.Request.Fields
	if !r.Asked.Ranged || o.Reply.Status != 200 || o.Length() < 0 || !freshness.RangeHolds(fields, &o.Reply.Fields) {
		return nil
	}
	if o == &r.Filled && !r.miss.whole && r.Fill.partial == 0 {
		return nil
	}
	specs, ok := freshness.ParseRange(nil, fields.Get(http1.Range))
	if !ok {
		return nil
	}
	spans, ordered := freshness.Spans(nil, specs, o.Length())
	if !ordered {
		return nil
	}
	return spans
}

// Hand gives the fetch a goroutine of its own: its client waits for a part.
func (r *Request) Hand() {
	r.Fill.entry.Put()
	r.Fill.entry.Own()
}

// Parts gives several parts of an object.
func (r *Request) Parts(ctx context.Context, o *Object, spans []freshness.Span) *Parts {
	return &Parts{
		Multipart: freshness.Multipart{
			Boundary: r.Policy.Product + ":" + r.key.String(), ContentType: o.Reply.Get(http1.ContentType), Size: o.Length(),
		},
		spans: spans, Body: Body{r: &o.Reader, ctx: ctx},
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
