package conf

import (
	"fmt"
	"strings"
)

// lintRegex finds patterns that mean something else in the dialect most people
// know (Perl's) than in the C library's.
func (r *reader) lintRegex(v aclValue) {
	if r.line == nil || !r.b.opts.Lint {
		return
	}
	if what := foreignDialect(v.text); what != "" {
		r.warnValue(v, "regex-dialect", what, "Patterns are POSIX extended regular expressions.", "")
	}
}

// foreignDialect says what of a pattern reads differently elsewhere, "" for nothing.
func foreignDialect(p string) string {
	brackets := false
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case brackets && c == '\\':
			return `a backslash inside brackets is a plain character, and one of the set`
		case brackets:
			if c == '[' && i+1 < len(p) && strings.IndexByte(":.=", p[i+1]) >= 0 {
				if end := strings.Index(p[i+2:], p[i+1:i+2]+"]"); end >= 0 {
					i += end + 3
				}
			} else if c == ']' {
				brackets = false
			}
		case c == '[':
			brackets = true
			if i+1 < len(p) && p[i+1] == '^' {
				i++
			}
			if i+1 < len(p) && p[i+1] == ']' {
				i++
			}
		case c == '\\' && i+1 < len(p):
			i++
			switch {
			case p[i] == 'd' || p[i] == 'D':
				return fmt.Sprintf(`\%c is the letter %c here, not a digit; write [0-9] or [^0-9]`, p[i], p[i])
			case strings.IndexByte("tnrfvxuhHAzZQEp", p[i]) >= 0:
				return fmt.Sprintf(`\%c is the letter %c here`, p[i], p[i])
			}
		case (c == '*' || c == '+' || c == '?' || c == '}') && i+1 < len(p) && p[i+1] == '?':
			return fmt.Sprintf("%c? is not lazy here: the ? makes what is in front of it optional", c)
		}
	}
	return ""
}
