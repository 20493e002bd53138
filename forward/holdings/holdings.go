// Package holdings is what neighbours are told of the store: ICP and HTCP of an
// object, the digest of them all.
package holdings

import (
	"time"

	"github.com/cuttle-proxy/cuttle/forward/freshness"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/peer/digest"
	"github.com/cuttle-proxy/cuttle/forward/peer/htcp"
	"github.com/cuttle-proxy/cuttle/forward/store"
)

// Holdings is the store as neighbours learn of it, under the refresh rules of one
// configuration. It is a peer.Cache.
type Holdings struct {
	Store *store.Store
	Rules *freshness.Rules
	// Purge removes all that is kept for a URL, in a urlgroup.
	Purge func(url []byte, group string) (found bool)
}

// Find implements peer.Cache. The key is the plain one of a GET: of what varies, any
// variant counts (fact "icp: an object with Vary is a hit"). A HEAD is answered by what
// a HEAD brought, or a GET.
func (h Holdings) Find(method http1.Method, url []byte, fresh time.Duration) (htcp.Object, bool) {
	parts := store.KeyParts{Method: method, URL: url}
	f, ok := h.Store.Glance(parts.Key(), url)
	if !ok && method == http1.HEAD {
		return h.Find(http1.GET, url, fresh)
	}
	if !ok {
		return htcp.Object{}, false
	}
	now := time.Now()
	o := describe(&f)
	switch {
	case o.Has(freshness.Negative) && now.Unix() >= o.Expires:
		return htcp.Object{}, false
	case fresh >= 0 && !h.Rules.Lasts(&o, now.Add(fresh).Unix(), func() []byte { return url }):
		return htcp.Object{}, false
	}
	return htcp.Object{Age: now.Sub(time.Unix(o.Timestamp, 0)), Expires: known(o.Expires), LastModified: known(o.LastModified)}, true
}

// Remove implements peer.Cache. What answers a HEAD goes too, as with PURGE.
func (h Holdings) Remove(url []byte) (found bool) { return h.Purge(url, "") }

// Len implements digest.Objects.
func (h Holdings) Len() int { return h.Store.Len() }

// Walk implements digest.Objects. Errors kept by negative_ttl are not offered. The
// rule of an object on disk alone is that of any URL: its own would have to be read.
func (h Holdings) Walk(position uint64, until time.Time, visit func(key digest.Key, fresh bool) bool) (next uint64) {
	var at *store.Passed
	buf := make([]byte, 0, 256)
	url := func() []byte { return at.URL(buf) }
	then := until.Unix()
	return h.Store.Walk(position, func(p *store.Passed) bool {
		at = p
		o := describe(&p.Metadata)
		return visit(digest.Key(p.Key), !o.Has(freshness.Negative) && h.Rules.Lasts(&o, then, url))
	})
}

// describe is what the index knows, in the words of package freshness.
func describe(f *store.Metadata) freshness.Object {
	o := freshness.Object{Timestamp: f.Timestamp.Unix(), Expires: f.Expires.Unix(), LastModified: f.LastMod.Unix(), Length: -1}
	if f.Flags&store.Negative != 0 {
		o.Flags |= freshness.Negative
	}
	if f.Flags&store.Revalidate != 0 {
		o.Flags |= freshness.NeverStale
	}
	if f.Flags&store.RefreshRequest != 0 {
		o.Flags |= freshness.AskedAlways
	}
	return o
}

// known is a moment, the zero time for none.
func known(unix int64) time.Time {
	if unix == freshness.None {
		return time.Time{}
	}
	return time.Unix(unix, 0)
}
