package caching

import (
	"io"

	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Held is a part of a body that other parts have brought, not all of it, on its way to a
// client. It is a reply.Body. Its head is in Stored.
type Held struct {
	// Span is which bytes of Size they are.
	Span freshness.Span
	Size int64

	joins *joins
	of    *joined
	at    int64
}

// FindHeld looks whether all bytes that the request asks for are there, where Find has
// found nothing: one range, and no condition but If-Range.
func (r *Request) FindHeld() bool {
	fields := &r.Request.Fields
	if !r.Asked.Ranged || r.Asked.Conditional || r.Request.Method != http1.GET {
		return false
	}
	specs, ok := freshness.ParseRange(nil, fields.Get(http1.Range))
	if !ok || len(specs) != 1 {
		return false
	}
	var span freshness.Span
	at := place{method: http1.GET, url: r.keptAs(), group: r.Group, key: r.key}
	b := r.Cache.joins.find(r.key, func(b *joined) bool {
		spans, _ := freshness.Spans(nil, specs, b.size)
		if len(spans) != 1 || !b.parts.Has(spans[0]) {
			return false
		}
		span = spans[0]
		if len(b.vary) == 0 {
			return true
		}
		data, ok := freshness.AppendVaryData(nil, b.vary, fields)
		return ok && at.variantKey(data) == b.key
	})
	if b == nil {
		return false
	}
	r.Held = &Held{Span: span, Size: b.size, joins: &r.Cache.joins, of: b, at: span.From}
	o := &r.Stored
	o.used = true
	o.Reply.Reset()
	if !parseHead(&o.Reply, b.head.Bytes, r.Policy.Policy) || !freshness.RangeHolds(fields, &o.Reply.Fields) {
		r.dropHeld()
		return false
	}
	f := b.head.Metadata
	o.key = b.key
	o.Described = r.Policy.Rules.Restored(&o.Reply, f.Timestamp.Unix(), f.Expires.Unix(), f.LastMod.Unix(), false, o.accelerated)
	return true
}

// dropHeld has the request answered without what FindHeld found.
func (r *Request) dropHeld() {
	if r.Held != nil {
		r.Held.joins.release(r.Held.of)
		r.Held = nil
	}
}

// Next implements reply.Body.
func (h *Held) Next(most int, _ bool) ([]byte, error) {
	if h.at == h.Span.To {
		return nil, io.EOF
	}
	n, from := h.at/joinBlock, h.at%joinBlock
	block := h.of.blocks[n][from:] // what is there of a body does not change any more
	piece := block[:min(int64(len(block)), h.Span.To-h.at, int64(most))]
	h.at += int64(len(piece))
	return piece, nil
}
