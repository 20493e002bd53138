package http1

import "bytes"

// headEnd finds the end of a head: the index behind its empty line, 0 when the
// empty line has not arrived. seen carries the search from one call to the
// next, so that a head sent byte by byte is scanned once. A line ends with LF
// or CR LF, as in 2.6.
func headEnd(b []byte, seen *int) int {
	pos := *seen
	for {
		feed := bytes.IndexByte(b[pos:], '\n')
		if feed < 0 {
			*seen = pos
			return 0
		}
		pos += feed + 1
		rest := b[pos:]
		switch {
		case len(rest) >= 1 && rest[0] == '\n':
			return pos + 1
		case len(rest) >= 2 && rest[0] == '\r' && rest[1] == '\n':
			return pos + 2
		case len(rest) < 2:
			*seen = pos - 1
			return 0
		}
	}
}

// parseVersion reads "1.1" (what follows "HTTP/"): number "." number, and
// anything behind it, as 2.6 does. Signs, and numbers of more than four
// significant digits, are no version.
func parseVersion(b []byte) (major, minor int, ok bool) {
	major, b, ok = parseNumber(b)
	if !ok || len(b) == 0 || b[0] != '.' {
		return 0, 0, false
	}
	minor, _, ok = parseNumber(b[1:])
	return major, minor, ok
}

func parseNumber(b []byte) (n int, rest []byte, ok bool) {
	i := 0
	for i < len(b) && class[b[i]]&isDigit != 0 {
		n = n*10 + int(b[i]-'0')
		if n > 9999 {
			return 0, nil, false
		}
		i++
	}
	return n, b[i:], i > 0
}
