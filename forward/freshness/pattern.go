package freshness

import (
	"regexp"
	"unicode/utf8"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/conf/ere"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// pattern is a refresh_pattern line with its compiled expression.
type pattern struct {
	any   bool // the pattern "." matches every URL
	expr  *regexp.Regexp
	ascii bool         // the expression takes bytes as they are
	slow  *ere.Matcher // in the place of expr where Go has no words for the pattern
	rule  Rule
}

func newPattern(p *conf.RefreshPattern) (pattern, error) {
	c := pattern{any: p.Regex.Pattern == ".", rule: newRule(p)}
	if c.any {
		return c, nil
	}
	t, err := ere.Translate(p.Regex.Pattern, p.Regex.ICase)
	if err != nil {
		return c, err
	}
	if t.NeedsMatcher {
		c.slow, err = ere.NewMatcher(p.Regex.Pattern, p.Regex.ICase)
		return c, err
	}
	c.ascii = t.ASCIIOnly
	c.expr, err = regexp.Compile(t.Go)
	return c, err
}

// Of is the rule of the first refresh_pattern that matches the URL, 2.6's own
// when none does. It does not allocate for URLs of ASCII alone.
func (r *Rules) Of(url []byte) *Rule {
	var wide []byte
	for i := range r.patterns {
		p := &r.patterns[i]
		if p.slow != nil {
			if p.slow.Match(http1.View(url)) {
				return &p.rule
			}
			continue
		}
		subject := url
		if !p.any && !p.ascii && !asciiOnly(url) {
			if wide == nil {
				wide = latin1(url)
			}
			subject = wide
		}
		if p.any || p.expr.Match(subject) {
			return &p.rule
		}
	}
	return &builtin
}

func asciiOnly(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// latin1 writes each byte as the rune of the same number, as byte-wise patterns
// expect.
func latin1(b []byte) []byte {
	wide := make([]byte, 0, 2*len(b))
	for _, c := range b {
		wide = utf8.AppendRune(wide, rune(c))
	}
	return wide
}
