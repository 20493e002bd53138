package ere

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What is taken without making a tree is what the parser accepts, and it takes most of
// what is in lists.
func TestPlainlyRight(t *testing.T) {
	for _, pattern := range []string{"", "abc", `^http://([^/]+\.)?x\.com/`[:8], `^http://(www\.)?ads\.example\.com/`, `\.(gif|jpe?g)$`, "a*b+", "(a|)", "a||b"} {
		if !plainlyRight(pattern) {
			t.Errorf("%q needs no tree", pattern)
		}
	}
	piece := rapid.SampledFrom([]string{"a", ".", "^", "$", "(", ")", "|", "*", "+", "?", `\`, `\.`, "[", "]", "{", "}", "1", "\xe9", "<", "'", " "})
	rapid.Check(t, func(t *rapid.T) {
		pattern := ""
		for _, s := range rapid.SliceOfN(piece, 0, 8).Draw(t, "pieces") {
			pattern += s
		}
		if _, err := parse(pattern, rapid.Bool().Draw(t, "icase")); err != nil && plainlyRight(pattern) {
			t.Fatalf("%q: %v", pattern, err)
		}
	})
}

// Every match contains the literal that was found without a tree.
func TestPlainLiteral(t *testing.T) {
	for pattern, want := range map[string]string{
		`^http://(www\.)?ads\.example\.com/`: "ads.example.com/", `abc?def`: "def", `abcd*`: "abc", `abc+*x`: "ab", `abc+x`: "abc", `(abc|abd)`: "",
		`abc|x`: "", `a.bc`: "bc", `(ab`: "", `\.gif$`: ".gif",
	} {
		if got := plainLiteral(pattern, false); got != want {
			t.Errorf("%q: %q, want %q", pattern, got, want)
		}
	}
	piece := rapid.SampledFrom([]string{"a", "B", "b", ".", "(", ")", "|", "*", "+", "?", `\.`})
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		pattern := strings.Join(rapid.SliceOfN(piece, 1, 8).Draw(t, "pieces"), "")
		icase := rapid.Bool().Draw(t, "icase")
		literal := plainLiteral(pattern, icase)
		if literal == "" {
			return
		}
		m, err := NewMatcher(pattern, icase)
		if err != nil {
			t.Fatal(err)
		}
		subject := rapid.StringMatching(`[aAbB.]{0,10}`).Draw(t, "subject")
		if !m.Match(subject) {
			return
		}
		found++
		if icase {
			subject = strings.ToLower(subject)
		}
		if !strings.Contains(subject, literal) {
			t.Fatalf("%q matches %q, which has no %q", pattern, subject, literal)
		}
	})
	if found == 0 {
		t.Error("nothing ever matched")
	}
}
