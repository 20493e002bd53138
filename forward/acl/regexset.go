package acl

import (
	"fmt"
	"sync/atomic"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/conf/ere"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// regexSet is the regular expressions of one ACL. Most of them cannot match
// without some literal text being there, so one pass over the subject finds
// the few worth running; those without such a text are run always. Patterns that are
// nothing but literal text, as most of a long list are, need no engine and no memory
// beside the list's.
type regexSet struct {
	list *conf.Regexes
	// compiled has the other patterns, by number; those of a long list are made when
	// they are first needed.
	compiled []atomic.Pointer[pattern]
	always   []uint32 // patterns that need no literal
	// filter knows the text of a plain pattern by the pattern's number, and literals by
	// theirs in literals behind all patterns.
	filter   gramFilter
	literals literalList
}

// literalList is texts of which the patterns that need an engine need one.
type literalList struct {
	bytes []byte // in lower case
	list  []literal
}

type literal struct{ end, pattern uint32 }

func (l *literalList) at(i int) []byte {
	from := uint32(0)
	if i > 0 {
		from = l.list[i-1].end
	}
	return l.bytes[from:l.list[i].end]
}

// eagerPatterns is the size up to which a set's patterns are compiled at once:
// a mistake shows at the start. Larger sets compile a pattern when it is first
// needed, which for most is never.
const eagerPatterns = 512

func compileRegexes(list *conf.Regexes) (*regexSet, error) {
	s := &regexSet{list: list}
	var texts gramTexts
	var plain []byte
	for i := range list.Len() {
		r, ok := list.At(i), false
		if plain, ok = appendPlain(plain[:0], r.Pattern); ok {
			texts.add(text(plain), uint32(i))
			continue
		}
		if err := s.engine(i, r); err != nil {
			return nil, fmt.Errorf("%s: regular expression '%s': %w", r.Pos, r.Pattern, err)
		}
	}
	for i := range s.literals.list {
		texts.add(text(s.literals.at(i)), uint32(list.Len()+i))
	}
	s.filter = newGramFilter(&texts)
	return s, nil
}

// engine takes in a pattern that is more than literal text.
func (s *regexSet) engine(i int, r conf.Regex) error {
	if s.compiled == nil {
		s.compiled = make([]atomic.Pointer[pattern], s.list.Len())
	}
	literals, err := ere.Literals(r.Pattern, r.ICase)
	if err != nil {
		return err
	}
	if s.list.Len() <= eagerPatterns {
		p, err := newPattern(r)
		if err != nil {
			return err
		}
		s.compiled[i].Store(p)
	}
	for _, l := range literals {
		if l == "" || !ascii(l) {
			literals = nil
			break
		}
	}
	if len(literals) == 0 {
		s.always = append(s.always, uint32(i))
	}
	for _, l := range literals {
		for at := range len(l) {
			s.literals.bytes = append(s.literals.bytes, http1.LowerByte(l[at]))
		}
		s.literals.list = append(s.literals.list, literal{uint32(len(s.literals.bytes)), uint32(i)})
	}
	return nil
}

// pattern gives a pattern that needs an engine.
func (s *regexSet) pattern(i uint32) *pattern {
	if p := s.compiled[i].Load(); p != nil {
		return p
	}
	p, _ := newPattern(s.list.At(int(i))) // one that fails matches nothing
	s.compiled[i].CompareAndSwap(nil, p)
	return p
}

// has reports whether any of the expressions matches somewhere in subject.
func (s *regexSet) has(subject string) bool {
	run := newRun(subject)
	defer run.free()
	for _, i := range s.always {
		if s.pattern(i).match(run) {
			return true
		}
	}
	return s.filter.find(subject, func(number uint32, at int) bool {
		literal := int(number) - s.list.Len()
		if literal < 0 {
			return plainAt(s.list.At(int(number)), subject, at)
		}
		i := s.literals.list[literal].pattern
		return foldedAt(subject, at, s.literals.at(literal)) && run.first(i) && s.pattern(i).match(run)
	})
}

// foldedAt reports whether a text in lower case stands at that place of subject,
// whatever the case there.
func foldedAt(subject string, at int, text []byte) bool {
	if at+len(text) > len(subject) {
		return false
	}
	for i, c := range text {
		if http1.LowerByte(subject[at+i]) != c {
			return false
		}
	}
	return true
}
