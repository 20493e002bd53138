package caching

import (
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
	if !freshness.Invalidates(r.Request.Method, rep.Status) {
		return
	}
	if verified, _ := f.Verified(); !verified {
		return
	}
	r.Cache.Purge(r.keptAs(), r.Group)
	for _, id := range [...]http1.Name{http1.Location, http1.ContentLocation} {
		place, ok := freshness.SamePlace(nil, r.URL, rep.Get(id))
		if ok {
			r.Cache.Purge(place, r.Group)
		}
	}
}

// supersede takes away what a reply that is not stored itself shows to be out of date.
func (c *Cache) supersede(f *fetch.Fetch, key store.Key) {
	if !freshness.Supersedes(f.Reply.Status) {
		return
	}
	if verified, _ := f.Verified(); verified {
		c.joins.drop(key)
		c.Store.Purge(key)
	}
}
