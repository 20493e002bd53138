package conf

import (
	"fmt"
	"strings"
)

// lintRefresh finds refresh_pattern lines an earlier one takes everything from.
func (b *builder) lintRefresh() {
	list := b.cfg.RefreshPatterns
	for i, p := range list {
		if i >= maxLintRules {
			return
		}
		for _, before := range list[:i] {
			if before.Regex.takes(p.Regex) {
				b.finding(p.Pos, len("refresh_pattern"), "refresh-shadowed",
					fmt.Sprintf("this pattern is never reached: %q in line %d matches all it does", before.Regex.Pattern, before.Pos.Line), "")
				break
			}
		}
	}
}

// takes tells, as far as can be told from the text, whether re matches whatever
// other matches.
func (re Regex) takes(other Regex) bool {
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
	mine, anchored, plain := plainText(re.Pattern)
	theirs, otherAnchored, otherPlain := plainText(other.Pattern)
	if !plain || !otherPlain || anchored && !otherAnchored {
		return false
	}
	if re.ICase {
		mine, theirs = lowerASCII(mine), lowerASCII(theirs)
	}
	if anchored {
		return strings.HasPrefix(theirs, mine)
	}
	return strings.Contains(theirs, mine)
}

// plainText is the text a pattern without operators stands for; anchored tells
// whether it begins with ^.
func plainText(p string) (s string, anchored, ok bool) {
	p, anchored = strings.CutPrefix(p, "^")
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		if p[i] == '\\' && i+1 < len(p) && strings.IndexByte(".?*+/-$", p[i+1]) >= 0 {
			i++
		} else if strings.IndexByte(`.[]()*+?{}|^$\`, p[i]) >= 0 {
			return "", false, false
		}
		b.WriteByte(p[i])
	}
	return b.String(), anchored, true
}
