package http1

import (
	"bytes"
	"strconv"
)

// AppendAuthority appends "host", or "host:port" when the port is not the
// scheme's own: the value of Host in an outgoing request.
func (u *URL) AppendAuthority(dst []byte) []byte {
	dst = append(dst, u.Host...)
	if u.Port != u.Scheme.DefaultPort() || u.Authority {
		dst = append(dst, ':')
		dst = strconv.AppendUint(dst, uint64(u.Port), 10)
	}
	return dst
}

// AppendTarget appends the origin-form of the target: the path, "/" when it is
// empty.
func (u *URL) AppendTarget(dst []byte) []byte {
	if len(u.Path) == 0 {
		return append(dst, '/')
	}
	return append(dst, u.Path...)
}

// AppendCanonical appends the URL in its canonical form: what peers, helpers
// and the cache key see. A CONNECT's is "host:port".
func (u *URL) AppendCanonical(dst []byte) []byte {
	return u.append(dst, u.Userinfo, u.Path)
}

// AppendLogged appends the URL as access.log shows it: user info without the
// password, the query cut behind its "?" when stripQuery (strip_query_terms),
// and everything unsafe escaped when there is a control character in it.
func (u *URL) AppendLogged(dst []byte, stripQuery bool) []byte {
	user := u.Userinfo
	if len(user) > 0 {
		user, _, _ = bytes.Cut(user, []byte{':'})
	}
	path := u.Path
	if stripQuery {
		if q := bytes.IndexByte(path, '?'); q >= 0 {
			path = path[:q+1]
		}
	}
	start := len(dst)
	return escapeTail(u.append(dst, user, path), start)
}

// Bounded is as much of a URL that could not be parsed as 2.6 keeps.
func Bounded(text []byte) []byte { return text[:min(len(text), maxURL)] }

// AppendLoggedText appends a URL that could not be parsed as access.log shows
// it: as received, or escaped when there is a control character in it.
func AppendLoggedText(dst, text []byte) []byte {
	start := len(dst)
	return escapeTail(append(dst, Bounded(text)...), start)
}

// append appends the URL with these in place of its own user info and path.
func (u *URL) append(dst, user, path []byte) []byte {
	switch {
	case u.Authority:
		return u.AppendAuthority(dst)
	case u.Scheme == SchemeURN:
		return append(append(dst, "urn:"...), path...)
	}
	dst = append(dst, u.Scheme.String()...)
	dst = append(dst, "://"...)
	if len(u.Userinfo) > 0 {
		dst = append(append(dst, user...), '@')
	}
	dst = u.AppendAuthority(dst)
	return append(dst, path...)
}

// escapeTail escapes dst[start:] if there is a control character in it, of ASCII
// or of ISO 8859-1.
func escapeTail(dst []byte, start int) []byte {
	if isPlain(dst[start:]) || !anyIs(dst[start:], isLogged) {
		return dst
	}
	tail := append([]byte(nil), dst[start:]...)
	return AppendEscaped(dst[:start], tail)
}

const hexUpper = "0123456789ABCDEF"

// AppendEscaped appends text with everything RFC 1738 calls unsafe as %XX: all
// but letters, digits and some punctuation. "%" itself is left alone, so what
// was escaped stays so.
func AppendEscaped(dst, text []byte) []byte {
	return appendEscaped(dst, text)
}

// AppendEscapedString is AppendEscaped for a string.
func AppendEscapedString(dst []byte, text string) []byte {
	return appendEscaped(dst, text)
}

func appendEscaped[T []byte | string](dst []byte, text T) []byte {
	for i := range len(text) {
		c := text[i]
		if class[c]&isUnsafe != 0 {
			dst = append(dst, '%', hexUpper[c>>4], hexUpper[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}
