package http1

import "encoding/binary"

// Character classes of RFC 9110 section 5.6 and of C's isspace, which is what
// Squid 2.6 trims with.
const (
	isToken = 1 << iota // tchar
	isBlank             // SP HT
	isSpace             // SP HT CR LF VT FF
	isDigit
	isHostChar // letters, digits, "-" and "."
	isControl  // 0-31 and 127
	isUnsafe   // escaped in URLs by RFC 1738 and in 2.6's logs
	isLogged   // 0-31 and 127-159: one of them in a URL has all of it escaped in logs
)

var class = func() (t [256]uint8) {
	mark := func(s string, bit uint8) {
		for i := 0; i < len(s); i++ {
			t[s[i]] |= bit
		}
	}
	const alnum = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	mark(alnum+"!#$%&'*+-.^_`|~", isToken)
	mark(" \t", isBlank)
	mark(" \t\r\n\v\f", isSpace)
	mark("0123456789", isDigit)
	mark(alnum+"-.", isHostChar)
	mark("<>\"#{}|\\^~[]`' ", isUnsafe)
	for c := 0; c < 256; c++ {
		if c < 32 || c == 127 {
			t[c] |= isControl | isUnsafe
		}
		if c >= 128 {
			t[c] |= isUnsafe
		}
		if c < 32 || c >= 127 && c < 160 {
			t[c] |= isLogged
		}
	}
	return t
}()

var lowered = func() (t [256]byte) {
	for c := range t {
		t[c] = byte(c)
		if 'A' <= c && c <= 'Z' {
			t[c] = byte(c + 'a' - 'A')
		}
	}
	return t
}()

// IsTokenChar reports whether a byte is one that tokens are made of: methods and names
// of fields (tchar, RFC 9110 section 5.6.2).
func IsTokenChar(c byte) bool { return class[c]&isToken != 0 }

// LowerByte is an ASCII letter in lower case, any other byte as it is.
func LowerByte(c byte) byte { return lowered[c] }

// Lower is s with ASCII letters in lower case. All other bytes stay what they are: two
// names that differ in bytes of no known encoding must not become one. It allocates
// only when something changes.
func Lower(s string) string {
	for i := range len(s) {
		if lowered[s[i]] != s[i] {
			return string(AppendLower(make([]byte, 0, len(s)), s))
		}
	}
	return s
}

// AppendLower appends text with ASCII letters in lower case. Text may be what follows
// dst in its own storage.
func AppendLower[T ~string | ~[]byte](dst []byte, text T) []byte {
	for i := range len(text) {
		dst = append(dst, lowered[text[i]])
	}
	return dst
}

// EqualFold compares ASCII text without regard to case.
func EqualFold[A, B ~string | ~[]byte](a A, b B) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if lowered[a[i]] != lowered[b[i]] {
			return false
		}
	}
	return true
}

// hasPrefixFold reports whether a begins with the lower-case text b.
func hasPrefixFold(a []byte, b string) bool {
	return len(a) >= len(b) && EqualFold(a[:len(b)], b)
}

// allAre reports whether every byte of b has one of the class bits.
func allAre(b []byte, bits uint8) bool {
	for _, c := range b {
		if class[c]&bits == 0 {
			return false
		}
	}
	return true
}

// anyIs reports whether some byte of b has one of the class bits.
func anyIs(b []byte, bits uint8) bool {
	for _, c := range b {
		if class[c]&bits != 0 {
			return true
		}
	}
	return false
}

// isPlain reports whether every byte of b is printable ASCII, eight at a time: it may
// be false for what is.
func isPlain(b []byte) bool {
	const (
		ones = 0x0101010101010101
		high = 0x8080808080808080
	)
	for ; len(b) >= 8; b = b[8:] {
		x := binary.LittleEndian.Uint64(b)
		if ((x-0x20*ones)|x|(x+ones))&high != 0 {
			return false
		}
	}
	for _, c := range b {
		if c < 0x20 || c >= 0x7f {
			return false
		}
	}
	return true
}

// trimSpace removes leading and trailing white space as C's isspace sees it.
func trimSpace(b []byte) []byte {
	for len(b) > 0 && class[b[0]]&isSpace != 0 {
		b = b[1:]
	}
	for len(b) > 0 && class[b[len(b)-1]]&isSpace != 0 {
		b = b[:len(b)-1]
	}
	return b
}
