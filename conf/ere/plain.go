package ere

// plainlyRight reports whether the C library surely accepts a pattern: one of ordinary
// bytes, dots, anchors, groups and branches, repeated by one sign. It makes no tree, and
// nearly all patterns of a long list are such ones.
func plainlyRight(pattern string) bool {
	depth := 0
	atom := false // something stands in front that can be repeated
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '[', '{':
			return false
		case '\\':
			// Letters, digits and some signs are operators behind a backslash.
			if i++; i == len(pattern) || pattern[i] >= 0x80 || word(pattern[i]) || pattern[i] <= ' ' ||
				pattern[i] == '<' || pattern[i] == '>' || pattern[i] == '`' || pattern[i] == '\'' {
				return false
			}
			atom = true
		case '(':
			if depth++; depth > maxDepth/2 {
				return false
			}
			atom = false
		case ')':
			if depth--; depth < 0 {
				return false
			}
			atom = true
		case '|', '^', '$':
			atom = false
		case '*', '+', '?':
			if !atom {
				return false
			}
		default:
			atom = true
		}
	}
	return depth == 0
}

// plainLiteral gives the longest run of ordinary bytes that every match of a pattern
// contains, where that can be told without making a tree; "" elsewhere.
func plainLiteral(pattern string, icase bool) string {
	if !plainlyRight(pattern) {
		return ""
	}
	var space [2 * maxLiteralLen]byte
	best, run := space[:0:maxLiteralLen], space[maxLiteralLen:maxLiteralLen]
	end := func() {
		if len(run) > len(best) {
			best = append(best[:0], run...)
		}
		run = run[:0]
	}
	depth := 0
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '(':
			depth++
			end()
			continue
		case c == ')':
			depth--
			continue
		case c == '|' && depth == 0:
			return ""
		case c == '.' || c == '^' || c == '$' || c == '|' || c == '*' || c == '+' || c == '?' || c >= 0x80:
			end()
			continue
		case c == '\\':
			i++
			c = pattern[i]
		}
		if depth > 0 {
			continue
		}
		if i+1 < len(pattern) && (pattern[i+1] == '*' || pattern[i+1] == '?' || pattern[i+1] == '+' && repeatsAway(pattern[i+1:])) {
			end()
			continue
		}
		if icase {
			c = lower(c)
		}
		if len(run) < maxLiteralLen {
			run = append(run, c)
		}
	}
	end()
	return string(best)
}

// repeatsAway reports whether signs of repetition allow for none.
func repeatsAway(signs string) bool {
	for i := 0; i < len(signs); i++ {
		switch signs[i] {
		case '*', '?':
			return true
		case '+':
		default:
			return false
		}
	}
	return false
}
