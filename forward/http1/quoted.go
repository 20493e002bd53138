package http1

// Quoted reads a quoted string (RFC 9110 section 5.6.4), with which text begins, and
// gives what it says and what follows it. closed is false when the closing quote is
// missing: then it goes to the end.
func Quoted[T ~string | ~[]byte](text T) (value string, rest T, closed bool) {
	out := make([]byte, 0, len(text))
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == '"':
			return string(out), text[i+1:], true
		case text[i] == '\\' && i+1 < len(text):
			i++
		}
		out = append(out, text[i])
	}
	return string(out), text[len(text):], false
}
