package acl

import (
	"fmt"

	"github.com/cuttle-proxy/cuttle/conf"
)

// regexSet is the regular expressions of one ACL. Most of them cannot match
// without some literal text being there, so one pass over the subject finds
// the few worth running; those without such a text are run always.
type regexSet struct {
	patterns []pattern
	always   []uint32 // patterns that need no literal
	filter   gramFilter
}

// eagerPatterns is the size up to which a set's patterns are compiled at once:
// a mistake shows at the start. Larger sets compile a pattern when it is first
// needed, which for most is never.
const eagerPatterns = 512

func compileRegexes(list []conf.Regex) (*regexSet, error) {
	s := &regexSet{patterns: make([]pattern, len(list))}
	var texts []gramText
	for i := range list {
		p := &s.patterns[i]
		literals, err := p.compile(&list[i])
		if err != nil {
			return nil, fmt.Errorf("%s: regular expression '%s': %w", list[i].Pos, list[i].Pattern, err)
		}
		if len(literals) == 0 {
			s.always = append(s.always, uint32(i))
		}
		for _, l := range literals {
			texts = append(texts, gramText{lower(l), uint32(i)})
		}
		if len(list) <= eagerPatterns {
			if err := p.prepare(); err != nil {
				return nil, fmt.Errorf("%s: regular expression '%s': %w", list[i].Pos, list[i].Pattern, err)
			}
		}
	}
	s.filter = newGramFilter(texts)
	return s, nil
}

// has reports whether any of the expressions matches somewhere in subject.
func (s *regexSet) has(subject string) bool {
	run := newRun(subject)
	defer run.free()
	for _, i := range s.always {
		if s.patterns[i].match(run) {
			return true
		}
	}
	return s.filter.find(subject, func(i uint32, at int, text string) bool {
		p := &s.patterns[i]
		if p.plain {
			return p.matchAt(subject, at, len(text))
		}
		return run.first(i) && p.match(run)
	})
}
