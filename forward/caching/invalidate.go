package caching

import (
	"bytes"
	"context"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// Purge takes away what is stored for a URL in a urlgroup, and reports whether there was
// anything.
func (c *Cache) Purge(url []byte, group string) (found bool) {
	parts := store.KeyParts{Method: http1.GET, URL: url, Group: []byte(group)}
	c.joins.drop(parts.Key())
	return c.Store.PurgeURL(url, []byte(group))
}

// Invalidate takes away what the reply to an unsafe request makes worthless: what is
// stored for its URL, and for the places its Location and Content-Location name.
func (r *Request) Invalidate(f *fetch.Fetch) {
	rep := &f.Reply
	if r.Asked.Cacheable() && !r.Uses { // cache deny: what is stored is older than this
		r.key = r.keyOf(r.Request.Method)
		r.Cache.supersede(f, r.place(), r.key)
		return
	}
	if !freshness.Invalidates(r.Request.Method, rep.Status) {
		return
	}
	if verified, _ := f.Verified(); !verified {
		return
	}
	r.Cache.Purge(r.keptAs(), r.Group)
	if !freshness.Succeeded(rep.Status) {
		return
	}
	for _, id := range [...]http1.Name{http1.Location, http1.ContentLocation} {
		place, ok := freshness.SamePlace(nil, r.URL, rep.Get(id))
		if ok {
			r.Cache.Purge(place, r.Group)
		}
	}
}

// supersede takes away what a reply that is not stored itself shows to be out of date: of
// variants the one that answered the request until now (old, none where that is the zero
// value), or that the reply would be. One to HEAD is about what a GET brought, too.
func (c *Cache) supersede(f *fetch.Fetch, at *place, old store.Key) {
	if !freshness.Supersedes(f.Reply.Status) {
		return
	}
	if verified, _ := f.Verified(); !verified {
		return
	}
	c.joins.drop(at.key)
	data := varyData(f)
	if data != nil {
		old = at.variantKey(data)
	}
	if old != (store.Key{}) && !c.Store.Purge(old) && at.method == http1.HEAD {
		c.Store.Purge(at.of(http1.GET).variantKey(data))
	}
}

// noteHead notes that a reply to a method is stored.
func (c *Cache) noteHead(m http1.Method) {
	if m == http1.HEAD && !c.heads.Load() {
		c.heads.Store(true)
	}
}

// supersedeHead takes away what a HEAD brought before: a reply to GET is newer.
func (c *Cache) supersedeHead(f *fetch.Fetch, at *place) {
	if at.method != http1.GET || !c.heads.Load() || !freshness.Supersedes(f.Reply.Status) {
		return
	}
	if verified, _ := f.Verified(); verified {
		c.Store.Purge(at.of(http1.HEAD).variantKey(varyData(f)))
	}
}

// varyData is the text of the fields that select the variant a reply is, nil for none.
func varyData(f *fetch.Fetch) []byte {
	if !f.Reply.Has(http1.Vary) {
		return nil
	}
	data, ok := freshness.AppendVaryData(nil, f.Reply.AppendList(nil, http1.Vary), f.Asked().Fields)
	if !ok {
		return nil
	}
	return data
}

// superseded is the key that supersede is to take away.
func (r *Request) superseded() store.Key {
	switch {
	case r.others:
		return store.Key{}
	case r.variant != (store.Key{}):
		return r.variant
	}
	return r.key
}

// PurgeSelected takes away what a request with these fields would find: of variants one,
// and where none of the fields that tell them apart is there, all. It reports whether there
// was anything.
func (c *Cache) PurgeSelected(ctx context.Context, p *Policy, url []byte, group string, fields *http1.Fields) (found bool) {
	for _, method := range [...]http1.Method{http1.GET, http1.HEAD} {
		at := place{method: method, url: url, group: group}
		at.key = at.variantKey(nil)
		list, vary, err := c.variantsOf(ctx, p, at.key, url, time.Now())
		data, ok := freshness.AppendVaryData(nil, vary, fields)
		if err != nil || len(list) == 0 || !ok || !bytes.Contains(data, []byte("=")) {
			c.joins.drop(at.key)
			found = c.Store.Purge(at.key) || found
		} else if n := freshness.SelectVariant(list, data); n >= 0 {
			found = c.Store.Purge(list[n].Key) || found
		}
	}
	return found
}
