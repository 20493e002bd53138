package ere

import "strings"

// scanner reads a pattern without making a tree of it, as far as it consists of
// ordinary bytes, dots, anchors, groups and branches, repeated by one sign. Nearly all
// patterns of a long list do.
type scanner struct {
	pattern string
	at      int
	depth   int
	atom    bool // something stands in front that can be repeated
}

// sign is what a scanner meets.
type sign uint8

const (
	ordinary  sign = iota // a byte that stands for itself
	dot                   // any byte
	atStart               // ^
	atEnd                 // $
	opening               // (
	closing               // )
	branching             // |
	repeating             // * + ?
	quoting               // a backslash; next gives what it quotes
	finished              // the end of the pattern
	hard                  // something for the parser, which may refuse it
)

// signs tells what a byte is where no backslash quotes it.
var signs = func() (table [256]sign) {
	for c, what := range map[byte]sign{'.': dot, '^': atStart, '$': atEnd, '(': opening, ')': closing, '|': branching,
		'*': repeating, '+': repeating, '?': repeating, '[': hard, '{': hard, '\\': quoting} {
		table[c] = what
	}
	return table
}()

// stretch reads the bytes up to the next sign that are not more than bytes.
func (s *scanner) stretch() string {
	from := s.at
	for s.at < len(s.pattern) && signs[s.pattern[s.at]] == ordinary {
		s.at++
	}
	s.atom = s.atom || s.at > from
	return s.pattern[from:s.at]
}

// next reads one sign; c is the byte of an ordinary one.
func (s *scanner) next() (what sign, c byte) {
	if s.at == len(s.pattern) {
		if s.depth > 0 {
			return hard, 0
		}
		return finished, 0
	}
	c = s.pattern[s.at]
	s.at++
	before := s.atom
	s.atom = false
	switch what = signs[c]; what {
	case quoting:
		if s.at == len(s.pattern) || !quotable(s.pattern[s.at]) {
			return hard, c
		}
		c = s.pattern[s.at]
		s.at++
		what, s.atom = ordinary, true
	case opening:
		if s.depth++; s.depth > maxDepth/2 {
			return hard, c
		}
	case closing:
		if s.depth--; s.depth < 0 {
			return hard, c
		}
		s.atom = true
	case repeating:
		if !before {
			return hard, c
		}
		s.atom = true
	case dot, ordinary:
		s.atom = true
	}
	return what, c
}

// quotable reports whether a backslash in front of c surely does no more than quote
// it: letters, digits and some signs are operators there.
func quotable(c byte) bool {
	return c > ' ' && c < 0x80 && !letter(c) && !digit(c) && strings.IndexByte("<>`'", c) < 0
}

// vanishes reports whether what stands in front can be absent by the signs of
// repetition that follow.
func (s *scanner) vanishes() bool {
	rest := strings.TrimLeft(s.pattern[s.at:], "+")
	return rest != "" && (rest[0] == '*' || rest[0] == '?')
}

// plainlyRight reports whether the C library surely accepts a pattern.
func plainlyRight(pattern string) bool {
	s := scanner{pattern: pattern}
	for {
		s.stretch()
		switch what, _ := s.next(); what {
		case finished:
			return true
		case hard:
			return false
		}
	}
}

// AppendLiteral appends the longest run of bytes that every match of a pattern
// contains, up to a bound, where that can be told without making a tree; nothing
// elsewhere. whole: the pattern is nothing but one text and anchors at its ends, and
// what was appended is how it begins; WholeAt says where such a one matches.
func AppendLiteral(dst []byte, pattern string) (literal []byte, whole bool) {
	var space [2 * maxLiteralLen]byte
	best, run := space[:0:maxLiteralLen], space[maxLiteralLen:maxLiteralLen]
	whole = true
	for s := (scanner{pattern: pattern}); ; {
		if text := s.stretch(); s.depth == 0 && text != "" {
			vanishes := s.vanishes()
			if vanishes {
				text = text[:len(text)-1]
			}
			run = append(run, text[:min(len(text), maxLiteralLen-len(run))]...)
			if vanishes {
				best, run = longer(best, run)
			}
		}
		what, c := s.next()
		switch {
		case what == hard, what == branching && s.depth == 0:
			return dst, false
		case what == ordinary && s.depth == 0 && !s.vanishes():
			if len(run) < maxLiteralLen {
				run = append(run, c)
			}
			continue
		case what == finished, what == atStart && s.at == 1, what == atEnd && s.at == len(pattern):
		default:
			whole = false
		}
		if best, run = longer(best, run); what == finished {
			return append(dst, best...), whole && len(best) > 0
		}
	}
}

// longer gives the longer of two runs, in the place of best, and an empty one.
func longer(best, run []byte) (longest, empty []byte) {
	if len(run) > len(best) {
		best = append(best[:0], run...)
	}
	return best, run[:0]
}

// WholeAt reports whether a pattern that AppendLiteral called whole matches at that
// place of subject.
func WholeAt(pattern string, icase bool, subject string, at int) bool {
	for s := (scanner{pattern: pattern}); ; {
		switch what, c := s.next(); what {
		case finished:
			return true
		case atStart:
			if at != 0 {
				return false
			}
		case atEnd:
			if at != len(subject) {
				return false
			}
		default:
			if at == len(subject) || subject[at] != c && (!icase || upper(subject[at]) != upper(c)) {
				return false
			}
			at++
		}
	}
}
