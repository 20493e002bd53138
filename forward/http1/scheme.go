package http1

// Scheme is the scheme of a URL as a small integer.
type Scheme uint8

// The schemes 2.6 knows. SchemeFTP is also what "file" means.
const (
	NoScheme Scheme = iota
	SchemeHTTP
	SchemeFTP
	SchemeHTTPS
	SchemeGopher
	SchemeWAIS
	SchemeCacheObject
	SchemeURN
	SchemeWhois
	SchemeInternal
	numSchemes
)

var schemes = [numSchemes]struct {
	text string
	port uint16
}{
	NoScheme:          {"NONE", 0},
	SchemeHTTP:        {"http", 80},
	SchemeFTP:         {"ftp", 21},
	SchemeHTTPS:       {"https", 443},
	SchemeGopher:      {"gopher", 70},
	SchemeWAIS:        {"wais", 210},
	SchemeCacheObject: {"cache_object", 3128},
	SchemeURN:         {"urn", 0},
	SchemeWhois:       {"whois", 43},
	SchemeInternal:    {"internal", 3128},
}

// String is the scheme's spelling in URLs; "NONE" for NoScheme.
func (s Scheme) String() string {
	if s >= numSchemes {
		s = NoScheme
	}
	return schemes[s].text
}

// DefaultPort is the port meant when a URL of that scheme names none; 0 when
// there is no such port.
func (s Scheme) DefaultPort() uint16 {
	if s >= numSchemes {
		return 0
	}
	return schemes[s].port
}

// LookupScheme finds a scheme without regard to case.
func LookupScheme(b []byte) Scheme {
	for s := SchemeHTTP; s < numSchemes; s++ {
		if EqualFold(b, schemes[s].text) {
			return s
		}
	}
	if EqualFold(b, "file") {
		return SchemeFTP
	}
	return NoScheme
}

// Serves reports whether a request of that method can be made for that scheme:
// everything for http, reading for the gateways, PUT for ftp; nothing for
// https, which clients tunnel, or for unknown schemes.
func (s Scheme) Serves(m Method) bool {
	switch m {
	case CONNECT, TRACE, PURGE:
		return true
	}
	switch s {
	case SchemeURN, SchemeHTTP, SchemeInternal, SchemeCacheObject:
		return true
	case SchemeFTP:
		return m == GET || m == HEAD || m == PUT
	case SchemeGopher, SchemeWAIS, SchemeWhois:
		return m == GET || m == HEAD
	}
	return false
}
