package acl

import (
	"fmt"
	"sync/atomic"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/conf/ere"
	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// regexSet is the regular expressions of one ACL. Most of them cannot match
// without some literal text being there, so one pass over the subject finds
// the few worth running; those without such a text are run always. Patterns that are
// nothing but literal text, as most of a long list are, need no engine. What is kept
// beside the list is numbers: the text a pattern is found by is read from it again.
type regexSet struct {
	list *conf.Regexes
	// wholes has a bit for each pattern that is nothing but literal text.
	wholes []uint64
	always []standing
	// compiled has the patterns that were run, by number; all of a short list.
	compiled *lru.Cache[uint32, *pattern]
	// filter knows the text of a pattern by the pattern's number, and those that only a
	// tree of the pattern tells by theirs in literals behind all patterns.
	filter   gramFilter
	literals literalList
}

// standing is a pattern that needs no literal, with its engine once that was needed.
type standing struct {
	number uint32
	engine atomic.Pointer[pattern]
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

// maxEngines bounds the engines of one set, of some KB each: who knows a public list
// could have all of it compiled.
const maxEngines = 1024

// goodLiteral is the length from which a literal is long enough to look no further.
const goodLiteral = 4

func compileRegexes(list *conf.Regexes) (*regexSet, error) {
	s := &regexSet{list: list, wholes: make([]uint64, (list.Len()+63)/64)}
	s.compiled, _ = lru.New[uint32, *pattern](maxEngines) // fails for sizes below 1
	var texts gramTexts
	var space [64]byte
	for i := range list.Len() {
		r := list.At(i)
		found, whole := ere.AppendLiteral(space[:0], r.Pattern)
		if whole {
			s.wholes[i/64] |= 1 << (i % 64)
		} else if err := s.engine(i, r, len(found) < goodLiteral); err != nil {
			return nil, fmt.Errorf("%s: regular expression '%s': %w", r.Pos, r.Pattern, err)
		}
		if whole || len(found) >= goodLiteral {
			texts.add(text(found), uint32(i))
		}
	}
	for i := range s.literals.list {
		texts.add(text(s.literals.at(i)), uint32(list.Len()+i))
	}
	s.filter = newGramFilter(&texts)
	return s, nil
}

// engine takes in a pattern that is more than literal text; look for its literals
// where none is known.
func (s *regexSet) engine(i int, r conf.Regex, look bool) error {
	if s.list.Len() <= eagerPatterns {
		p, err := newPattern(r)
		if err != nil {
			return err
		}
		s.compiled.Add(uint32(i), p)
	}
	if !look {
		return nil
	}
	literals, err := ere.Literals(r.Pattern, r.ICase)
	if err != nil {
		return err
	}
	for _, l := range literals {
		if l == "" || !ascii(l) {
			literals = nil
			break
		}
	}
	if len(literals) == 0 {
		s.always = append(s.always, standing{number: uint32(i)})
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
	p, ok := s.compiled.Get(i)
	if !ok {
		p, _ = newPattern(s.list.At(int(i))) // one that fails matches nothing
		s.compiled.Add(i, p)
	}
	return p
}

// has reports whether any of the expressions matches somewhere in subject.
func (s *regexSet) has(subject string) bool {
	run := newRun(subject)
	defer run.free()
	for i := range s.always {
		if s.always[i].pattern(s.list).match(run) {
			return true
		}
	}
	return s.filter.find(subject, func(number uint32, at int) bool { return s.found(run, number, at) })
}

// pattern gives the engine.
func (a *standing) pattern(list *conf.Regexes) *pattern {
	p := a.engine.Load()
	if p == nil {
		p, _ = newPattern(list.At(int(a.number)))
		a.engine.Store(p)
	}
	return p
}

// found reports whether a pattern matches of whose text a window stands in the subject;
// the text would begin at that place.
func (s *regexSet) found(run *run, number uint32, at int) bool {
	i := number
	var space [64]byte
	var text []byte
	if n := int(number) - s.list.Len(); n >= 0 {
		i, text = s.literals.list[n].pattern, s.literals.at(n)
	} else {
		r := s.list.At(int(i))
		if s.wholes[i/64]&(1<<(i%64)) != 0 {
			return ere.WholeAt(r.Pattern, r.ICase, run.subject, at)
		}
		text, _ = ere.AppendLiteral(space[:0], r.Pattern)
	}
	return foldedAt(run.subject, at, text) && run.first(i) && s.pattern(i).match(run)
}

// foldedAt reports whether a text stands at that place of subject, whatever the case
// of its letters.
func foldedAt(subject string, at int, text []byte) bool {
	if at+len(text) > len(subject) {
		return false
	}
	for i, c := range text {
		if http1.LowerByte(subject[at+i]) != http1.LowerByte(c) {
			return false
		}
	}
	return true
}
