package accesslog

import "github.com/cuttle-proxy/cuttle/forward/http1"

const (
	hexLower = "0123456789abcdef"
	hexUpper = "0123456789ABCDEF"
)

// appendBrackets quotes for use between brackets, as log_mime_hdrs does: line
// ends and backslashes get a backslash, everything that is not printable and
// "%", "[", "]" become %xx.
func appendBrackets(dst, text []byte) []byte {
	for _, c := range text {
		switch {
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\\':
			dst = append(dst, `\\`...)
		case c <= 0x1f, c >= 0x7f, c == '%', c == '[', c == ']':
			dst = append(dst, '%', hexLower[c>>4], hexLower[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// appendUser quotes a user name so that it stays one word.
func appendUser(dst []byte, name string) []byte {
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c <= 0x1f, c >= 0x7f, c == '%', c == ' ':
			dst = append(dst, '%', hexLower[c>>4], hexLower[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// appendString quotes for use between double quotes.
func appendString(dst, text []byte) []byte {
	for _, c := range text {
		switch c {
		case '\r':
			dst = append(dst, `\r`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\t':
			dst = append(dst, `\t`...)
		case '"', '\\':
			dst = append(dst, '\\', c)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// appendURL escapes what RFC 1738 calls unsafe, and "%" as well.
func appendURL(dst, text []byte) []byte {
	for i, c := range text {
		if c == '%' {
			dst = append(dst, '%', hexUpper[c>>4], hexUpper[c&15])
		} else {
			dst = http1.AppendEscaped(dst, text[i:i+1])
		}
	}
	return dst
}
