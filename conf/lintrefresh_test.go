package conf

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/cuttle-proxy/cuttle/conf/ere"
)

// TestShadowingIsSound: when one pattern is said to take all that another does,
// no subject fits the other alone.
func TestShadowingIsSound(t *testing.T) {
	piece := rapid.SampledFrom([]string{"a", "b", "A", `\.`, "(a|b)", "(ab|b\\.|)", "(a(b|c)|c)", "^", "$", "|", ".", "a*", "^(a|b)", "(a|b)$"})
	pattern := rapid.Custom(func(t *rapid.T) Regex {
		text := ""
		for _, p := range rapid.SliceOfN(piece, 1, 4).Draw(t, "pieces") {
			text += p
		}
		return Regex{Pattern: text, ICase: rapid.Bool().Draw(t, "icase")}
	})
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		first, second := pattern.Draw(t, "first"), pattern.Draw(t, "second")
		if ere.Check(first.Pattern, first.ICase) != nil || ere.Check(second.Pattern, second.ICase) != nil || !spell(first).takes(spell(second)) {
			return
		}
		taken++
		a, err := ere.NewMatcher(first.Pattern, first.ICase)
		if err != nil {
			t.Fatal(err)
		}
		b, err := ere.NewMatcher(second.Pattern, second.ICase)
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			s := rapid.StringMatching(`[abcA.]{1,5}`).Draw(t, "subject")
			if b.Match(s) && !a.Match(s) {
				t.Fatalf("%+v is said to take all of %+v, but not %q", first, second, s)
			}
		}
	})
	if taken == 0 {
		t.Error("no pair was said to shadow")
	}
}
