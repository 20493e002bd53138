package caching

import (
	"context"
	"io"

	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/reply"
)

// Ranges are the parts of what is stored, or on its way there, that the request asks for,
// none when it gets the whole. Of what is on its way for this request 2.6 gives parts only
// where range_offset_limit had the whole fetched; so do we, and where the part that an
// origin gave is the whole.
func (r *Request) Ranges(o *Object) []freshness.Span {
	if o == &r.Filled && !r.miss.whole && r.Fill.partial == 0 {
		return nil
	}
	return r.spans(&o.Reply, o.Length())
}

// ahead reports whether what was found is on its way, and far from the part that the
// request asks for.
func (r *Request) ahead() bool {
	if !r.Asked.Ranged || r.Stored.Filler() == nil {
		return false
	}
	specs, ok := freshness.ParseRange(nil, r.Request.Fields.Get(http1.Range))
	return ok && r.Policy.Rules.Ahead(specs, r.Stored.Came())
}

// spans are the parts of a reply of so many bytes, -1 unknown, that the request asks for.
func (r *Request) spans(rep *http1.Reply, length int64) []freshness.Span {
	fields := &r.Request.Fields
	if rep.ContentLength() < 0 && !r.Policy.Rules.ByRFC {
		return nil // 2.6 gives parts only of what came with its length
	}
	if !r.Asked.Ranged || rep.Status != 200 || length < 0 || !freshness.RangeHolds(fields, &rep.Fields) {
		return nil
	}
	specs, ok := freshness.ParseRange(nil, fields.Get(http1.Range))
	if !ok {
		return nil
	}
	spans, ordered := freshness.Spans(nil, specs, length)
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
	return &Parts{Multipart: r.multipart(&o.Reply, o.Length()), spans: spans, Body: Body{r: &o.Reader, ctx: ctx}}
}

func (r *Request) multipart(rep *http1.Reply, size int64) freshness.Multipart {
	return freshness.Multipart{Boundary: r.Policy.Product + ":" + r.key.String(), ContentType: rep.Get(http1.ContentType), Size: size}
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
		if len(piece) > 0 && err == io.EOF { // the end of a part
			err = nil
		}
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

// BecomePart makes the head of a reply that of a 206 with one part of a body, or several,
// of so many bytes.
func BecomePart(r *reply.Reply, spans []freshness.Span, m *freshness.Multipart, length int64) {
	r.Status = 206
	r.Fields.Remove(http1.ContentLength)
	if len(spans) == 1 {
		r.Fields.Set(freshness.AppendContentRange(r.Fields.Pieces(), spans[0], m.Size)).End(http1.ContentRange)
	} else {
		r.Fields.Remove(http1.ContentType)
		r.Fields.Set(m.AppendType(r.Fields.Pieces())).End(http1.ContentType)
	}
	r.Fields.AddInt(http1.ContentLength, length)
}
