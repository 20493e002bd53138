package forward

import (
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// replyFields puts the origin's fields, without those of this hop, into
// x.fields.
func (x *transaction) replyFields() {
	out, rep := &x.fields, &x.rep
	out.Reset()
	hop := rep.Has(http1.Connection)
	for i := 0; i < rep.Len(); i++ {
		switch id := rep.ID(i); id {
		case http1.ProxyConnection, http1.KeepAlive, http1.Trailer, http1.TransferEncoding, http1.Upgrade, http1.Connection:
			continue
		case http1.ContentLength:
			if rep.Status >= 100 && rep.Status < 200 {
				continue // there is no body (RFC 9110 section 8.6)
			}
		case http1.Via:
			if x.p.cfg.Via {
				continue // joined with ours
			}
		case http1.WWWAuthenticate:
			if connectionScheme(rep.Value(i)) {
				if x.blocksConnectionAuth() {
					continue
				}
				x.mustKeep = true
			}
		default:
			if hop && rep.ConnectionLists(rep.Key(i)) {
				continue
			}
		}
		out.Copy(&rep.Fields, i)
	}
	if x.mustKeep && !x.accel && !x.facts.Transparent {
		out.AddString(http1.ProxySupport, "Session-Based-Authentication")
		out.AddString(http1.Connection, "Proxy-support")
	}
}

// finishReplyHead adds what the proxy says about every reply, pages of its own
// included, and appends the whole head (fact "Fields appended to a reply").
// bodyKnown says that the client can tell where the body ends.
func (x *transaction) finishReplyHead(dst []byte, status int, bodyKnown bool) []byte {
	out, cfg := &x.fields, x.p.cfg
	hit := "MISS"
	if x.lookup == "HIT" {
		hit = "HIT"
	}
	out.Text(hit).Text(x.p.cacheName).End(http1.XCache)
	out.Text(x.lookup).Text(x.p.lookupName).End(http1.XCacheLookup)
	switch {
	case !bodyKnown, x.bare:
		x.keep = false
	case status < 200:
		// As a final answer it ends the connection: to the client it announces another
		// one, and that would be the next request's.
		x.keep = false
	case x.mustKeep:
	case status >= 400 && !cfg.PersistentConnectionAfterError, !cfg.ClientPersistentConnections:
		x.keep = false
	}
	if x.srv.stopping.Load() || x.uploading() {
		x.keep = false
	}
	if cfg.Via {
		out.List(&x.rep.Fields, http1.Via).Text("1.").Int(x.replyMinor()).Text(x.p.viaName).End(http1.Via)
	}
	id := http1.ProxyConnection
	if x.rebuilt || x.accel || x.client11() {
		id = http1.Connection // HTTP/1.1 knows no Proxy-Connection (RFC 9112 section 9.3)
	}
	switch {
	case status == 101 && x.any11():
		out.AddString(http1.Connection, "Upgrade")
	case x.keep:
		out.AddString(id, "keep-alive")
	default:
		out.AddString(id, "close")
	}
	framed := out.Has(http1.ContentLength) && x.req.Method != http1.HEAD && status != 304
	x.p.fields.apply(x.context(), out, &x.facts, false)
	if framed && x.keep && !out.Has(http1.ContentLength) {
		x.keep = false // header_access took away where the body ends
		x.sayClose()
	}
	if x.bare {
		return dst
	}
	return out.Append(http1.AppendStatusLine(dst, x.clientMinor(), status))
}

// replyMinor is the version Via names for the reply: always 1.0, as 2.6 stores
// every reply as such, unless HTTP/1.1 is spoken with origins.
func (x *transaction) replyMinor() int64 {
	if x.origin11() && x.rep.Major == 1 && x.rep.Minor > 0 {
		return 1
	}
	return 0
}
