package helper

import (
	"strings"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// AppendEscaped makes one word of a text: everything that RFC 1738 calls unsafe, and
// "%", becomes %XX.
func AppendEscaped(dst []byte, text string) []byte {
	for {
		safe, rest, percent := strings.Cut(text, "%")
		dst = http1.AppendEscapedString(dst, safe)
		if !percent {
			return dst
		}
		dst, text = append(dst, "%25"...), rest
	}
}

// AppendShellQuoted makes one word of a text as a shell would read it: in double
// quotes when there is a blank in it, with backslashes in front of quotes and
// backslashes. It is 2.5's way (fact helpers/ext-protocol-25).
func AppendShellQuoted(dst []byte, text string) []byte {
	blank := strings.IndexByte(text, ' ') >= 0
	if blank {
		dst = append(dst, '"')
	}
	for i := range len(text) {
		switch c := text[i]; c {
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '"', '\\':
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, c)
		}
	}
	if blank {
		dst = append(dst, '"')
	}
	return dst
}

// Unescape undoes %XX. What is no escape stays as it is.
func Unescape(text string) string {
	if strings.IndexByte(text, '%') < 0 {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			hi, ok1 := hexDigit(text[i+1])
			lo, ok2 := hexDigit(text[i+2])
			if ok1 && ok2 {
				out = append(out, hi<<4|lo)
				i += 2
				continue
			}
		}
		out = append(out, text[i])
	}
	return string(out)
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}
