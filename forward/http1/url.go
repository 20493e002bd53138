package http1

import (
	"bytes"
	"slices"
)

// Whitespace says what happens to white space inside a URL (uri_whitespace).
type Whitespace uint8

// Ways to treat white space in URLs.
const (
	StripSpace  Whitespace = iota // close the gaps; the default
	DenySpace                     // refuse the URL
	AllowSpace                    // pass it on
	EncodeSpace                   // escape what is unsafe in the path
	ChopSpace                     // cut the path at the first blank
)

// URLOptions steer the parsing of URLs; they come from the configuration.
type URLOptions struct {
	Whitespace Whitespace
	// CheckHostnames refuses hosts with other characters than letters, digits,
	// "-" and "." (check_hostnames); AllowUnderscore adds "_".
	CheckHostnames, AllowUnderscore bool
	// AppendDomain completes hosts without a dot (append_domain), with its
	// leading dot; "" for none.
	AppendDomain string
}

// Bounds on URLs in bytes; 2.6 has the same first one and truncates at the second.
const (
	maxURL  = 4095
	maxHost = 255
)

// connectPort is meant when a CONNECT names no port.
const connectPort = 443

// URL is a request URL in parts. The zero value is ready; reuse it. The slices
// point into storage of the URL's own.
type URL struct {
	Scheme Scheme
	// Authority tells that the URL is "host:port" of a CONNECT.
	Authority bool
	// Userinfo is what stands before "@", Host is in lower case without
	// trailing dots, an IPv6 address in brackets, and may be empty ("http://:80/"; 2.6 then finds no address
	// for it), Path includes query and fragment and may be empty.
	Userinfo, Host, Path []byte
	Port                 uint16

	buf, escaped, literal []byte
}

// Reset forgets the URL and keeps the storage.
func (u *URL) Reset() {
	u.Scheme, u.Authority, u.Port = NoScheme, false, 0
	u.Userinfo, u.Host, u.Path = nil, nil, nil
	u.buf, u.escaped, u.literal = u.buf[:0], u.escaped[:0], u.literal[:0]
}

// CopyFrom makes u a copy of v that shares nothing with it, in storage of its own.
func (u *URL) CopyFrom(v *URL) {
	u.Scheme, u.Authority, u.Port = v.Scheme, v.Authority, v.Port
	u.buf = append(append(append(u.buf[:0], v.Userinfo...), v.Host...), v.Path...)
	host, path := len(v.Userinfo), len(v.Userinfo)+len(v.Host)
	u.Userinfo, u.Host, u.Path = u.buf[:host:host], u.buf[host:path:path], u.buf[path:]
}

// Parse takes a URL apart. The text is not kept. It answers NoFault or
// InvalidURL, following 2.6's verdicts.
func (u *URL) Parse(method Method, text []byte, o *URLOptions) Fault {
	u.Scheme, u.Authority, u.Port = NoScheme, false, 0
	u.Userinfo, u.Host, u.Path = nil, nil, nil
	if len(text)+len(o.AppendDomain) > maxURL || hasControls(text) && anyOf(text, 0, '\r', '\n') {
		return InvalidURL
	}
	u.buf = append(slices.Grow(u.buf[:0], len(text)+maxHost+len(o.AppendDomain)), text...)
	var host []byte
	var port int
	var ok bool
	switch {
	case method == CONNECT:
		host, port, ok = u.splitAuthority(u.buf)
	case bytes.HasPrefix(u.buf, []byte("urn:")):
		u.Scheme, u.Path = SchemeURN, u.buf[len("urn:"):]
		return u.treatSpace(o)
	default:
		host, port, ok = u.splitURL(u.buf)
	}
	if !ok || !u.setHost(host, o) || port < 1 || port > 65535 {
		return InvalidURL
	}
	u.Port = uint16(port)
	return u.treatSpace(o)
}

// splitAuthority reads "host", "host:" or "host:port"; a port that is no number
// leaves connectPort (fact "Without a port, or with a port that is no number,
// 443 is meant").
func (u *URL) splitAuthority(b []byte) (host []byte, port int, ok bool) {
	u.Authority = true
	if literal, port, is, ok := u.splitLiteral(b, connectPort); is {
		return literal, port, ok
	}
	host, after, _ := bytes.Cut(b, []byte{':'})
	port = connectPort
	if n, number := leadingInt(after); number {
		port = n
	}
	return host, port, len(host) > 0
}

