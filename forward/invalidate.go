package forward

import (
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// invalidate takes away what a reply to an unsafe request makes worthless: what is
// stored for its URL, and for the places its Location and Content-Location name.
func (x *transaction) invalidate() {
	rep := &x.fetch.Reply
	if !freshness.Invalidates(x.req.Method, rep.Status) {
		return
	}
	if verified, _ := x.fetch.Verified(); !verified {
		return
	}
	x.purgeStored()
	for _, id := range []http1.Name{http1.Location, http1.ContentLocation} {
		place, ok := freshness.SamePlace(nil, x.canonicalURL, rep.Get(id))
		if !ok {
			continue
		}
		for _, method := range []http1.Method{http1.GET, http1.HEAD} {
			parts := store.KeyParts{Method: method, URL: place, Group: []byte(x.facts.URLGroup)}
			x.cl.srv.store.Purge(parts.Key())
		}
	}
}

// missEdit is how a request for what is not stored differs from the client's.
type missEdit struct {
	tags  []byte // of the variants there are, for If-None-Match
	whole bool   // without the range, so that the reply can be stored
	plain bool   // without conditions (ignore_ims_on_miss)
}

// missEdit finds out how.
func (x *transaction) missEdit() (e missEdit) {
	rules := x.p.fetch.Rules
	if x.cached.others && !x.cached.asked.Reload {
		x.cached.tagged, _ = freshness.ParseVariants(x.cached.stored.list)
		e.tags = freshness.AppendVariantTags(nil, &x.req.Fields, x.cached.tagged)
	}
	if x.cached.asked.Ranged && rules.RangeOffsetLimit != 0 {
		specs, ok := freshness.ParseRange(nil, x.req.Get(http1.Range))
		e.whole = ok && rules.FetchesWhole(specs)
	}
	e.plain = rules.IgnoreIMSOnMiss && x.cached.asked.Conditional
	return e
}

func (e *missEdit) any() bool { return len(e.tags) > 0 || e.whole || e.plain }

// leavesOut reports whether a field of the client's is not sent.
func (e *missEdit) leavesOut(id http1.Name) bool {
	switch id {
	case http1.IfNoneMatch:
		return e.plain || len(e.tags) > 0
	case http1.IfModifiedSince:
		return e.plain
	case http1.Range, http1.IfRange, http1.RequestRange:
		return e.whole
	}
	return false
}

// selectByTag opens the variant a 304 says is right for the request, and enters that.
// It is false when the 304 is about what the client has.
func (x *transaction) selectByTag() bool {
	at := freshness.TaggedVariant(x.cached.tagged, x.cached.fill.Reply.Get(http1.ETag))
	if at < 0 {
		return false
	}
	v := x.cached.tagged[at]
	if !x.open(v.Key) {
		return false
	}
	v.Data = []string{string(x.cached.selection)}
	x.cl.srv.addVariant(x.cached.fill, x.cached.stored.head.AppendList(nil, http1.Vary), v)
	x.cached.fill.entry.Withdraw()
	x.reply.Lookup = string(freshness.LookupHit)
	x.tag = string(freshness.TagHit)
	if !x.cached.stored.fromDisk {
		x.tag = string(freshness.TagMemHit)
	}
	return true
}
