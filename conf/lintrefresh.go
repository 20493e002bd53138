package conf

import (
	"fmt"
	"slices"
	"strings"
)

// lintRefresh finds refresh_pattern lines an earlier one takes everything from.
func (b *builder) lintRefresh() {
	list := b.cfg.RefreshPatterns
	list = list[:min(len(list), maxLintRules)]
	spelled := make([]spelledRegex, len(list))
	for i, p := range list {
		spelled[i] = spell(p.Regex)
		for k, before := range list[:i] {
			if spelled[k].takes(spelled[i]) {
				b.finding(p.Pos, len("refresh_pattern"), "refresh-shadowed",
					fmt.Sprintf("this pattern is never reached: %s in line %d matches all it does", quoted(before.Regex.Pattern), before.Pos.Line), "")
				break
			}
		}
	}
}

// spelledRegex is a pattern with the texts it stands for, nil when they cannot be told.
type spelledRegex struct {
	Regex
	texts []fixedText
}

func spell(re Regex) spelledRegex {
	texts, ok := fixedTexts(re.Pattern)
	if !ok {
		texts = nil
	}
	return spelledRegex{re, texts}
}

// takes tells, as far as can be told from the text, whether re matches whatever
// other matches.
func (re spelledRegex) takes(other spelledRegex) bool {
	switch re.Pattern {
	case ".", ".*", "^", "", "^.", "^.*", "^.*$", ".*$", "..*", ".+":
		return true
	}
	if !re.ICase && other.ICase {
		return false
	}
	if re.Pattern == other.Pattern {
		return true
	}
	if re.texts == nil || other.texts == nil {
		return false
	}
	for _, t := range other.texts {
		if !slices.ContainsFunc(re.texts, func(m fixedText) bool { return m.takes(t, re.ICase) }) {
			return false
		}
	}
	return true
}

// fixedText is one text a pattern without repetitions stands for; start and end
// tell whether it has to stand there.
type fixedText struct {
	text       string
	start, end bool
}

// takes reports whether every subject that other fits is one that m fits.
func (m fixedText) takes(other fixedText, icase bool) bool {
	mine, theirs := m.text, other.text
	if icase {
		mine, theirs = lowerASCII(mine), lowerASCII(theirs)
	}
	switch {
	case m.start && !other.start, m.end && !other.end:
		return false
	case m.start && m.end:
		return mine == theirs
	case m.start:
		return strings.HasPrefix(theirs, mine)
	case m.end:
		return strings.HasSuffix(theirs, mine)
	}
	return strings.Contains(theirs, mine)
}

// maxFixedTexts bounds what the alternatives of one pattern multiply to.
const maxFixedTexts = 256

// fixedTexts spells out the alternatives of a pattern; ok is false when it has
// operators that stand for more than a few texts.
func fixedTexts(pattern string) (list []fixedText, ok bool) {
	s := speller{rest: pattern}
	list, ok = s.alternatives(0)
	return list, ok && s.rest == ""
}

// speller walks along a pattern.
type speller struct{ rest string }

func (s *speller) alternatives(depth int) ([]fixedText, bool) {
	var list []fixedText
	for {
		branch, ok := s.branch(depth)
		if list = append(list, branch...); !ok || len(list) > maxFixedTexts {
			return nil, false
		}
		if !strings.HasPrefix(s.rest, "|") {
			return list, true
		}
		s.rest = s.rest[1:]
	}
}

func (s *speller) branch(depth int) ([]fixedText, bool) {
	list := []fixedText{{}}
	for s.rest != "" && s.rest[0] != '|' && s.rest[0] != ')' {
		next := []fixedText{{}}
		c := s.rest[0]
		s.rest = s.rest[1:]
		switch {
		case c == '(' && depth < 8:
			inner, ok := s.alternatives(depth + 1)
			if !ok || !strings.HasPrefix(s.rest, ")") {
				return nil, false
			}
			next, s.rest = inner, s.rest[1:]
		case c == '^':
			next[0].start = true
		case c == '$':
			next[0].end = true
		case c == '\\' && s.rest != "" && strings.IndexByte(`.?*+/-$|()[]{}^\`, s.rest[0]) >= 0:
			next[0].text, s.rest = s.rest[:1], s.rest[1:]
		case strings.IndexByte(`.[()*+?{\`, c) >= 0:
			return nil, false
		default:
			next[0].text = string(c)
		}
		if s.rest != "" && strings.IndexByte("*+?{", s.rest[0]) >= 0 {
			return nil, false
		}
		var ok bool
		if list, ok = joined(list, next); !ok {
			return nil, false
		}
	}
	return list, true
}

// joined puts each of next behind each of list.
func joined(list, next []fixedText) ([]fixedText, bool) {
	if len(list)*len(next) > maxFixedTexts {
		return nil, false
	}
	var all []fixedText
	for _, a := range list {
		for _, b := range next {
			if a.end || b.start && a.text != "" {
				return nil, false // such a text fits nothing
			}
			all = append(all, fixedText{a.text + b.text, a.start || b.start, b.end})
		}
	}
	return all, true
}
