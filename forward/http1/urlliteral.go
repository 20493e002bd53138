package http1

import (
	"bytes"
	"net/netip"
)

// splitLiteral reads "[address]" or "[address]:port" (RFC 3986 section 3.2.2)
// into canonical form, brackets included. is reports whether host begins like one.
//
// 2.6 knows no IPv6 and refuses every literal. Those that say where in the world
// to go are served; the others stay refused. [::1] above all: the lists of 2.6
// files that keep clients away from the proxy's own host name 127.0.0.0/8 alone.
func (u *URL) splitLiteral(host []byte, defaultPort int) (literal []byte, port int, is, ok bool) {
	if len(host) == 0 || host[0] != '[' {
		return nil, 0, false, false
	}
	end := bytes.IndexByte(host, ']')
	if end < 0 {
		return nil, 0, true, false
	}
	addr, err := netip.ParseAddr(string(host[1:end]))
	if err != nil || !ReachableLiteral(addr) {
		return nil, 0, true, false
	}
	port = defaultPort
	if after := host[end+1:]; len(after) > 0 {
		if after[0] != ':' {
			return nil, 0, true, false
		}
		if len(after) > 1 {
			port, _ = leadingInt(after[1:])
		}
	}
	u.literal = append(addr.AppendTo(append(u.literal[:0], '[')), ']')
	return u.literal, port, true, true
}

// ReachableLiteral reports whether an IPv6 address may stand in a URL: it is one of
// another host.
func ReachableLiteral(a netip.Addr) bool {
	return a.Is6() && !a.Is4In6() && a.Zone() == "" &&
		!a.IsLoopback() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLinkLocalUnicast()
}
