package freshness

import (
	"bytes"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// AppendVaryData appends the text by which 2.6 tells the variants of a URL apart:
// the names a Vary lists in lower case, each with the value the request gives it,
// escaped: `accept-language="de,%20en", x-kind` (a name alone is a field that is
// not there). ok is false for a Vary that no
// request but the same one answers to ("*", or names that are none).
func AppendVaryData(dst, vary []byte, req *http1.Fields) (data []byte, ok bool) {
	start := len(dst)
	var value []byte
	for {
		name, rest := http1.NextItem(vary)
		if len(name) == 0 {
			return dst, len(dst) > start
		}
		if string(name) == "*" || !fieldName(name) {
			return dst[:start], false
		}
		if len(dst) > start {
			dst = append(dst, ", "...)
		}
		at := len(dst)
		dst = http1.AppendLower(dst, name)
		var there bool
		if value, there = req.AppendNamed(value[:0], string(dst[at:])); there {
			dst = append(appendEscaped(append(dst, `="`...), value), '"')
		}
		vary = rest
	}
}

func fieldName(name []byte) bool {
	return bytes.IndexFunc(name, func(c rune) bool { return c <= ' ' || c >= 127 || c == '"' || c == ':' || c == '=' }) < 0
}

// escaped are the bytes written as %XX beside those outside of printable ASCII
// (RFC 1738 section 2.2: unsafe ones, and those reserved in a part of a URL).
var escaped = func() (t [256]bool) {
	for c := range t {
		t[c] = c <= ' ' || c >= 127
	}
	for _, c := range []byte("<>\"#{}|\\^~[]`'%;/?:@=&") {
		t[c] = true
	}
	return t
}()

func appendEscaped(dst, b []byte) []byte {
	const hex = "0123456789ABCDEF"
	for _, c := range b {
		if escaped[c] {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}
