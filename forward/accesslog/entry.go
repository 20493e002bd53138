package accesslog

import (
	"net/netip"
	"time"
)

// Header is a field list to look names up in; http1.Fields and http1.Outgoing
// are.
type Header interface {
	AppendNamed(dst []byte, name string) (value []byte, ok bool)
}

// Entry is one finished request. The caller fills it; slices and interfaces
// need to live only until Write returns.
type Entry struct {
	// Now is when the line is written, Elapsed how long the request took.
	Now     time.Time
	Elapsed time.Duration

	// Client is the client's address, before client_netmask; for requests with
	// log_uses_indirect_client the indirect one.
	Client netip.Addr
	// ClientPort is the client's port, Local the address it connected to. Without
	// HasRequest logformat shows 0 and 255.255.255.255, as 2.6 does.
	ClientPort uint16
	Local      netip.AddrPort

	// Tag is the result ("TCP_MISS"), Status the status code sent (0 for none).
	Tag    string
	Status int
	// Size is what was sent to the client in bytes, head included.
	Size int64
	// RequestSize is the size of the request's head plus its Content-Length,
	// where a request without one counts -1, as in 2.6 (fact "%>st is one byte
	// short"); without HasRequest it is the size of the head.
	RequestSize int64

	// Method is the request's method or an ICP opcode name; "" stands for NONE.
	Method string
	// URL is the URL as URL.AppendLogged or Fault.LogURL give it; it may be empty
	// (badreq/method-only).
	URL []byte
	// Major and Minor are the client's version; 0.0 for requests that could not
	// be parsed.
	Major, Minor int

	// HasRequest says that the request was understood so far that access lists
	// were asked about it; its fields and addresses are not shown otherwise.
	HasRequest bool

	// AuthUser is the authenticated user or the one an external ACL named,
	// Ident what the client's ident server said, SSLUser the name in its
	// certificate, ExtLog the log text of an external ACL.
	AuthUser, Ident, SSLUser, ExtLog string

	// SNI is the server's name in the ClientHello of a TLS connection that was passed
	// on, "" where there is none.
	SNI string

	// Hierarchy is the way to the origin ("DIRECT"), "" for NONE; TimedOut puts
	// TIMEOUT_ before it. Host is the peer or origin chosen, "" for none.
	Hierarchy string
	TimedOut  bool
	Host      string

	// ContentType is the reply's Content-Type as received; the log cuts it at
	// ";" or a blank.
	ContentType []byte

	// Request holds the request's fields, RequestFields the same as lines for
	// log_mime_hdrs (Fields.AppendLogged).
	Request       Header
	RequestFields []byte
	// Reply holds the fields of the reply as sent, ReplyHead its head as the
	// origin sent it.
	Reply     Header
	ReplyHead []byte
	// UserAgent and Referer are the request's fields; nil when absent.
	UserAgent, Referer []byte

	// Own is the reply as cache_store_log shows it, where IsOwn says that it is one of the
	// proxy's own.
	Own   StoreReply
	IsOwn bool

	// Pending are the last lines that were put down of this entry.
	Pending Pending

	scratch []byte // a value being quoted
	client  netip.Addr
}

// Reset forgets the request and keeps the storage.
func (e *Entry) Reset() {
	scratch := e.scratch[:0]
	*e = Entry{}
	e.scratch = scratch
}

// Copy is the entry with storage of its own. What the entry views is still what the
// copy views.
func (e *Entry) Copy() Entry {
	c := *e
	c.scratch = nil
	return c
}

func (e *Entry) method() string { return orElse(e.Method, "NONE") }

func (e *Entry) hierarchy() string { return orElse(e.Hierarchy, "NONE") }

func (e *Entry) host() string { return orElse(e.Host, "-") }

// contentType is the media type without parameters, "-" for none.
func (e *Entry) contentType() []byte {
	for i, c := range e.ContentType {
		if c == ';' || c == ' ' || c == '\t' {
			if i == 0 {
				break
			}
			return e.ContentType[:i]
		}
		if i == len(e.ContentType)-1 {
			return e.ContentType
		}
	}
	return dash
}

// user is the first name known.
func (e *Entry) user() string {
	return orElse(e.AuthUser, orElse(e.Ident, e.SSLUser))
}

var dash = []byte("-")

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
