package dns

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// maxNameLen is the longest host name in text form without the final dot
// (RFC 1035 section 2.3.4: 255 octets on the wire).
const maxNameLen = 253

// canonical gives the form under which a name is kept: ASCII letters in lower case
// (RFC 4343 section 2.1), no final dot. It allocates only when the text is not in that form already.
func canonical(host string) string {
	return http1.Lower(strings.TrimSuffix(host, "."))
}

// askable reports whether a canonical name can be put into a question: labels of
// 1 to 63 octets and nothing that is no printing ASCII. Whether the name is
// one a URL may hold (check_hostnames, allow_underscore) is decided earlier.
func askable(name string) bool {
	if name == "" || len(name) > maxNameLen {
		return false
	}
	label := 0
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '.':
			if label == 0 {
				return false
			}
			label = 0
		case c <= ' ' || c >= 0x7f:
			return false
		default:
			if label++; label > 63 {
				return false
			}
		}
	}
	return label > 0
}

// Numeric reads an address in text form, with or without brackets. Names
// cannot look like one: a last label of digits is no top-level domain.
func Numeric(host string) (netip.Addr, bool) {
	if host == "" {
		return netip.Addr{}, false
	}
	if host[0] == '[' && host[len(host)-1] == ']' {
		host = host[1 : len(host)-1]
	} else if c := host[0]; (c < '0' || c > '9') && !strings.Contains(host, ":") {
		return netip.Addr{}, false
	}
	addr, err := netip.ParseAddr(host)
	if err != nil {
		return dottedDecimal(host)
	}
	return addr.Unmap(), addr.Zone() == ""
}

// dottedDecimal reads an IPv4 address whose numbers may have leading zeros. They
// are decimal as in 2.6, never octal.
func dottedDecimal(host string) (netip.Addr, bool) {
	var quad [4]byte
	for i := range quad {
		number, rest, more := strings.Cut(host, ".")
		n, err := strconv.ParseUint(number, 10, 8)
		if err != nil || len(number) > 10 || more != (i < 3) {
			return netip.Addr{}, false
		}
		quad[i], host = byte(n), rest
	}
	return netip.AddrFrom4(quad), true
}

// reverseName is the name whose PTR record names addr (RFC 1035 section 3.5,
// RFC 3596 section 2.5).
func reverseName(addr netip.Addr) string {
	const hexdigit = "0123456789abcdef"
	buf := make([]byte, 0, 73)
	if addr.Is4() {
		a := addr.As4()
		for i := 3; i >= 0; i-- {
			if n := a[i]; n >= 100 {
				buf = append(buf, '0'+n/100, '0'+n/10%10)
			} else if n >= 10 {
				buf = append(buf, '0'+n/10)
			}
			buf = append(buf, '0'+a[i]%10, '.')
		}
		return string(append(buf, "in-addr.arpa"...))
	}
	a := addr.As16()
	for i := 15; i >= 0; i-- {
		buf = append(buf, hexdigit[a[i]&15], '.', hexdigit[a[i]>>4], '.')
	}
	return string(append(buf, "ip6.arpa"...))
}
