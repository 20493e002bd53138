package acl

import (
	"context"
	"net/netip"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Facts is what access lists may know about one transaction. forward fills it
// as facts become known and passes the same struct to every list; a check
// changes nothing in it and keeps nothing of it.
type Facts struct {
	// Client is the address that src, srcdomain, maxconn, arp and src_as look
	// at: the peer of the connection, or what follow_x_forwarded_for found when
	// acl_uses_indirect_client is on. Never an IPv4-mapped one.
	Client netip.Addr
	// ClientPort is the port of the client's connection (%SRCPORT of external).
	ClientPort uint16
	// Local is the proxy's own socket that the client was handed to (myip, myport),
	// intercepted or not.
	Local netip.AddrPort
	// Dialled is where an intercepted client meant to connect to, when the host of URL
	// is its claim about that and the connection goes there; invalid elsewhere. Rules
	// about names cannot tell anything as long as the claim does not hold: see Holds.
	Dialled netip.AddrPort
	// To is the address the request goes to, once that is settled: dst looks at it and
	// at nothing else.
	To netip.Addr

	// Method is the request method, as far as known also of a request that has
	// no URL, MethodText its word.
	Method     http1.Method
	MethodText string
	// URL is the request URL, nil as long as there is no HTTP request (ICP,
	// SNMP, a connection that sent nothing): no type that looks at a request
	// matches then.
	URL *http1.URL
	// Request is the fields of the request, nil when there are none.
	Request *http1.Fields
	// Reply is the fields of the reply, nil before there is one.
	Reply *http1.Fields

	// Accelerated, Transparent and Internal are what the type ACL asks for.
	Accelerated, Transparent, Internal bool
	// URLGroup is the http_port line's urlgroup, or what a rewriter said.
	URLGroup string
	// Told is what helpers have said about the request so far, nil for nothing
	// (ext_user).
	Told *Told
	// Community is the community of an SNMP request (snmp_community).
	Community string

	// Login is the request's credentials (proxy_auth, proxy_auth_regex, max_user_ip,
	// %LOGIN of external), nil where none apply.
	Login Login
	// Conn is the client's connection, nil for a request of the proxy's own and
	// for one that outlived its client.
	Conn Conn
}

// HasRequest reports whether there is an HTTP request: it was understood so far that
// access lists were asked about it.
func (f *Facts) HasRequest() bool { return f.URL != nil }

// Conn is a client's connection as far as access lists ask about it. What it finds
// out is kept with it, for the requests that follow.
type Conn interface {
	// Ident gives the user whom the client's host names as the owner of the
	// connection (RFC 1413), "" when it names none. It may wait for that host.
	Ident(ctx context.Context) string
	// KnownIdent is what it said, without asking; ok is false when it was not asked, or
	// has not answered yet.
	KnownIdent() (user string, ok bool)
}

// Login is the credentials of one request.
type Login interface {
	// Authenticate checks the credentials, waiting for a helper if it must, and
	// remembers the outcome. With Authenticated, user names the one who did
	// (Told.AuthUser).
	Authenticate(ctx context.Context) (user *Told, state AuthState)
	// Known is Authenticate where nobody waits for a helper: NoAuth when one would have to
	// be asked.
	Known(ctx context.Context) (user *Told, state AuthState)
	// TooManyAddresses counts the addresses user came from and reports whether
	// there are more than max (max_user_ip); strict keeps the earlier ones.
	TooManyAddresses(user string, max int, strict bool) bool
}
