package acl

import (
	"regexp"
	"strings"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/conf/ere"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// pattern is one regular expression, ready to run.
type pattern struct {
	translated ere.Translation
	re         *regexp.Regexp // nil when Go refused the translation
	slow       *ere.Matcher   // for what Go's engine cannot express
}

func newPattern(r conf.Regex) (*pattern, error) {
	p := new(pattern)
	var err error
	if p.translated, err = ere.Translate(r.Pattern, r.ICase); err != nil {
		return p, err
	}
	if p.translated.NeedsMatcher {
		p.slow, err = ere.NewMatcher(r.Pattern, r.ICase)
	} else {
		p.re, err = regexp.Compile(p.translated.Go)
	}
	return p, err
}

// match runs the engine.
func (p *pattern) match(r *run) bool {
	if p.slow != nil {
		return p.slow.Match(r.subject)
	}
	if p.re == nil {
		return false
	}
	if p.translated.ASCIIOnly || r.ascii() {
		return p.re.MatchString(r.subject)
	}
	return p.re.Match(r.latin1())
}

// appendPlain appends the text of a pattern that is literal text but for escaped
// punctuation and anchors at its ends. ok is false for all others and for an empty text.
func appendPlain(dst []byte, pattern string) (text []byte, ok bool) {
	start, rest := len(dst), strings.TrimPrefix(pattern, "^")
	for i := 0; i < len(rest); i++ {
		c := rest[i]
		switch {
		case c == '$' && i == len(rest)-1:
		case c == '\\':
			if i++; i == len(rest) || !punctuation(rest[i]) {
				return dst[:start], false
			}
			dst = append(dst, rest[i])
		case strings.IndexByte(".[]()*+?{}|^$", c) >= 0 || c >= 0x80:
			return dst[:start], false
		default:
			dst = append(dst, c)
		}
	}
	return dst, len(dst) > start
}

// plainAt reports whether a pattern that appendPlain takes matches at that place of
// the subject.
func plainAt(r conf.Regex, subject string, at int) bool {
	rest, anchored := strings.CutPrefix(r.Pattern, "^")
	if anchored && at != 0 {
		return false
	}
	for i := 0; i < len(rest); i++ {
		c := rest[i]
		switch {
		case c == '$' && i == len(rest)-1:
			return at == len(subject)
		case c == '\\':
			i++
			c = rest[i]
		}
		if at == len(subject) || subject[at] != c && (!r.ICase || http1.LowerByte(subject[at]) != http1.LowerByte(c)) {
			return false
		}
		at++
	}
	return true
}

// punctuation reports whether a backslash in front of c only quotes it: not the
// letters and signs that are operators of the C library.
func punctuation(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte("<>`'", c) < 0 &&
		!('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z')
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
