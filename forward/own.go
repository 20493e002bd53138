package forward

import (
	"context"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/caching"
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/icons"
	"github.com/cuttle-proxy/cuttle/forward/peer"
)

// beginOwn begins a reply of the proxy's own.
func (x *transaction) beginOwn(tag string, status int) {
	x.tag, x.reply.Status = tag, status
	x.bodyLeftUnread()
	x.reply.Fields.Reset()
}

// serveOwn answers a request for one of the proxy's own objects: an icon, which
// counts as a hit in memory, or nothing that exists.
func (x *transaction) serveOwn() bool {
	r := &x.reply
	reads := x.req.Method == http1.GET || x.req.Method == http1.HEAD
	switch path := http1.View(x.url.Path); {
	case path == peer.NetDBPath && reads:
		r.Lookup = "MISS"
		return x.sendMade(&made{tag: "TCP_MISS", status: 200, body: x.cl.srv.peers.Ways.Tell(nil), modified: x.now})
	case path == peer.DigestPath:
		if stock := x.cl.srv.neighbours.Stock(); stock != nil && reads {
			return sendOwnHit(x, &ownHit{contentType: "application/cache-digest", body: stock.Bytes, modified: stock.Made, made: stock.Made, expires: stock.Expires})
		}
		return x.sendMade(&noDigest)
	}
	name, _ := icons.StaticName(x.url.Path)
	icon := x.p.icons.Icon(name)
	if icon == nil || !reads {
		x.tag, r.Lookup = "TCP_MISS", "MISS"
		return x.refuse(failure.NoObject())
	}
	return sendOwnHit(x, &ownHit{contentType: icon.ContentType, body: icon.Body, modified: icon.Modified, maxAge: icons.MaxAge})
}

// ownHit is an object of the proxy's own that counts as a hit in memory.
type ownHit struct {
	contentType string
	body        []byte
	modified    time.Time
	made        time.Time // zero for one without an age
	expires     time.Time // zero for one with a maxAge
	maxAge      int64
}

// sendOwnHit sends it, or a 304 about it.
func sendOwnHit(x *transaction, k *ownHit) bool {
	r, out := &x.reply, &x.reply.Fields
	since, conditional := http1.ParseDate(x.req.Get(http1.IfModifiedSince))
	unchanged := conditional && !k.modified.Truncate(time.Second).After(since)
	r.Lookup, r.Hit = "HIT", true
	if unchanged {
		x.beginOwn("TCP_IMS_HIT", 304)
	} else {
		x.beginOwn("TCP_MEM_HIT", 200)
	}
	r.SetMIME([]byte(k.contentType))
	date, age := time.Now(), int64(0)
	if unchanged && !k.made.IsZero() {
		age = date.Unix() - k.made.Unix()
		date = k.made
	}
	r.AddDate(http1.Date, date)
	if !unchanged {
		out.AddString(http1.Server, x.p.product)
	}
	out.AddString(http1.ContentType, k.contentType)
	if !unchanged {
		out.AddInt(http1.ContentLength, int64(len(k.body)))
	}
	if !k.expires.IsZero() {
		r.AddDate(http1.Expires, k.expires)
	}
	out.Set(http1.AppendDate(out.Pieces(), k.modified)).End(http1.LastModified)
	if !unchanged && k.expires.IsZero() {
		out.Text("max-age=").Int(k.maxAge).End(http1.CacheControlName)
	}
	if age > 0 {
		out.AddInt(http1.Age, age)
	}
	r.KeepOwn()
	r.FinishOwn(x.closes())
	if unchanged {
		noteOwn(x, 0, k.modified.Unix(), -1)
	}
	if unchanged || x.req.Method == http1.HEAD {
		r.SendHead()
	} else {
		r.SendPage(k.body)
	}
	return r.Keep
}

// made is a reply of the proxy's own that is whole.
type made struct {
	tag                   string
	status                int
	contentType, location string
	body                  []byte
	modified              time.Time
	// bare: hardly a field goes with it, and none of this hop's.
	bare bool
}

// noDigest answers who asks for a digest that is not made.
var noDigest = made{tag: "TCP_MISS", status: 404, contentType: "text/plain", body: []byte("This cache has no digest to give.\n"), bare: true}

