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

// What is nothing but one text is told from what is more.
func TestAppendLiteral(t *testing.T) {
	for pattern, want := range map[string]string{
		"abc": "abc", "^abc": "abc", "abc$": "abc", "^a$": "a", `\.exe$`: ".exe", `a\\b`: `a\b`, `a\/b\-c`: "a/b-c", `\$`: "$",
		`\^`: "^", `a b`: "a b", `a]}`: "a]}", `\_`: "_", "caf\xc3\xa9$": "caf\xc3\xa9",
	} {
		if got, whole := AppendLiteral([]byte("x"), pattern); !whole || string(got) != "x"+want {
			t.Errorf("%q: %q, whole %v, want %q", pattern, got, whole, want)
		}
	}
	for pattern, want := range map[string]string{
		"": "", "^": "", "$": "", "^$": "", "a.b": "a", "[a]": "", "(a)": "", "a*": "", "a+": "a", "a?": "", "a{2}": "", "a|b": "", "a^bc": "bc", "a$b": "a",
		`\w`: "", `\<a`: "", `a\>`: "", `\1`: "", `a\`: "", "a)": "", `\d`: "", "\\`a": "", `a\'`: "",
		`^http://(www\.)?ads\.example\.com/`: "ads.example.com/", `abc?def`: "def", `abcd*`: "abc", `abc+*x`: "ab", `abc+x`: "abc", `(abc|abd)`: "",
		`abc|x`: "", `a.bc`: "bc", `(ab`: "", `^x\.gif$.`: "x.gif",
	} {
		if got, whole := AppendLiteral([]byte("x"), pattern); whole || string(got) != "x"+want {
			t.Errorf("%q: %q, whole %v, want %q", pattern, got, whole, want)
		}
	}
	long := strings.Repeat("ab", maxLiteralLen)
	if got, whole := AppendLiteral(nil, long); !whole || string(got) != long[:maxLiteralLen] {
		t.Errorf("a long text: %q, whole %v", got, whole)
	}
}

// No pattern is too odd for the scanner: it agrees with the tree, and reads within the
// pattern and the subject.
func FuzzPlain(f *testing.F) {
	f.Add(`^www\.(a|b)+c?$`, "www.abc", false)
	f.Add(`\`, "", true)
	f.Add(`a*)(`, "a", false)
	f.Fuzz(func(t *testing.T, pattern, subject string, icase bool) {
		if len(pattern) > 200 || strings.Contains(pattern, "\x00") {
			return
		}
		if _, err := parse(pattern, icase); err != nil && plainlyRight(pattern) {
			t.Errorf("%q is refused by the parser: %v", pattern, err)
		}
		literal, whole := AppendLiteral(nil, pattern)
		if len(literal) > maxLiteralLen {
			t.Errorf("%q has a literal of %d bytes", pattern, len(literal))
		}
		for at := range len(subject) + 1 {
			_ = whole && WholeAt(pattern, icase, subject, at)
		}
	})
}

// Every match contains the literal that was found without a tree, and what is called
// whole matches where WholeAt says so.
func TestLiteralOfMatches(t *testing.T) {
	piece := rapid.SampledFrom([]string{"a", "B", "b", "ab", ".", "(", ")", "|", "*", "+", "?", `\.`, "^", "$", "\xe9"})
	found, wholes := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		pattern := strings.Join(rapid.SliceOfN(piece, 1, 6).Draw(t, "pieces"), "")
		icase := rapid.Bool().Draw(t, "icase")
		literal, whole := AppendLiteral(nil, pattern)
		if len(literal) == 0 {
			return
		}
		m, err := NewMatcher(pattern, icase)
		if err != nil {
			t.Fatal(err)
		}
		subject := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "A", "b", "B", ".", "\xe9"}), 0, 10).Draw(t, "subject"), "")
		matches := m.Match(subject)
		if whole {
			wholes++
			somewhere := false
			for at := range len(subject) + 1 {
				somewhere = somewhere || WholeAt(pattern, icase, subject, at)
			}
			if somewhere != matches {
				t.Fatalf("%q (ignoring case: %v) on %q: %v at its places, %v by the tree", pattern, icase, subject, somewhere, matches)
			}
		}
		if !matches {
			return
		}
		found++
		text := string(literal)
		if icase {
			subject, text = strings.ToLower(subject), strings.ToLower(text)
		}
		if !strings.Contains(subject, text) {
			t.Fatalf("%q matches %q, which has no %q", pattern, subject, literal)
		}
	})
	if found == 0 || wholes == 0 {
		t.Errorf("%d matches and %d whole patterns say nothing", found, wholes)
	}
}
