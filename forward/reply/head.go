package reply

import (
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Copy puts an origin's fields, without those of its hop, into r.Fields. Challenges
// to authenticate the connection are left out when blocked.
func (r *Reply) Copy(from *http1.Reply, blocked bool) {
	out := &r.Fields
	out.Reset()
	hop := from.Has(http1.Connection)
	for i := 0; i < from.Len(); i++ {
		switch id := from.ID(i); id {
		case http1.ProxyConnection, http1.KeepAlive, http1.Trailer, http1.TransferEncoding, http1.Upgrade, http1.Connection:
			continue
		case http1.ContentLength:
			if from.Status >= 100 && from.Status < 200 {
				continue // there is no body (RFC 9110 section 8.6)
			}
		case http1.Via:
			if r.Policy.Config.Via {
				continue // joined with ours
			}
		case http1.WWWAuthenticate:
			if http1.AuthenticatesConnection(from.Value(i)) {
				if blocked {
					continue
				}
				r.MustKeep = true
			}
		default:
			if hop && from.ConnectionLists(from.Key(i)) {
				continue
			}
		}
		out.Copy(&from.Fields, i)
	}
	if r.MustKeep && r.Hop.Session {
		out.AddString(http1.ProxySupport, "Session-Based-Authentication")
		out.AddString(http1.Connection, "Proxy-support")
	}
}

// Interim sends a 1xx reply of the origin. It is false when the client has gone.
func (r *Reply) Interim(from *http1.Reply, blocked bool) bool {
	r.Copy(from, blocked)
	r.MustKeep = false
	r.Policy.HeaderAccess.Apply(r.Ctx, &r.Fields, r.Facts, false)
	return r.send(r.Fields.Append(http1.AppendStatusLine(nil, 1, from.Status)))
}

// Continue tells a client that holds its body back to go on. It is false when the
// client has gone.
func (r *Reply) Continue() bool { return r.send([]byte("HTTP/1.1 100 Continue\r\n\r\n")) }

// Adding is what Finish needs to know to add the fields of this hop.
type Adding struct {
	// Via is the fields of the reply as received, whose Via ours is joined to;
	// ViaMinor the minor version it came in.
	Via      *http1.Fields
	ViaMinor int64
	// Framed says that the client can tell where the body ends.
	Framed bool
	// Upgrade says that the protocol changes behind this head.
	Upgrade bool
	// Closing says that the connection cannot go on afterwards.
	Closing bool
}

var cacheStatus = []byte("Cache-Status")

// none stands for the fields of a reply that was made here.
var none = new(http1.Fields)

// Finish adds what the proxy says about every reply, pages of its own included,
// and puts the whole head into what goes out next (fact "Fields appended to a
// reply").
func (r *Reply) Finish(a Adding) {
	out, cfg, status := &r.Fields, r.Policy.Config, r.Status
	hit := "MISS"
	if r.Hit {
		hit = "HIT"
	}
	out.Text(hit).Text(r.Policy.CacheName).End(http1.XCache)
	out.Text(r.Lookup).Text(r.Policy.LookupName).End(http1.XCacheLookup)
	if r.CacheStatus != "" {
		out.Text(r.CacheStatus).EndOther(cacheStatus)
	}
	switch {
	case !a.Framed, a.Closing, r.Hop.Bare:
		r.Keep = false
	case status < 200:
		// As a final answer it ends the connection: to the client it announces another
		// one, and that would be the next request's.
		r.Keep = false
	case r.MustKeep:
	case status >= 400 && !cfg.PersistentConnectionAfterError, !cfg.ClientPersistentConnections:
		r.Keep = false
	}
	if cfg.Via {
		out.List(a.Via, http1.Via).Text("1.").Int(a.ViaMinor).Text(r.Policy.ViaName).End(http1.Via)
	}
	id := http1.ProxyConnection
	if r.Hop.Connection {
		id = http1.Connection // HTTP/1.1 knows no Proxy-Connection (RFC 9112 section 9.3)
	}
	switch {
	case a.Upgrade:
		out.AddString(http1.Connection, "Upgrade")
	case r.Keep:
		out.AddString(id, "keep-alive")
	default:
		out.AddString(id, "close")
	}
	if r.Location != "" {
		out.AddString(http1.Location, r.Location)
	}
	framed := out.Has(http1.ContentLength) && r.Hop.Method != http1.HEAD && status != 304
	r.Policy.HeaderAccess.Apply(r.Ctx, out, r.Facts, false)
	if framed && r.Keep && !out.Has(http1.ContentLength) {
		r.Keep = false // header_access took away where the body ends
		r.sayClose()
	}
	r.putHead()
}

// putHead puts the head as it is into what goes out next.
func (r *Reply) putHead() {
	r.out = r.out[:0]
	if !r.Hop.Bare {
		r.out = r.Fields.Append(http1.AppendStatusLine(r.out, r.Minor(), r.Status))
	}
}

// sayClose changes what Finish said about the connection.
func (r *Reply) sayClose() {
	for i := range r.Fields.Len() {
		if id := r.Fields.ID(i); id == http1.ProxyConnection || id == http1.Connection {
			r.Fields.SetAt(i, []byte("close"))
		}
	}
}

// Replace makes another body, framed like that, the one behind a finished head.
func (r *Reply) Replace(body http1.Body) {
	r.chunks, r.limit = false, limit{}
	r.Fields.Remove(http1.ContentLength)
	r.Fields.Remove(http1.TransferEncoding)
	if body.Framing == http1.ByLength {
		r.Fields.AddInt(http1.ContentLength, body.Length)
	} else if r.Keep {
		r.Keep = false
		r.sayClose()
	}
	r.putHead()
}

// AsSent is the fields of the reply as the client gets them, be it the origin's or one
// of the proxy's own; nil when none was begun. o says how heads are read.
func (r *Reply) AsSent(o *http1.Options) *http1.Fields {
	if r.Status == 0 {
		return nil
	}
	sent := new(http1.Reply)
	head := r.Fields.Append(http1.AppendStatusLine(nil, 0, r.Status))
	if _, state := sent.Parse(head, true, o); state != http1.Complete {
		return nil
	}
	return &sent.Fields
}

// FinishOwn is Finish for a reply of the proxy's own.
func (r *Reply) FinishOwn(closing bool) {
	r.Finish(Adding{Via: none, Framed: true, Closing: closing})
}

// PutBare puts a head without any field of this hop into what goes out next.
func (r *Reply) PutBare() {
	r.out = r.Fields.Append(http1.AppendStatusLine(r.out[:0], r.Minor(), r.Status))
}

// KeepOwn keeps the head as it is for r.Own.
func (r *Reply) KeepOwn() {
	r.Own = r.Fields.Append(http1.AppendStatusLine(r.Own[:0], 0, r.Status))
}
