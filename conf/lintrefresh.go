package conf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cuttle-proxy/cuttle/conf/ere"
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
	texts []ere.Text
}

func spell(re Regex) spelledRegex {
	texts, _ := ere.Texts(re.Pattern, re.ICase)
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
		if !slices.ContainsFunc(re.texts, func(m ere.Text) bool { return textTakes(m, t, re.ICase) }) {
			return false
		}
	}
	return true
}

// textTakes reports whether every subject that other fits is one that m fits.
func textTakes(m, other ere.Text, icase bool) bool {
	mine, theirs := m.Text, other.Text
	if icase {
		mine, theirs = lowerASCII(mine), lowerASCII(theirs)
	}
	switch {
	case m.Start && !other.Start, m.End && !other.End:
		return false
	case m.Start && m.End:
		return mine == theirs
	case m.Start:
		return strings.HasPrefix(theirs, mine)
	case m.End:
		return strings.HasSuffix(theirs, mine)
	}
	return strings.Contains(theirs, mine)
}
