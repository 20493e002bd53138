package forward

import (
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// fetchAnew answers with what the origin says, and stores it where that may be.
func (x *transaction) fetchAnew() bool {
	c := &x.cached
	c.Stored.Close()
	if !c.MayKeep() {
		return x.fetchAlone()
	}
	if c.Plain() {
		return x.fetchFirst()
	}
	for {
		if f := x.beginFill(c.Begin); f != nil {
			return x.refuse(f)
		}
		if f := c.Await(); f != nil {
			return x.refuse(f)
		}
		if c.SelectByTag(x.context()) {
			x.reply.Lookup = string(freshness.LookupHit)
			x.tag = string(freshness.TagHit)
			if !c.Stored.FromDisk() {
				x.tag = string(freshness.TagMemHit)
			}
			return x.serveStored(true)
		}
		if !c.AskAgain() {
			return x.serveFill()
		}
		x.cl.release(c.Fill)
		c.EndFill()
	}
}

// fetchAlone answers with a reply that is nobody else's.
func (x *transaction) fetchAlone() bool {
	if f := x.forward(); f != nil {
		return x.refuse(f)
	}
	if c := &x.cached; !c.Asked.Cacheable() || !c.Uses {
		rewriteStoreURL(x) // what is kept for the URL may have to go
	}
	x.cached.Invalidate(&x.fetch)
	x.cached.Served = &x.fetch.Reply
	return x.serveFetched()
}

// fetchFirst has the request fetched by the client's own fetch until the head of the
// reply is there. Only what is to be stored and has not come whole becomes a fetch of its
// own then: nobody can have waited for it, and what is not stored costs nothing.
func (x *transaction) fetchFirst() bool {
	if f := x.forward(); f != nil {
		return x.refuse(f)
	}
	if !x.cached.Keep(&x.fetch) {
		x.cached.Served = &x.fetch.Reply
		return x.serveFetched()
	}
	if x.cached.StoreWhole(x.context(), &x.fetch) {
		x.cached.Served = &x.fetch.Reply
		return x.serveFetched()
	}
	x.cl.release(&x.fetch)
	x.cached.Adopt(&x.fetch)
	x.cl.hold(x.cached.Fill)
	return x.serveFill()
}

// revalidate asks the origin whether what x.cached.Stored is open on is still the same,
// and answers with that or with what comes in its place.
func (x *transaction) revalidate() bool {
	c := &x.cached
	if f := x.beginFill(c.BeginRefresh); f != nil {
		return x.refuse(f)
	}
	outcome, tag, f := c.AwaitRefresh()
	x.tag = string(tag)
	if f != nil {
		return x.refuse(f)
	}
	switch outcome {
	case freshness.Replace:
		return x.serveFill()
	case freshness.Again:
		x.cl.release(c.Fill)
		c.EndFill()
		return x.fetchAnew()
	case freshness.PassOther, freshness.PassNotModified:
		c.TakeBack() // the origin's own 304 goes to the client
		return x.serveFetched()
	}
	return x.serveStored(false)
}

// refreshBehind has the origin asked about what x.cached.Stored is open on without the
// client.
func (x *transaction) refreshBehind() {
	if x.cl.srv.stopping.Load() {
		return
	}
	x.describeRequest(&x.asks)
	x.cached.RefreshBehind(x.context(), &x.asks)
}

// beginFill begins a fetch that may outlive the client, and lets a hang-up of the
// client reach it.
func (x *transaction) beginFill(begin func(*fetch.Request) *failure.Failure) *failure.Failure {
	if f := x.mayBegin(); f != nil {
		return f
	}
	x.describeRequest(&x.asks)
	if f := begin(&x.asks); f != nil {
		return f
	}
	x.cl.hold(x.cached.Fill)
	return nil
}

// serveFetched answers with the reply of a fetch that is the client's alone.
func (x *transaction) serveFetched() bool {
	if f := x.checkReply(); f != nil {
		return x.refuse(f)
	}
	return x.deliver()
}

// serveFill answers with the reply that has begun: out of the store while it goes in,
// or, when it proved unstorable, from its connection.
func (x *transaction) serveFill() bool {
	c, r := &x.cached, &x.reply
	switch stored, err := c.Publish(); {
	case err != nil:
		return x.refuse(failure.Broken(err))
	case !stored:
		return x.serveFetched()
	case x.cl.gone.Load(): // others have waited with it
		r.Keep = false
		return false
	}
	spans, given := c.Ranges(&c.Filled), c.Filled.Length()
	if len(spans) > 0 {
		given = freshness.Total(spans)
	}
	if f := x.checkHead(given); f != nil {
		return x.refuse(f)
	}
	x.copyHead(c.Served, true)
	if len(spans) > 0 {
		c.Hand()
		return x.sendRanges(&c.Filled, spans)
	}
	framing := c.Filled.Framing(x.req.Method)
	framed := r.Frame(framing, x.bodyMaxSize(), len(c.Served.Head))
	x.finishReplyHead(framed)
	if m := x.mappedError(); m != nil {
		return x.deliverMapped(m)
	}
	if framing.Framing == http1.NoBody {
		r.SendHead()
		c.Complete()
		return r.Keep
	}
	c.Filled.WhenEnded(x.cl.c.Abort)
	b := c.FilledBody(x.context())
	defer b.End()
	slow(x, c.Undelayed(&c.Filled), len(c.Served.Head))
	r.Send(b)
	return r.Keep
}
