package forward

import (
	"strings"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/origin"
	"github.com/cuttle-proxy/cuttle/forward/peer"
)

// pin ties a connection to an origin to one client: NTLM and its kin authenticate
// the connection, so nobody else's request may ever go out on it, and the client's
// own have to.
type pin struct {
	conn *origin.Conn // nil when none is tied, or no longer
	host string
	port uint16
	peer string // the cache_peer's name, "" when it goes to the origin itself
	// was is set for good: a client that loses its connection is closed, and
	// begins anew.
	was bool
}

// drop closes the connection tied to the client, if there is one.
func (p *pin) drop() {
	if p.conn != nil {
		p.conn.Close()
		*p = pin{was: true}
	}
}

// connectionScheme reports whether a challenge or credentials authenticate the
// connection, not the request.
func connectionScheme(value []byte) bool {
	word, _, _ := strings.Cut(view(value), " ")
	return strings.EqualFold(word, "NTLM") || strings.EqualFold(word, "Negotiate") || strings.EqualFold(word, "Kerberos")
}

// noConnectionAuth tells that clients cannot authenticate connections:
// no-connection-auth of the port, or requests that overtake each other.
func (x *transaction) noConnectionAuth() bool {
	return x.port.NoConnectionAuth || x.p.cfg.PipelinePrefetch || x.own
}

// pinned reports whether a connection is tied to the client that the request can
// use. A request for any other host ends it.
func (x *transaction) pinned() bool {
	p := &x.cl.pin
	if p.conn == nil || x.noConnectionAuth() || x.req.Method == http1.CONNECT {
		return false
	}
	if !strings.EqualFold(p.host, view(x.url.Host)) || p.port != x.url.Port || p.conn.PeerClosed() || !p.conn.Clean() {
		p.drop()
		return false
	}
	return true
}

// takePinned makes the connection tied to the client the transaction's.
func (x *transaction) takePinned() {
	c := x.cl.pin.conn
	x.cl.pin.conn = nil
	x.take(c)
}

// sentConnectionAuth reports whether credentials for the connection itself went
// out on it with this request or one before.
func (x *transaction) sentConnectionAuth() bool {
	if x.hop == nil || x.hop.Pinned {
		return x.hop != nil
	}
	p := x.hop.Peer
	if v := x.req.Get(http1.Authorization); v != nil && connectionScheme(v) && x.passesAuthorization(p) {
		return true
	}
	v := x.req.Get(http1.ProxyAuthorization)
	return v != nil && connectionScheme(v) && p != nil && (p.Login == "PASS" || p.Login == "PROXYPASS")
}

// keepsOrigin reports whether the origin is asked to keep the connection: with
// server_persistent_connections, and wherever the connection is authenticated.
func (x *transaction) keepsOrigin() bool {
	return x.p.cfg.ServerPersistentConnections || x.sentConnectionAuth() && !x.noConnectionAuth()
}

// passesAuthorization reports whether the client's Authorization goes to a peer.
func (x *transaction) passesAuthorization(p *peer.Peer) bool {
	return p == nil || !p.OriginServer || p.Login == "PASS" || p.Login == "PROXYPASS"
}

// keepOrigin puts the origin connection where it may be used again: with the
// client when it is authenticated, else with everybody's.
func (x *transaction) keepOrigin() {
	c := x.conn
	switch {
	case !x.sentConnectionAuth():
		x.srv.pool.Put(c, x.now)
	case x.noConnectionAuth():
		c.Close()
	default:
		x.cl.pin.drop()
		x.cl.pin = pin{conn: c, host: strings.Clone(view(x.url.Host)), port: x.url.Port, peer: c.Key.Peer, was: true}
	}
}

// blocksConnectionAuth reports whether challenges to authenticate the connection
// are kept from the client: where it cannot be done, and from a parent that does
// not say it can (connection-auth of cache_peer).
func (x *transaction) blocksConnectionAuth() bool {
	if x.noConnectionAuth() {
		return true
	}
	if x.hop == nil || x.hop.Peer == nil {
		return false
	}
	p := x.hop.Peer
	switch {
	case p.ConnectionAuth == conf.Off:
		return true
	case x.rep.Status != 401, p.ConnectionAuth == conf.On, p.OriginServer, x.sentConnectionAuth():
		return false
	}
	return !strings.Contains(view(x.rep.Get(http1.ProxySupport)), "Session-Based-Authentication")
}
