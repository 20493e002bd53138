package fetch

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// Request is what is to be fetched, for whom, and with which body. Its slices and
// pointers are views of what belongs to the one who asks.
type Request struct {
	Method     http1.Method
	MethodText string
	// Major and Minor are the client's version, for Via.
	Major, Minor int
	// Fields are the fields as received; those of the client's hop are left out.
	Fields *http1.Fields
	URL    *http1.URL
	// CanonicalURL is URL as text.
	CanonicalURL []byte
	// StoreURL is the URL under which the reply is kept, nil for CanonicalURL.
	StoreURL []byte
	// Logged is the URL as the client asked for it, as logs show it; empty for CanonicalURL.
	Logged []byte
	// KeepHost: the client's Host goes out as it is, whatever URL says
	// (url_rewrite_host_header off).
	KeepHost bool
	// Control is the request's Cache-Control.
	Control http1.CacheControl
	// Facts are what access lists may ask for.
	Facts *acl.Facts
	// Confirms: what is kept is to be confirmed by its origin.
	Confirms bool
	// Own: it is the proxy's own, about which no neighbour is asked.
	Own bool
	// Loops is how often Via names this proxy already.
	Loops int
	// Began is when the request was there; forward_timeout and client_lifetime
	// count from then.
	Began time.Time

	// Client is the client's address; invalid for a fetch without one.
	Client netip.AddrPort
	// Dialled is where an intercepted client meant to connect to; invalid for one
	// that was not intercepted.
	Dialled netip.AddrPort
	// Claimed: the host of URL is an intercepted client's claim about Dialled.
	Claimed bool
	// Rewritten: URL is url_rewrite_program's and was never shown to http_access.
	Rewritten bool
	// HostPort is the port of the Host that an origin is sent, 0 for that of URL.
	HostPort uint16
	// Spoof: the origin is to see the client's address (tproxy).
	Spoof bool
	// HTTP11 and Client11 say that the client's port speaks HTTP/1.1, and that the
	// client does too.
	HTTP11, Client11 bool
	// Accelerated: the client takes this proxy for the origin.
	Accelerated bool
	// Upgrade: the client asks for another protocol.
	Upgrade bool

	// Body frames the request's body. Have is what is there of it already, with
	// what may be behind; the rest comes from Source.
	Body   http1.Body
	Have   []byte
	Source sock.Stream

	// Waiting is who hears of what happens on the way; nil for nobody.
	Waiting Waiting
	// Pin holds the connection the client has authenticated; nil for who cannot.
	Pin *Pin
}

// LoggedURL is the URL in logs.
func (r *Request) LoggedURL() []byte {
	if len(r.Logged) > 0 {
		return r.Logged
	}
	return r.CanonicalURL
}

// KeptAs is the URL under which the reply is kept.
func (r *Request) KeptAs() []byte {
	if r.StoreURL != nil {
		return r.StoreURL
	}
	return r.CanonicalURL
}

// CountLoops counts how often Via names the proxy that says viaName of itself.
func CountLoops(fields *http1.Fields, viaName string) (loops int) {
	if !fields.Has(http1.Via) {
		return 0
	}
	for i := range fields.Len() {
		if fields.ID(i) == http1.Via {
			loops += bytes.Count(fields.Value(i), []byte(viaName))
		}
	}
	return loops
}

// Waiting is the client of a fetch as the fetch sees it.
type Waiting interface {
	// Connected is called when the fetch has its connection.
	Connected()
	// PassInterim passes a 1xx reply on; with blocksAuth challenges to authenticate the
	// connection are kept from the client. It is false when the client has gone.
	PassInterim(rep *http1.Reply, blocksAuth bool) bool
	// SayContinue asks for a body that is held back until somebody says 100
	// Continue. It is false when the client has gone.
	SayContinue() bool
	// BodyCut is called when the client was found to have left in the middle of its
	// body.
	BodyCut()
	// Recover is deferred by goroutines of the fetch: it ends the client's connection
	// after a programming error.
	Recover()
}

// reloads reports whether nothing will do that was kept on the way.
func (r *Request) reloads() bool {
	return r.Confirms || r.Control.Has(http1.CCNoCache) || r.Fields.ListHas(http1.Pragma, "no-cache")
}