// splitURL reads "scheme://userinfo@host:port/path".
func (u *URL) splitURL(b []byte) (host []byte, port int, ok bool) {
	colon := bytes.IndexByte(b, ':')
	if colon <= 0 || !bytes.HasPrefix(b[colon:], []byte("://")) {
		return nil, 0, false
	}
	scheme, rest := b[:colon], b[colon+len("://"):]
	host = rest
	if slash := bytes.IndexByte(rest, '/'); slash >= 0 {
		host, u.Path = rest[:slash], rest[slash:]
	}
	if len(host) == 0 {
		return nil, 0, false
	}
	u.Scheme = LookupScheme(scheme)
	port = int(u.Scheme.DefaultPort())
	if bytes.IndexByte(host, '@') >= 0 {
		at := bytes.LastIndexByte(host, '@')
		u.Userinfo, host = host[:at], host[at+1:]
	}
	if literal, port, is, ok := u.splitLiteral(host, port); is {
		return literal, port, ok
	}
	if colon := bytes.LastIndexByte(host, ':'); colon >= 0 {
		if colon+1 < len(host) {
			port, _ = leadingInt(host[colon+1:])
		}
		host = host[:colon]
	}
	return host, port, true
}

// setHost checks and completes the host and stores it.
func (u *URL) setHost(host []byte, o *URLOptions) bool {
	if len(host) > 0 && host[0] == '[' { // splitLiteral has seen to it
		u.Host = host
		return true
	}
	plain := byte(isHostChar)
	for i, c := range host {
		host[i] = lowered[c]
		plain &= class[c]
	}
	if plain == 0 {
		if o.Whitespace == StripSpace {
			host = strip(host)
			if len(host) > 0 && host[0] == '[' {
				return false // a literal behind blanks: splitLiteral has not looked at it
			}
		}
		for _, c := range host {
			switch {
			case class[c]&(isControl|isSpace) != 0 || c == ':':
				return false // whatever check_hostnames says: it would not stay one host
			case o.CheckHostnames && class[c]&isHostChar == 0 && !(c == '_' && o.AllowUnderscore):
				return false
			}
		}
	}
	if o.AppendDomain != "" && bytes.IndexByte(host, '.') < 0 {
		// Parse left room behind the text, so this moves nothing.
		end := len(u.buf)
		u.buf = append(append(u.buf, host...), o.AppendDomain...)
		host = u.buf[end:]
		for i, c := range host {
			host[i] = lowered[c]
		}
	}
	host = host[:min(len(host), maxHost)] // no name in DNS is that long: nothing will be found
	for len(host) > 0 && host[len(host)-1] == '.' {
		host = host[:len(host)-1]
	}
	if len(host) > 0 && host[0] == '.' {
		return false
	}
	for i := 1; i < len(host); i++ {
		if host[i] == '.' && host[i-1] == '.' {
			return false
		}
	}
	u.Host = host
	return true
}

// treatSpace applies uri_whitespace to the path.
func (u *URL) treatSpace(o *URLOptions) Fault {
	if !anyIs(u.Path, isSpace) {
		return NoFault
	}
	switch o.Whitespace {
	case DenySpace:
		return InvalidURL
	case AllowSpace:
	case ChopSpace:
		i := 0
		for class[u.Path[i]]&isSpace == 0 {
			i++
		}
		u.Path = u.Path[:i]
	case EncodeSpace:
		u.escaped = AppendEscaped(u.escaped[:0], u.Path)
		u.Path = u.escaped
	default:
		u.Path = strip(u.Path)
	}
	return NoFault
}

// strip removes white space in place.
func strip(b []byte) []byte {
	if !anyIs(b, isSpace) {
		return b
	}
	kept := b[:0]
	for _, c := range b {
		if class[c]&isSpace == 0 {
			kept = append(kept, c)
		}
	}
	return kept
}

// leadingInt reads an optional sign and digits after optional white space, and
// ignores what follows ("A port such as 3128x is read as 3128"). Values beyond
// any port come out as such.
func leadingInt(b []byte) (n int, ok bool) {
	for len(b) > 0 && class[b[0]]&isSpace != 0 {
		b = b[1:]
	}
	negative := len(b) > 0 && b[0] == '-'
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		b = b[1:]
	}
	for len(b) > 0 && class[b[0]]&isDigit != 0 {
		n = min(n*10+int(b[0]-'0'), 1<<20)
		b, ok = b[1:], true
	}
	if negative {
		n = -n
	}
	return n, ok
}

func anyOf(b []byte, bad ...byte) bool {
	for _, c := range bad {
		if bytes.IndexByte(b, c) >= 0 {
			return true
		}
	}
	return false
}
