package forward

import (
	"context"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/caching"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/reply"
	"go.uber.org/zap"
)

// lookup asks the store, and decides what becomes of the request.
func (x *transaction) lookup() freshness.Decision {
	c, rules, ctx := &x.cached, x.p.fetch.Rules, x.context()
	c.Cache, c.Policy, c.Request, c.Now = &x.cl.srv.cache, &x.p.caching, &x.req, x.now
	c.URL, c.Group = x.canonicalURL, x.facts.URLGroup
	port := freshness.Port{Gateway: x.form.Accelerated || x.form.Rebuilt, Accelerated: x.form.Accelerated}
	c.Ask(rules.ReadRequest(&x.req, len(x.url.Userinfo) > 0, port), x.form.Accelerated)
	if c.Uses = x.mayUseStore(); !c.Uses {
		return freshness.Decision{Action: freshness.Fetch, Tag: freshness.TagMiss, Lookup: freshness.LookupMiss}
	}
	rewriteStoreURL(x)
	found := c.Find(ctx) || c.FindHeld()
	if found && !x.verified() {
		c.Distrust()
		found = false
	}
	d := c.Decide(found)
	if q, ask := c.Stale(d); ask && x.p.helpers.refresh != nil {
		if a := x.p.helpers.refresh.Ask(ctx, &q); a.Fresh { // external_refresh_check
			c.Extend(a)
			d.Action, d.Tag = freshness.Serve, freshness.TagRefreshHit
		}
	}
	if say := x.cl.srv.say.Store; say.On(3) {
		say.Say(3, "the store about {method} {url}: {tag}",
			zap.String("method", x.req.MethodText), zap.ByteString("url", x.canonicalURL), zap.String("tag", string(d.Tag)))
	}
	return d
}

// rewriteStoreURL asks storeurl_rewrite_program under which URL the reply is kept.
func rewriteStoreURL(x *transaction) {
	if r := x.p.helpers.rewriters.StoreURL; r != nil && x.p.lists.StoreURLAccess.Ask(x.context(), &x.facts).Allowed() {
		x.cached.StoreURL = append(x.cached.StoreURL[:0], r.Store(x.context(), x.question())...)
	}
}

// mayUseStore reports whether the reply may come from the store, and go into it, as
// far as can be told without asking it.
func (x *transaction) mayUseStore() bool {
	switch {
	case !x.cached.Asked.Cacheable(), x.url.Scheme != http1.SchemeHTTP, x.body.Framing != http1.NoBody, x.mayUpgrade(), x.reply.Hop.Bare:
		return false
	case x.cl.pin.Tied(), http1.AuthenticatesConnection(x.req.Get(http1.Authorization)):
		return false // the connection is the client's own
	}
	if x.claims() {
		if verified, known := x.cl.srv.names.Verified(http1.View(x.url.Host), x.cl.meant.Addr()); known && !verified {
			return false
		}
	}
	if x.p.cfg.CacheUsesIndirectClient && x.facts.Client != x.client {
		facts := x.facts
		facts.Client = x.client
		return x.p.lists.Cache.Check(x.context(), &facts).Allowed()
	}
	return x.p.lists.Cache.Ask(x.context(), &x.facts).Allowed()
}

// verifyWait is how long a request for what is stored waits to learn whether its
// host belongs where the client wanted to go.
const verifyWait = time.Second

// verified waits for that, and reports whether it does.
func (x *transaction) verified() bool {
	if !x.claims() {
		return true
	}
	ctx, cancel := context.WithTimeout(x.context(), verifyWait)
	defer cancel()
	belongs, _ := x.cl.srv.names.Belongs(ctx, http1.View(x.url.Host), x.cl.meant.Addr())
	return belongs
}

