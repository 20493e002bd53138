package forward

import (
	"context"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/failure"
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
		return x.sendMade(&made{tag: "TCP_MISS", status: 200, body: x.cl.srv.peers.Ways.Tell(nil)})
	case path == peer.DigestPath:
		if stock := x.cl.srv.neighbours.Stock(); stock != nil && reads {
			r.Lookup, r.Hit = "HIT", true
			return x.sendMade(&made{tag: "TCP_MEM_HIT", status: 200, contentType: "application/cache-digest", body: stock.Bytes, expires: stock.Expires})
		}
		return x.sendMade(&noDigest)
	}
	name, _ := icons.StaticName(x.url.Path)
	icon := x.p.icons.Icon(name)
	if icon == nil || x.req.Method != http1.GET && x.req.Method != http1.HEAD {
		x.tag, r.Lookup = "TCP_MISS", "MISS"
		return x.refuse(failure.NoObject())
	}
	since, conditional := http1.ParseDate(x.req.Get(http1.IfModifiedSince))
	unchanged := conditional && !icon.Modified.Truncate(time.Second).After(since)
	r.Lookup, r.Hit = "HIT", true
	if unchanged {
		x.beginOwn("TCP_IMS_HIT", 304)
	} else {
		x.beginOwn("TCP_MEM_HIT", 200)
	}
	r.SetMIME([]byte(icon.ContentType))
	out := &r.Fields
	r.AddDate(http1.Date, time.Now())
	if !unchanged {
		out.AddString(http1.Server, x.p.product)
	}
	out.AddString(http1.ContentType, icon.ContentType)
	if !unchanged {
		out.AddInt(http1.ContentLength, int64(len(icon.Body)))
	}
	out.Set(http1.AppendDate(out.Pieces(), icon.Modified)).End(http1.LastModified)
	if !unchanged {
		out.Text("max-age=").Int(icons.MaxAge).End(http1.CacheControlName)
	}
	r.KeepOwn()
	x.reply.FinishOwn(x.closes())
	if unchanged || x.req.Method == http1.HEAD {
		r.SendHead()
	} else {
		r.SendPage(icon.Body)
	}
	return r.Keep
}

// made is a reply of the proxy's own that is whole.
type made struct {
	tag                   string
	status                int
	contentType, location string
	body                  []byte
	expires               time.Time
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
	if !m.expires.IsZero() {
		r.AddDate(http1.Expires, m.expires)
	}
	out.AddInt(http1.ContentLength, int64(len(m.body)))
	if m.location != "" {
		out.AddString(http1.Location, m.location)
		r.Keep = false
		if x.client11() {
			out.AddString(http1.Connection, "close")
		}
	}
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
// method.
func (x *transaction) purge() bool {
	if !x.p.purges {
		return x.refuse(failure.AccessDenied(""))
	}
	x.beginOwn("TCP_MISS", 404)
	r := &x.reply
	rewriteStoreURL(x)
	for _, url := range [][]byte{x.canonicalURL, x.cached.StoreURL} {
		if len(url) > 0 && x.cl.srv.cache.Purge(url, x.facts.URLGroup) {
			r.Status = 200
		}
	}
	r.Fields.AddString(http1.Server, x.p.product)
	r.AddDate(http1.Date, time.Now())
	r.Fields.AddInt(http1.ContentLength, 0)
	if x.client11() {
		r.Fields.AddString(http1.Connection, "close")
	}
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
	ownedBody
	p *policy
}

// ownedBody is a fetch as far as the one who reads its body goes.
type ownedBody interface {
	Read(b []byte) (int, error)
	Close()
}

// Close implements io.Closer.
func (b body) Close() error {
	b.ownedBody.Close()
	b.p.Release()
	return nil
}
