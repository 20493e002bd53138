package fetch

import (
	"strings"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/origin"
	"github.com/cuttle-proxy/cuttle/forward/peer"
)

// Pin ties a connection to an origin to one client: NTLM and its kin authenticate
// the connection, so nobody else's request may ever go out on it, and the client's
// own have to. The zero value ties none.
type Pin struct {
	conn *origin.Conn // nil when none is tied, or no longer
	host string
	port uint16
	peer string // the cache_peer's name, "" when it goes to the origin itself
	was  bool
}

// Lost reports whether a connection was tied and no longer is: the client's own is
// closed then, so that it begins anew.
func (p *Pin) Lost() bool { return p.was && p.conn == nil }

// Tied reports whether a connection is tied to the client.
func (p *Pin) Tied() bool { return p.conn != nil }

// Drop closes the connection tied to the client, if there is one.
func (p *Pin) Drop() {
	if p.conn != nil {
		p.conn.Close()
		*p = Pin{was: true}
	}
}

// untie gives the connection away.
func (p *Pin) untie() *origin.Conn {
	c := p.conn
	p.conn = nil
	return c
}

// askPinned tells a question about the connection tied to the client, where the
// request can be sent on it. Any other host ends it.
func (f *Fetch) askPinned(q *peer.Question) {
	p := f.req.Pin
	if p == nil || p.conn == nil || f.req.Method == http1.CONNECT {
		return
	}
	if !strings.EqualFold(p.host, http1.View(f.req.URL.Host)) || p.port != f.req.URL.Port || p.conn.PeerClosed() || !p.conn.Clean() {
		p.Drop()
		return
	}
	q.Pinned, q.PinnedTo = true, p.peer
}

// SentConnectionAuth reports whether credentials for the connection itself went
// out on it with this request or one before.
func (f *Fetch) SentConnectionAuth() bool {
	if f.hop == nil || f.hop.Pinned {
		return f.hop != nil
	}
	p := f.hop.Peer
	if v := f.req.Fields.Get(http1.Authorization); v != nil && http1.AuthenticatesConnection(v) && passesAuthorization(p) {
		return true
	}
	if p == nil || p.OriginServer || p.Login != "PASS" {
		return false // it does not get them; PROXYPASS gives an originserver a name and a password
	}
	v := f.req.Fields.Get(http1.ProxyAuthorization)
	return v != nil && http1.AuthenticatesConnection(v)
}

// keepsOrigin reports whether the origin is asked to keep the connection: with
// server_persistent_connections, and wherever the connection is authenticated.
func (f *Fetch) keepsOrigin() bool {
	return f.policy.Config.ServerPersistentConnections || f.SentConnectionAuth() && f.req.Pin != nil
}

// asksToStay is keepsOrigin for the hop: a peer that closes its connections all the
// same is asked no more.
func (f *Fetch) asksToStay() bool {
	p := f.hop.Peer
	return f.keepsOrigin() && (p == nil || p.AsksToStay() || f.SentConnectionAuth())
}

// passesAuthorization reports whether the client's Authorization goes to a peer.
func passesAuthorization(p *peer.Peer) bool {
	return p == nil || !p.OriginServer || p.Login == "PASS" || p.Login == "PROXYPASS"
}

// keep puts a connection where it may be used again: with the client when it is
// authenticated, else with everybody's.
func (f *Fetch) keep(c *origin.Conn, now time.Time) {
	switch p := f.req.Pin; {
	case !f.SentConnectionAuth():
		f.env.Pool.Put(c, now)
	case p == nil:
		c.Close()
	default:
		p.Drop()
		*p = Pin{conn: c, host: strings.Clone(http1.View(f.req.URL.Host)), port: f.req.URL.Port, peer: c.Key.Peer, was: true}
	}
}

// BlocksConnectionAuth reports whether challenges in the reply to authenticate the
// connection are kept from the client: where it cannot be done, and from a parent that does
// not say it can (connection-auth of cache_peer).
func (f *Fetch) BlocksConnectionAuth() bool {
	if !f.Reply.Has(http1.WWWAuthenticate) {
		return false
	}
	if f.req.Pin == nil {
		return true
	}
	if f.hop == nil || f.hop.Peer == nil {
		return false
	}
	p := f.hop.Peer
	switch {
	case p.ConnectionAuth == conf.Off:
		return true
	case f.Reply.Status != 401, p.ConnectionAuth == conf.On, p.OriginServer, f.SentConnectionAuth():
		return false
	}
	return !strings.Contains(http1.View(f.Reply.Get(http1.ProxySupport)), "Session-Based-Authentication")
}
