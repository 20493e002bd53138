package acl

import (
	"regexp"
	"strings"
	"sync"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/conf/ere"
)

// pattern is one regular expression.
type pattern struct {
	// A plain pattern is literal text, perhaps anchored; it needs no engine.
	plain      bool
	fold       bool // compare ASCII letters without case
	start, end bool // anchored to the start, the end
	literal    string

	translated ere.Translation
	once       sync.Once
	re         *regexp.Regexp // nil when Go refused the translation
	err        error
	slow       *ere.Matcher // for what Go's engine cannot express
}

// compile takes a pattern apart and returns texts of which at least one is in
// every subject it matches; none when there is nothing to go by.
func (p *pattern) compile(r *conf.Regex) (literals []string, err error) {
	p.fold = r.ICase
	if p.literal, p.start, p.end, p.plain = plainText(r.Pattern); p.plain {
		return []string{p.literal}, nil
	}
	p.translated, err = ere.Translate(r.Pattern, r.ICase)
	if err != nil {
		return nil, err
	}
	if p.translated.NeedsMatcher {
		if p.slow, err = ere.NewMatcher(r.Pattern, r.ICase); err != nil {
			return nil, err
		}
	}
	for _, l := range p.translated.Literals {
		if l == "" || !ascii(l) {
			return nil, nil
		}
	}
	return p.translated.Literals, nil
}

// prepare compiles the translation once.
func (p *pattern) prepare() error {
	if p.plain || p.slow != nil {
		return nil
	}
	p.once.Do(func() { p.re, p.err = regexp.Compile(p.translated.Go) })
	return p.err
}

// match runs the engine.
func (p *pattern) match(r *run) bool {
	if p.slow != nil {
		return p.slow.Match(r.subject)
	}
	if p.prepare() != nil {
		return false
	}
	if p.translated.ASCIIOnly || r.ascii() {
		return p.re.MatchString(r.subject)
	}
	return p.re.Match(r.latin1())
}

// matchAt reports whether a plain pattern, whose folded text stands at that
// place of the subject, really matches there.
func (p *pattern) matchAt(subject string, at, length int) bool {
	if p.start && at != 0 || p.end && at+length != len(subject) {
		return false
	}
	return p.fold || subject[at:at+length] == p.literal
}

// plainText reads a pattern that is literal text but for escaped punctuation
// and anchors at its ends. ok is false for all others and for an empty text.
func plainText(pattern string) (text string, start, end, ok bool) {
	rest, start := strings.CutPrefix(pattern, "^")
	b := make([]byte, 0, len(rest))
	for i := 0; i < len(rest); i++ {
		c := rest[i]
		switch {
		case c == '$' && i == len(rest)-1:
			end = true
		case c == '\\':
			if i++; i == len(rest) || !punctuation(rest[i]) {
				return "", false, false, false
			}
			b = append(b, rest[i])
		case strings.IndexByte(".[]()*+?{}|^$", c) >= 0 || c >= 0x80:
			return "", false, false, false
		default:
			b = append(b, c)
		}
	}
	return string(b), start, end, len(b) > 0
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
