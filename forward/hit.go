package forward

import (
	"io"

	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/reply"
)

// serveStored answers with what x.cached.stored is open on. conditions says whether those of the client still count.
func (x *transaction) serveStored(conditions bool) bool {
	x.letNextBegin()
	x.reply.Hit = true
	rep := &x.cached.stored.head
	x.cached.served = rep
	if conditions && x.cached.asked.Precondition(&x.req.Fields, &rep.Fields, &x.cached.stored.object) {
		return x.sendNotModified()
	}
	length := x.cached.stored.Length()
	if f := x.checkHead(length); f != nil {
		return x.refuse(f)
	}
	r := &x.reply
	r.Status = rep.Status
	r.SetMIME(rep.Get(http1.ContentType))
	r.Copy(rep, true)
	r.Fields.Remove(http1.SetCookie) // it was for one client (cache/hit-set-cookie)
	r.Fields.Remove(http1.Age)
	body := x.storedFraming(length)
	if x.req.Method == http1.GET && rep.Status == 200 && length >= 0 {
		if spans := x.ranges(length); len(spans) > 0 {
			return x.sendRanges(spans, length)
		}
	}
	if length >= 0 && rep.ContentLength() < 0 && rep.Status != 204 && x.req.Method != http1.HEAD {
		r.Fields.AddInt(http1.ContentLength, length) // known by now (cache/hit-no-length)
	}
	x.addAge()
	b := storedBody{r: &x.cached.stored.Reader, ctx: x.context(), left: -1}
	return x.sendStored(body, &b)
}

// storedFraming is how what is stored is framed for the client.
func (x *transaction) storedFraming(length int64) http1.Body {
	switch {
	case x.req.Method == http1.HEAD || x.cached.stored.head.Status == 204 || x.cached.stored.head.Status == 304:
		return http1.Body{}
	case length >= 0:
		return http1.Body{Framing: http1.ByLength, Length: length}
	}
	return http1.Body{Framing: http1.UntilClose, Length: -1}
}

// addAge adds the age of what is stored; 2.6 says nothing of an age of zero.
func (x *transaction) addAge() {
	if age := x.cached.stored.object.Age(x.now.Unix()); age > 0 {
		x.reply.Fields.AddInt(http1.Age, age)
	}
}

// sendStored sends the head that is in x.reply.Fields, and the body.
func (x *transaction) sendStored(framing http1.Body, b *storedBody) bool {
	defer b.end()
	r := &x.reply
	framed := r.Frame(framing, x.bodyMaxSize(), len(x.cached.stored.head.Head))
	x.finishStoredHead(framed)
	if m := x.mappedError(); m != nil {
		return x.deliverMapped(m)
	}
	if framing.Framing == http1.NoBody {
		r.SendHead()
		return r.Keep
	}
	if x.cached.stored.Filler() != nil {
		x.cached.stored.WhenEnded(x.cl.c.Abort)
	}
	r.Send(b)
	return r.Keep
}

// finishStoredHead adds this hop's fields to the head of a stored reply.
func (x *transaction) finishStoredHead(framed bool) {
	x.reply.Finish(reply.Adding{Via: &x.cached.stored.head.Fields, Framed: framed, Closing: x.closes()})
}

// sendNotModified answers 304 with what is stored.
func (x *transaction) sendNotModified() bool {
	r, stored := &x.reply, &x.cached.stored.head.Fields
	x.tag = string(freshness.TagIMSHit)
	r.Status = 304
	r.SetMIME(stored.Get(http1.ContentType))
	r.Fields.Reset()
	for _, id := range freshness.NotModifiedFields {
		for i := range stored.Len() {
			if stored.ID(i) == id {
				r.Fields.Copy(stored, i)
			}
		}
	}
	x.addAge()
	x.finishStoredHead(true)
	r.SendHead()
	return r.Keep
}

// ranges are the parts of what is stored that the client asks for, none when it gets
// the whole.
func (x *transaction) ranges(size int64) []freshness.Span {
	if !x.cached.asked.Ranged || !freshness.RangeHolds(&x.req.Fields, &x.cached.stored.head.Fields) {
		return nil
	}
	specs, ok := freshness.ParseRange(nil, x.req.Get(http1.Range))
	if !ok {
		return nil
	}
	spans, ordered := freshness.Spans(nil, specs, size)
	if !ordered {
		return nil
	}
	return spans
}

// sendRanges answers 206 with parts of what is stored.
func (x *transaction) sendRanges(spans []freshness.Span, size int64) bool {
	r := &x.reply
	r.Status = 206
	r.Fields.Remove(http1.ContentLength)
	if len(spans) == 1 {
		r.Fields.Set(freshness.AppendContentRange(r.Fields.Pieces(), spans[0], size)).End(http1.ContentRange)
		r.Fields.AddInt(http1.ContentLength, spans[0].Len())
		x.addAge()
		x.cached.stored.SeekTo(spans[0].From)
		b := storedBody{r: &x.cached.stored.Reader, ctx: x.context(), left: spans[0].Len()}
		return x.sendStored(http1.Body{Framing: http1.ByLength, Length: spans[0].Len()}, &b)
	}
	b := partsBody{
		Multipart: freshness.Multipart{Boundary: x.p.product + ":" + x.cached.key.String(), ContentType: x.cached.stored.head.Get(http1.ContentType), Size: size},
		spans:     spans, storedBody: storedBody{r: &x.cached.stored.Reader, ctx: x.context()},
	}
	defer b.end()
	r.Fields.Remove(http1.ContentType)
	r.Fields.Set(b.AppendType(r.Fields.Pieces())).End(http1.ContentType)
	length := b.Length(spans)
	r.Fields.AddInt(http1.ContentLength, length)
	x.addAge()
	framed := r.Frame(http1.Body{Framing: http1.ByLength, Length: length}, 0, 0)
	x.finishStoredHead(framed)
	r.Send(&b)
	return r.Keep
}

// partsBody is several parts of what is stored, as multipart/byteranges.
type partsBody struct {
	freshness.Multipart
	spans []freshness.Span
	at    int
	begun bool
	over  bool
	made  []byte
	storedBody
}

// Next implements reply.Body.
func (b *partsBody) Next(most int, wait bool) ([]byte, error) {
	for {
		switch {
		case b.over:
			return nil, io.EOF
		case b.at == len(b.spans):
			b.over = true
			b.made = b.AppendEnd(b.made[:0])
			return b.made, nil
		case !b.begun:
			b.begun = true
			b.giveBack()
			b.r.SeekTo(b.spans[b.at].From)
			b.left = b.spans[b.at].Len()
			b.made = b.AppendHead(b.made[:0], b.spans[b.at])
			return b.made, nil
		}
		piece, err := b.storedBody.Next(most, wait)
		if err != io.EOF {
			return piece, err
		}
		b.begun = false
		if b.left > 0 {
			return nil, io.ErrUnexpectedEOF
		}
		b.at++
	}
}
