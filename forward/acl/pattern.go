package acl

import (
	"regexp"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/conf/ere"
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

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
