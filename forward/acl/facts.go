package acl

import "net/netip"

// Facts is what access lists may know about one transaction. forward fills it
// as facts become known and passes the same struct to every list; nothing here
// is changed by a check. Texts may share memory with the message they come from.
type Facts struct {
	// Client is the address that src, srcdomain, maxconn, arp and src_as look
	// at, unmapped: the peer of the connection, or what follow_x_forwarded_for
	// found when acl_uses_indirect_client is on.
	Client netip.Addr
	// Local is the address and port the client connected to (myip, myport); for
	// an intercepted connection that is the original destination.
	Local netip.AddrPort

	// HasRequest says that there is an HTTP request at all. Without one (ICP,
	// SNMP, a connection that sent nothing) no type that looks at the request
	// matches.
	HasRequest bool
	// Method is the request method in upper case.
	Method string
	// Proto is the URL's scheme in lower case; "" for CONNECT.
	Proto string
	// Host is the URL's host in lower case, without port and without brackets.
	Host string
	// Port is the URL's port, the scheme's default put in.
	Port uint16
	// URL is the canonical request URL as 2.6 logs it unstripped; for CONNECT
	// it is host:port.
	URL string
	// Path is the URL's path with its query.
	Path string
	// Login is user:password from the URL, still escaped; "" when there is none.
	Login string
	// URLGroup is the http_port line's urlgroup, or what a rewriter said.
	URLGroup string
	// Accelerated, Transparent and Internal are what the type ACL asks for.
	Accelerated, Transparent, Internal bool

	// Request gives the request's fields, nil when there is none.
	Request Fields
	// Reply gives the reply's fields, nil before there is a reply.
	Reply Fields

	// ExtUser is the user name an external ACL helper returned (ext_user).
	ExtUser string
	// Community is the community of an SNMP request (snmp_community).
	Community string

	// Conn stands for the client's connection towards the sources of slow
	// facts (Authenticator, Identifier, External); they know its type.
	Conn any
}

// Fields looks at the header of a message.
type Fields interface {
	// Field gives the value of the named field. A field that came in several
	// lines is joined with ", ". The name is compared without case. ok is false
	// when the message has no such field.
	Field(name string) (value string, ok bool)
}
