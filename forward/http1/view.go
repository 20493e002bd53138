package http1

import (
	"strings"
	"unsafe"
)

// View is b as a string without a copy. It lasts as long as the bytes stay as they
// are.
func View(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// AuthenticatesConnection reports whether a challenge or credentials are of a
// scheme that authenticates the connection, not the request.
func AuthenticatesConnection(value []byte) bool {
	word, _, _ := strings.Cut(View(value), " ")
	return strings.EqualFold(word, "NTLM") || strings.EqualFold(word, "Negotiate") || strings.EqualFold(word, "Kerberos")
}

// LastHop reports whether a TRACE is to be answered here (Max-Forwards: 0).
func (f *Fields) LastHop() bool {
	v := f.Get(MaxForwards)
	return v != nil && Hops(v) == 0
}

// Hops reads Max-Forwards as 2.6 does: leading digits, none of which is 0, and a
// negative number is no limit.
func Hops(v []byte) int {
	n := 0
	for i, c := range v {
		if i == 0 && c == '-' {
			return -1
		}
		if c < '0' || c > '9' || n > 1<<20 {
			break
		}
		n = n*10 + int(c-'0')
	}
	return n
}
