package fetch

import (
	"fmt"
	"regexp"
	"unicode/utf8"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/conf/ere"
)

// defaultMaxAge is what requests carry when no refresh_pattern matches, in
// seconds: the maximum of the rule 2.6 has built in.
const defaultMaxAge = 259200

// maxAges finds the max-age that goes out with a request: the maximum of the
// first refresh_pattern that matches the URL (fact "Cache-Control:
// max-age=259200 is added to every request").
type maxAges []maxAge

type maxAge struct {
	any     bool // the pattern "." matches every URL
	pattern *regexp.Regexp
	ascii   bool // the pattern takes bytes as they are
	seconds int
}

func newMaxAges(patterns []*conf.RefreshPattern) (maxAges, error) {
	var all maxAges
	for _, p := range patterns {
		m := maxAge{any: p.Regex.Pattern == ".", seconds: int(p.Max.Seconds())}
		if !m.any {
			t, err := ere.Translate(p.Regex.Pattern, p.Regex.ICase)
			if err == nil {
				m.pattern, err = regexp.Compile(t.Go)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: refresh_pattern %s: %w", p.Pos, p.Regex.Pattern, err)
			}
			m.ascii = t.ASCIIOnly
		}
		all = append(all, m)
	}
	return all, nil
}

// of gives the max-age for a URL in seconds.
func (all maxAges) of(url []byte) int {
	var wide []byte
	for i := range all {
		m := &all[i]
		subject := url
		if !m.any && !m.ascii && !asciiOnly(url) {
			if wide == nil {
				wide = latin1(url)
			}
			subject = wide
		}
		if m.any || m.pattern.Match(subject) {
			return m.seconds
		}
	}
	return defaultMaxAge
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
