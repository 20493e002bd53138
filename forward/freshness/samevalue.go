package freshness

import (
	"bytes"
	"encoding/hex"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// FindVariant is the key of the variant for a selection in a list as ParseVariants reads
// it. With rfc9111_rules a selection that says the same in other letters finds it too,
// when none is there to the letter.
func (r *Rules) FindVariant(body, data []byte) (key [16]byte, found bool) {
	if key, found = FindVariant(body, data); found || !r.ByRFC {
		return key, found
	}
	var at, have []byte
	want := appendCanonical(nil, data)
	for line := range bytes.Lines(body) {
		name, value, _ := bytes.Cut(bytes.TrimRight(line, "\r\n"), []byte(": "))
		switch string(name) {
		case "Key":
			at = value
		case "VaryData":
			have = appendCanonical(have[:0], value)
			if len(at) == 32 && bytes.Equal(have, want) {
				_, err := hex.Decode(key[:], at)
				return key, err == nil
			}
		}
	}
	return key, false
}

// appendCanonical appends a selection (AppendVaryData) in a form that is equal for
// values of the same meaning: without blanks around the commas of a list, and in lower
// case where the field knows no case (RFC 9111 section 4.1). What stands in a quoted
// string stays as it is.
func appendCanonical(dst, data []byte) []byte {
	for len(data) > 0 {
		name, rest, valued := bytes.Cut(data, []byte(`="`))
		if comma := bytes.IndexByte(name, ','); comma >= 0 || !valued {
			end := len(data)
			if comma >= 0 {
				end = comma + 1 // a field that is not there
			}
			dst, data = append(dst, data[:end]...), data[end:]
			continue
		}
		value, after, _ := bytes.Cut(rest, []byte(`"`))
		dst = append(append(dst, name...), `="`...)
		at := len(dst)
		dst = appendCanonicalValue(dst, value)
		switch string(bytes.TrimLeft(name, " ")) {
		case "accept-language", "accept-encoding":
			lower := http1.AppendLower(nil, dst[at:])
			dst = append(dst[:at], lower...)
		}
		dst, data = append(dst, '"'), after
	}
	return dst
}

// Escapes as they stand in a selection.
const (
	escapedBlank, escapedTab = "%20", "%09"
	escapedQuote             = "%22"
	escapedBackslash         = "%5C"
)

func appendCanonicalValue(dst, value []byte) []byte {
	start, quoted := len(dst), false
	for fresh := true; len(value) > 0; {
		n := 1
		if value[0] == '%' {
			n = min(3, len(value))
		}
		piece := value[:n]
		value = value[n:]
		switch p := string(piece); {
		case quoted && p == escapedBackslash && len(value) > 0:
			next := 1
			if value[0] == '%' {
				next = min(3, len(value))
			}
			dst = append(append(dst, piece...), value[:next]...)
			value = value[next:]
			continue
		case p == escapedQuote:
			quoted = !quoted
		case quoted:
		case (p == escapedBlank || p == escapedTab) && fresh:
			continue
		case p == ",":
			dst = trimBlanks(dst, start)
			dst = append(dst, ',')
			fresh = true
			continue
		}
		dst = append(dst, piece...)
		fresh = false
	}
	if quoted {
		return dst
	}
	return trimBlanks(dst, start)
}

func trimBlanks(dst []byte, start int) []byte {
	for len(dst) >= start+3 && (string(dst[len(dst)-3:]) == escapedBlank || string(dst[len(dst)-3:]) == escapedTab) {
		dst = dst[:len(dst)-3]
	}
	return dst
}
