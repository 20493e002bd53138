package forward

import (
	"io"

	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/reply"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// source is the fetch the reply comes from as long as it is the client's alone.
func (x *transaction) source() *fetch.Fetch {
	if x.cached.fill != nil && x.cached.alone {
		return &x.cached.fill.Fetch
	}
	return &x.fetch
}

// fetchAnew answers with what the origin says, and stores it where that may be.
func (x *transaction) fetchAnew() bool {
	if !x.cached.uses || !x.cached.asked.MayKeep(x.cached.rule) {
		return x.fetchAlone()
	}
	x.cached.stored.Close()
	edit := x.missEdit()
	collapsed := x.p.cfg.CollapsedForwarding && x.cached.asked.Joinable()
	if !collapsed && !edit.any() && x.p.cfg.QuickAbortMin >= 0 {
		return x.fetchFirst()
	}
	var first http1.Outgoing
	if len(edit.tags) > 0 {
		first.Add(http1.IfNoneMatch, edit.tags)
	}
	if f := x.beginFilling(&first, edit.leavesOut); f != nil {
		return x.refuse(f)
	}
	x.cached.fill.open(&x.cached.filled.Reader, collapsed)
	if f := x.awaitFilling(); f != nil {
		return x.refuse(f)
	}
	if x.cached.fill.Reply.Status == 304 && x.selectByTag() {
		return x.serveStored(true)
	}
	return x.takeFilling()
}

// fetchFirst has the request fetched by the client's own fetch until the head of the
// reply is there. Only what is to be stored becomes a fetch of its own then: nobody
// can have waited for it, and what is not stored costs nothing.
func (x *transaction) fetchFirst() bool {
	if f := x.forward(); f != nil {
		return x.refuse(f)
	}
	k := x.keepsReply(&x.fetch, x.now.Unix())
	if !k.kept {
		x.supersede(&x.fetch, x.cached.key)
		x.cached.served = &x.fetch.Reply
		if f := x.checkReply(); f != nil {
			return x.refuse(f)
		}
		return x.deliver()
	}
	x.adopt()
	x.cached.fill.open(&x.cached.filled.Reader, false)
	return x.takeFilling()
}

// fetchAlone answers with a reply that is nobody else's.
func (x *transaction) fetchAlone() bool {
	x.cached.stored.Close()
	if f := x.forward(); f != nil {
		return x.refuse(f)
	}
	x.invalidate()
	x.cached.served = &x.fetch.Reply
	if f := x.checkReply(); f != nil {
		return x.refuse(f)
	}
	return x.deliver()
}

// beginFilling makes the fetch.
func (x *transaction) beginFilling(first *http1.Outgoing, leftOut func(http1.Name) bool) *failure.Failure {
	if f := x.mayBegin(); f != nil {
		return f
	}
	fill, f := x.newFilling(first, leftOut)
	if f != nil {
		return f
	}
	x.cached.fill = fill
	x.cl.hold(fill)
	return nil
}

// awaitFilling waits for the head of the reply.
func (x *transaction) awaitFilling() *failure.Failure {
	f := x.cached.fill.awaitHead()
	x.cached.from = x.cached.fill.from
	if f != nil {
		x.cached.fill.entry.Abort(f)
	}
	return f
}

// takeFilling answers with the reply that has begun: out of the store while it goes
// in, or, when it proved unstorable, from its connection.
func (x *transaction) takeFilling() bool {
	f := x.cached.fill
	if !f.publish() {
		x.cached.filled.Close()
		x.cached.alone = true
		x.cached.served = &f.Reply
		if f := x.checkReply(); f != nil {
			return x.refuse(f)
		}
		return x.deliver()
	}
	if err := x.cached.filled.readHead(x.p); err != nil {
		return x.refuse(failure.Broken(err))
	}
	x.cached.served = &x.cached.filled.head
	length := x.cached.filled.Length()
	if f := x.checkHead(length); f != nil {
		return x.refuse(f)
	}
	r, rep := &x.reply, x.cached.served
	x.copyHead(rep, true)
	b := filledBody{x: x, f: f, storedBody: storedBody{r: &x.cached.filled.Reader, ctx: x.context(), left: -1}}
	defer b.end()
	framing := http1.Body{Framing: http1.UntilClose, Length: -1}
	switch {
	case x.req.Method == http1.HEAD || rep.Status == 204 || rep.Status == 304:
		framing = http1.Body{}
	case length >= 0:
		framing = http1.Body{Framing: http1.ByLength, Length: length}
	}
	framed := r.Frame(framing, x.bodyMaxSize(), len(rep.Head))
	x.finishReplyHead(framed)
	if m := x.mappedError(); m != nil {
		return x.deliverMapped(m)
	}
	if framing.Framing == http1.NoBody {
		r.SendHead()
		f.entry.Complete()
		return r.Keep
	}
	x.cached.filled.WhenEnded(x.cl.c.Abort)
	r.Send(&b)
	return r.Keep
}

// filledBody is the body of a reply on its way into the store. As long as the permit
// is the client's goroutine's, that reads it from the origin; afterwards it is a reader
// as any other.
type filledBody struct {
	storedBody
	x      *transaction
	f      *filling
	other  bool // the fetch has a goroutine of its own, or has ended
	direct int  // bytes of the last piece that the store did not take
}

// Span implements reply.Spanned.
func (b *filledBody) Span(most int64) reply.Span {
	if b.direct > 0 {
		return reply.Span{}
	}
	return b.storedBody.Span(most)
}

// Next implements reply.Body.
func (b *filledBody) Next(most int, wait bool) ([]byte, error) {
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
			if b.x.cl.gone.Load() {
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
	piece, err := b.storedBody.Next(most, wait)
	if len(piece) == 0 && err == nil && wait {
		return b.Next(most, wait)
	}
	return piece, err
}