// serveStored answers with what x.cached.Stored is open on. conditions says whether
// those of the client still count.
func (x *transaction) serveStored(conditions bool) bool {
	x.out.letNextBegin()
	x.reply.Hit = true
	c, o := &x.cached, &x.cached.Stored
	rep := &o.Reply
	c.Served = rep
	if conditions && c.Policy.Rules.Precondition(&c.Asked, &x.req.Fields, &rep.Fields, &o.Described) {
		return x.sendNotModified()
	}
	length := o.Length()
	var spans []freshness.Span
	given := length // to this client
	if c.Held != nil {
		given = c.Held.Span.Len()
	} else if spans = c.Ranges(o); len(spans) > 0 {
		given = freshness.Total(spans)
	}
	if f := x.checkHead(given); f != nil {
		return x.refuse(f)
	}
	r := &x.reply
	r.Status = rep.Status
	r.SetMIME(rep.Get(http1.ContentType))
	if sent := o.Sent(); sent != nil {
		r.Fields.Lend(sent)
	} else {
		r.Copy(rep, true)
		r.Fields.Remove(http1.SetCookie) // it was for one client (cache/hit-set-cookie)
		r.Fields.Remove(http1.Age)
		if !r.MustKeep {
			o.KeepSent(&r.Fields)
		}
	}
	if x.form.Accelerated {
		x.p.fetch.WithoutControl(&r.Fields, &x.req.Fields)
	}
	x.relocate(rep)
	if c.Held != nil {
		return sendHeld(x, c.Held)
	}
	if len(spans) > 0 {
		return x.sendRanges(o, spans)
	}
	if length >= 0 && rep.ContentLength() < 0 && rep.Status != 204 && (x.req.Method != http1.HEAD || c.ByGET) {
		r.Fields.AddInt(http1.ContentLength, length) // known by now (cache/hit-no-length)
	}
	return x.sendStored(o, o.Framing(x.req.Method), o.Body(x.context(), 0, -1))
}

// sendStored sends the head that is in x.reply.Fields, and the body.
func (x *transaction) sendStored(o *caching.Object, framing http1.Body, b *caching.Body) bool {
	defer b.End()
	r := &x.reply
	framed := r.Frame(framing, x.bodyMaxSize(), len(o.Reply.Head))
	x.finishStored(o, framed)
	if m := x.mappedError(); m != nil {
		return x.deliverMapped(m)
	}
	if framing.Framing == http1.NoBody {
		r.SendHead()
		return r.Keep
	}
	if o.Filler() != nil {
		o.WhenEnded(x.cl.c.Abort)
	}
	slowFilling(x, o)
	r.Send(b)
	return r.Keep
}

// finishStored adds the age and this hop's fields to the head of a stored reply; 2.6
// says nothing of an age of zero.
func (x *transaction) finishStored(o *caching.Object, framed bool) {
	if o == &x.cached.Filled {
		x.finishReplyHead(framed) // it comes from the origin
		return
	}
	if age := o.Described.Age(x.now.Unix()); age > 0 {
		x.reply.Fields.AddInt(http1.Age, age)
	}
	x.reply.CacheStatus = cacheStatus(x)
	x.reply.Finish(reply.Adding{Via: &o.Reply.Fields, Framed: framed, Closing: x.closes()})
}

// sendNotModified answers 304 with what is stored.
func (x *transaction) sendNotModified() bool {
	r, stored := &x.reply, &x.cached.Stored.Reply.Fields
	x.tag = string(freshness.TagIMSHit)
	r.Status = 304
	r.SetMIME(stored.Get(http1.ContentType))
	noteNotModified(x, &x.cached.Stored.Reply)
	r.Fields.Reset()
	for _, id := range freshness.NotModifiedFields {
		for i := range stored.Len() {
			if stored.ID(i) == id {
				r.Fields.Copy(stored, i)
			}
		}
	}
	x.finishStored(&x.cached.Stored, true)
	r.SendHead()
	return r.Keep
}

// sendHeld answers 206 with a part of what is not whole yet.
func sendHeld(x *transaction, h *caching.Held) bool {
	r, o, length := &x.reply, &x.cached.Stored, h.Span.Len()
	caching.BecomePart(r, []freshness.Span{h.Span}, &freshness.Multipart{Size: h.Size}, length)
	x.finishStored(o, r.Frame(http1.Body{Framing: http1.ByLength, Length: length}, x.bodyMaxSize(), len(o.Reply.Head)))
	r.Send(h)
	return r.Keep
}

// sendRanges answers 206 with parts of what is stored, or on its way there.
func (x *transaction) sendRanges(o *caching.Object, spans []freshness.Span) bool {
	r, c := &x.reply, &x.cached
	if len(spans) == 1 {
		from, length := spans[0].From, spans[0].Len()
		caching.BecomePart(r, spans, &freshness.Multipart{Size: o.Length()}, length)
		return x.sendStored(o, http1.Body{Framing: http1.ByLength, Length: length}, o.Body(x.context(), from, length))
	}
	b := c.Parts(x.context(), o, spans)
	defer b.End()
	length := b.Length()
	caching.BecomePart(r, spans, &b.Multipart, length)
	framed := r.Frame(http1.Body{Framing: http1.ByLength, Length: length}, 0, 0)
	x.finishStored(o, framed)
	slowFilling(x, o)
	r.Send(b)
	return r.Keep
}