// direct reports whether the present hop is the origin itself.
func (f *Fetch) direct() bool { return f.hop.Peer == nil }

// origin11 reports whether the hop is asked in HTTP/1.1: server_http11, or the
// option http11 of the peer.
func (f *Fetch) origin11() bool {
	return f.policy.Config.ServerHTTP11 || f.hop != nil && f.hop.Peer != nil && f.hop.Peer.HTTP11
}

// Origin11 is for what the client is told of the exchange.
func (f *Fetch) Origin11() bool { return f.policy != nil && f.origin11() }

// Any11 reports whether HTTP/1.1 is spoken to either side. Where it is not, 101 is
// what it is to 2.6, a final answer (recording http1/reply-101).
func (f *Fetch) Any11() bool { return f.req.HTTP11 || f.origin11() }

// All11 reports whether every hop speaks HTTP/1.1.
func (f *Fetch) All11() bool {
	if f.policy.Config.ServerHTTP11 {
		return true
	}
	for i := range f.hops {
		if p := f.hops[i].Peer; p == nil || !p.HTTP11 {
			return false
		}
	}
	return true
}

// interim reports whether the reply just read is not the answer yet (RFC 9110
// section 15.2). Old servers send 100 unasked, to requests of HTTP/1.0 too; 2.6 hands
// it on as the answer, or hangs, and the answer is lost.
func (f *Fetch) interim() bool {
	return f.Reply.Status >= 100 && f.Reply.Status < 200 && f.Reply.Status != 101
}

// passInterim passes a 1xx reply on to a client that knows what it is, and is
// silent towards others. It is false when the client has gone.
func (f *Fetch) passInterim() bool {
	if f.req.Waiting == nil || !f.req.Client11 || f.Reply.Status == 100 && f.continued {
		return true
	}
	return f.req.Waiting.PassInterim(&f.Reply, f.BlocksConnectionAuth())
}

// WaitsForContinue reports whether the client holds its body back until it is
// told to go on (RFC 9110 section 10.1.1).
func (r *Request) WaitsForContinue() bool {
	return r.Client11 && r.Body.Framing != http1.NoBody && len(r.Have) == 0 && r.Fields.ListHas(http1.Expect, "100-continue")
}

// SayContinue asks a waiting client for its body where nobody else would: the
// next hop speaks HTTP/1.0, and is not told of the expectation. It is false when
// the client has gone.
func (f *Fetch) SayContinue() bool {
	if f.continued || f.req.Waiting == nil || !f.req.WaitsForContinue() {
		return true
	}
	f.continued = true
	return f.req.Waiting.SayContinue()
}

// expects reports whether an Expect field is passed on: where HTTP/1.1 is spoken
// to both sides. 2.6 drops it and never answers (fact "Expect: 100-continue is
// dropped on the way and never answered").
func (f *Fetch) expects() bool { return f.req.Client11 && f.origin11() && !f.continued }

// Upgrades reports whether a change of protocols (WebSocket) is passed on: with
// HTTP/1.1 spoken on both sides, where header_access lets Upgrade pass. HTTP/2 in
// the clear is left out: its requests would pass by all rules, and the settings
// it needs are a field of the client's own hop.
func (f *Fetch) Upgrades() bool {
	return f.req.Upgrade && f.origin11() && f.req.Body.Framing == http1.NoBody && f.req.Method != http1.CONNECT &&
		!f.req.Fields.ListHas(http1.Upgrade, "h2c") && f.policy.HeaderAccess.Lets(f.ctx, http1.Upgrade, f.req.Facts)
}

// speaks reports whether the hop can be asked for the URL: a peer takes any scheme,
// an originserver too, and on the direct way it is HTTP alone.
func (f *Fetch) speaks() *failure.Failure {
	if !f.direct() || f.req.URL.Authority {
		return nil
	}
	switch f.req.URL.Scheme {
	case http1.SchemeHTTP:
		return nil
	case http1.SchemeFTP:
		return failure.NoFTP()
	}
	return failure.SchemeUnserved()
}