// sendMade sends it.
func (x *transaction) sendMade(m *made) bool {
	r := &x.reply
	x.beginOwn(m.tag, m.status)
	out := &r.Fields
	out.AddString(http1.Server, x.p.product)
	r.AddDate(http1.Date, time.Now())
	if m.contentType != "" {
		r.SetMIME([]byte(m.contentType))
		out.AddString(http1.ContentType, m.contentType)
	}
	out.AddInt(http1.ContentLength, int64(len(m.body)))
	if !m.modified.IsZero() {
		r.AddDate(http1.LastModified, m.modified)
	}
	if m.location != "" {
		out.AddString(http1.Location, m.location)
		r.Keep = false
		if x.client11() {
			out.AddString(http1.Connection, "close")
		}
	}
	modified := int64(-1)
	if !m.modified.IsZero() {
		modified = m.modified.Unix()
	}
	noteOwn(x, len(m.body), modified, -1)
	r.KeepOwn()
	if m.bare {
		r.PutBare()
	} else {
		r.FinishOwn(x.closes())
	}
	if x.req.Method == http1.HEAD || len(m.body) == 0 {
		r.SendHead()
	} else {
		r.SendPage(m.body)
	}
	return r.Keep
}

// purge answers PURGE, which is served only where http_access speaks of that
// method. Of variants it is about the one its fields select.
func (x *transaction) purge() bool {
	if !x.p.purges {
		return x.refuse(failure.AccessDenied(""))
	}
	x.beginOwn("TCP_MISS", 404)
	r := &x.reply
	rewriteStoreURL(x)
	for _, url := range [][]byte{x.canonicalURL, x.cached.StoreURL} {
		if len(url) > 0 && x.cl.srv.cache.PurgeSelected(x.context(), &x.p.caching, url, x.facts.URLGroup, &x.req.Fields) {
			r.Status = 200
		}
	}
	r.Fields.AddString(http1.Server, x.p.product)
	r.AddDate(http1.Date, time.Now())
	r.Fields.AddInt(http1.ContentLength, 0)
	if x.client11() {
		r.Fields.AddString(http1.Connection, "close")
	}
	noteOwn(x, 0, 0, -1)
	r.PutBare()
	r.SendHead()
	return r.Keep
}

// echo answers a TRACE that may go no further with the request itself.
func (x *transaction) echo() bool {
	x.beginOwn("TCP_HIT", 200)
	r := &x.reply
	r.SetMIME([]byte("text/plain"))
	now := time.Now()
	x.target = x.url.AppendTarget(x.target[:0])
	x.page = http1.AppendRequestLine(x.page[:0], x.req.MethodText, x.target, r.Minor())
	x.page = append(x.req.AppendLines(x.page), "\r\n"...)
	r.Fields.AddString(http1.Server, x.p.product)
	r.AddDate(http1.Date, now)
	r.Fields.AddString(http1.ContentType, "text/plain")
	r.Fields.AddInt(http1.ContentLength, int64(len(x.page)))
	r.AddDate(http1.Expires, now)
	noteOwn(x, len(x.page), 0, expiresNow)
	r.KeepOwn()
	x.reply.FinishOwn(x.closes())
	r.SendPage(x.page)
	return r.Keep
}

// documents fetches what peers have for other caches.
type documents struct{ srv *Server }

// Get implements peer.Getter.
func (d documents) Get(ctx context.Context, through *peer.Peer, url string, kind peer.Kind) (*peer.Document, error) {
	p := d.srv.acquire()
	var fields http1.Outgoing
	major := 0
	switch kind {
	case peer.DigestDocument:
		fields.AddString(http1.Accept, "application/cache-digest")
		fields.AddString(http1.Accept, "text/html")
	case peer.MonitorDocument:
		fields.AddString(http1.Accept, "*/*")
		fields.AddString(http1.UserAgent, p.product)
	case peer.NetDBDocument:
		major = 1
	}
	o, why := d.srv.fetching.GetOwn(ctx, &p.fetch, through, url, &fields, major)
	if why != nil {
		p.Release()
		return nil, why
	}
	doc := &peer.Document{Status: o.Reply.Status, Body: body{o, p}}
	if at, ok := http1.ParseDate(o.Reply.Get(http1.Expires)); ok {
		doc.Expires = at
	}
	return doc, nil
}

// body is what follows the head of a document; it holds the policy it is fetched
// under.
type body struct {
	*fetch.Owned
	p *policy
}

// Close implements io.Closer.
func (b body) Close() error {
	caching.ReleasedFetch(b.p.logs, &b.Fetch, time.Now()).Wait()
	b.Owned.Close()
	b.p.Release()
	return nil
}
