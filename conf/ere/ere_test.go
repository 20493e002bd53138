package ere

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// verdict gives "E" and the refusal, "1" for a match or "0" for none, after
// checking that all ways of asking agree.
func verdict(t testing.TB, pattern string, icase bool, subject string) (v string, needsMatcher bool) {
	t.Helper()
	tr, err := Translate(pattern, icase)
	m, merr := NewMatcher(pattern, icase)
	if (err == nil) != (merr == nil) {
		t.Fatalf("%q: Translate says %v, NewMatcher %v", pattern, err, merr)
	}
	if err != nil {
		return "E" + err.Error(), false
	}
	matched := m.Match(subject)
	if !tr.NeedsMatcher {
		re, err := regexp.Compile(tr.Go)
		if err != nil {
			t.Fatalf("%q became %q: %v", pattern, tr.Go, err)
		}
		if got := re.MatchString(latin1(subject)); got != matched {
			t.Errorf("%q (%v) on %q: %q says %v, the matcher %v", pattern, icase, subject, tr.Go, got, matched)
		}
		if tr.ASCIIOnly && re.MatchString(subject) != matched {
			t.Errorf("%q (%v) on %q: raw bytes give another answer", pattern, icase, subject)
		}
	}
	if texts, err := Literals(pattern, icase); err != nil || matched && len(texts) > 0 && !containsAny(subject, texts, icase) {
		t.Errorf("%q (%v) matches %q without any of %q; %v", pattern, icase, subject, texts, err)
	}
	if matched {
		return "1", tr.NeedsMatcher
	}
	return "0", tr.NeedsMatcher
}

func latin1(s string) string {
	var b []byte
	for i := range len(s) {
		b = utf8.AppendRune(b, rune(s[i]))
	}
	return string(b)
}

func containsAny(subject string, literals []string, icase bool) bool {
	if icase {
		subject = strings.ToLower(subject)
	}
	for _, l := range literals {
		if strings.Contains(subject, l) {
			return true
		}
	}
	return false
}

// The C library's own answers, recorded: verdict, flags (i for ignoring case),
// pattern, subject. testdata/README says how.
func TestRecorded(t *testing.T) {
	data, err := os.ReadFile("testdata/glibc.tsv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	for _, line := range lines {
		f := strings.Split(line, "\t")
		if len(f) != 4 {
			t.Fatalf("%q", line)
		}
		if got, _ := verdict(t, f[2], f[1] == "i", f[3]); got != f[0] {
			t.Errorf("%q (%s) on %q: %s, recorded %s", f[2], f[1], f[3], got, f[0])
		}
	}
	if len(lines) < 1500 {
		t.Errorf("only %d lines", len(lines))
	}
}

func TestLiterals(t *testing.T) {
	for _, c := range []struct {
		pattern string
		icase   bool
		want    string
	}{
		{`abc`, false, "abc"}, {`ABC`, true, "abc"}, {`\.(exe|zip)$`, false, "exe zip"}, {`foo.*barbaz`, false, "barbaz"},
		{`(a|)`, false, ""}, {`a?`, false, ""}, {`(ab)+c`, false, "ab"}, {`(ab){0,3}`, false, ""}, {`[ab]`, false, ""},
		{`^http://[^/]*\.doubleclick\.net`, true, ".doubleclick.net"}, {"caf\xe9s", false, "caf"}, {`.*`, false, ""},
	} {
		texts, err := Literals(c.pattern, c.icase)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(texts, " "); got != c.want {
			t.Errorf("%q: %q, want %q", c.pattern, got, c.want)
		}
	}
}

func TestTranslation(t *testing.T) {
	for _, c := range []struct {
		pattern      string
		icase        bool
		want         string
		ascii, needs bool
	}{
		{`a.b`, false, `a[\x{1}-\x{ff}]b`, false, false},
		{`a.b`, true, `[Aa][\x{1}-\x{ff}][Bb]`, false, false},
		{`\<foo\>`, false, `\bfoo\b`, true, false},
		{`\<.`, false, "", false, true},
		{`(a)\1`, false, "", false, true},
		{`a{2000}`, false, "", false, true}, // beyond what Go repeats
		{`\.`, false, `\.`, true, false},
		{"\xe9", false, `[\x{e9}]`, false, false},
	} {
		tr, err := Translate(c.pattern, c.icase)
		if err != nil {
			t.Fatal(err)
		}
		if tr.Go != c.want || tr.ASCIIOnly != c.ascii || tr.NeedsMatcher != c.needs {
			t.Errorf("%q: %+v", c.pattern, tr)
		}
	}
}

// Whatever comes is refused or matched, in bounded time.
func FuzzTranslate(f *testing.F) {
	f.Add(`^(a|b)*\.[[:alpha:]]{2,}$`, "abc.test", true)
	f.Add(`\<(x)\1\>`, "xx", false)
	f.Add(strings.Repeat("(", 600), "", false)
	f.Add(`((a{100}){100}){100}`, "aaaa", false)
	f.Fuzz(func(t *testing.T, pattern, subject string, icase bool) {
		if len(pattern) > 100 || len(subject) > 100 || strings.Contains(pattern+subject, "\x00") {
			return
		}
		verdict(t, pattern, icase, subject)
	})
}

// TestRefusals: each refusal is in the library's words and points at the byte to blame.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		pattern, message string
		offset           int
	}{
		{`a\`, "Trailing backslash", 1},
		{`(a)\2`, "Invalid back reference", 4},
		{`(a\1)`, "Invalid back reference", 4},
		{`(a)|\1`, "Invalid back reference", 5},
		{`[`, "Invalid regular expression", 0},
		{`[^`, "Invalid regular expression", 1},
		{`[a`, "Unmatched [, [^, [:, [., or [=", 1},
		{`[[:alpha:`, "Unmatched [, [^, [:, [., or [=", 3},
		{`[[:alfa:]]`, "Invalid character class name", 9},
		{`[[.ab.]]`, "Invalid collation character", 7},
		{`[b-a]`, "Invalid range end", 4},
		{`[a-[:digit:]]`, "Invalid range end", 12},
		{`(a`, `Unmatched ( or \(`, 1},
		{`*a`, "Invalid preceding regular expression", 0},
		{`a|*b`, "Invalid preceding regular expression", 2},
		{`^*`, "Invalid preceding regular expression", 1},
		{`a{1`, `Unmatched \{`, 2},
		{`a{1a}`, `Invalid content of \{\}`, 4},
		{`a{2,1}`, `Invalid content of \{\}`, 5},
		{`a{32768}`, "Regular expression too big", 7},
		{strings.Repeat("(", 501), "Regular expression too big", 500},
	} {
		err := Check(c.pattern, false)
		var e *Error
		if !errors.As(err, &e) || e.Message != c.message || e.Offset != c.offset {
			t.Errorf("%.20q: %+v, want %q at %d", c.pattern, err, c.message, c.offset)
		}
	}
	for _, accepted := range []string{"", ")", "a)", "]", "}", "a{32767}", "()", "a||b", "[]]", "[^]]", "[a-]", `\{`, `(a)\1`, "x{0}"} {
		if err := Check(accepted, false); err != nil {
			t.Errorf("%q: %v", accepted, err)
		}
	}
}

// TestMatchIsBounded: what takes exponential time to try out is given up, as no match.
func TestMatchIsBounded(t *testing.T) {
	for _, pattern := range []string{`(a|aa)*\1\1b`, `((a*)*)*\2b`, `(a?){30}a{30}\1b`, `(.*)(.*)(.*)(.*)(.*)\1\2\3\4\5b`} {
		m, err := NewMatcher(pattern, false)
		if err != nil {
			t.Fatal(err)
		}
		if m.Match(strings.Repeat("a", 200)) {
			t.Errorf("%s matches a text without b", pattern)
		}
	}
}

// TestLiteralsAreBounded: neither one long text nor many alternatives make a filter
// that costs more than the pattern.
func TestLiteralsAreBounded(t *testing.T) {
	long, err := Literals(strings.Repeat("x", 1000), false)
	if err != nil || len(long) != 1 || len(long[0]) != maxLiteralLen {
		t.Errorf("%d literals, %v", len(long), err)
	}
	words := make([]string, maxLiterals+1)
	for i := range words {
		words[i] = fmt.Sprintf("word%d", i)
	}
	for n, want := range map[int]int{maxLiterals: maxLiterals, maxLiterals + 1: 0} {
		if many, err := Literals(strings.Join(words[:n], "|"), false); err != nil || len(many) != want {
			t.Errorf("%d alternatives: %d literals, %v", n, len(many), err)
		}
	}
}

// TestTexts: a pattern that stands for few texts is spelled out.
func TestTexts(t *testing.T) {
	for _, c := range []struct {
		pattern string
		icase   bool
		want    []Text
	}{
		{"^(a|Bc)\\.$", false, []Text{{"a.", true, true}, {"Bc.", true, true}}},
		{"A[bB]", true, []Text{{"ab", false, false}}},
		{"", false, []Text{{}}},
		{"x(|y)$", false, []Text{{"x", false, true}, {"xy", false, true}}},
		{"a^b", false, nil}, {"a$b", false, nil}, {"a.", false, nil}, {"a*", false, nil}, {"[ab]", false, nil}, {"(a", false, nil}, {`\<a`, false, nil},
		{strings.Repeat("(a|b)", 9), false, nil},
	} {
		if got, ok := Texts(c.pattern, c.icase); ok != (c.want != nil) || !slices.Equal(got, c.want) {
			t.Errorf("%q: %v, %v, want %v", c.pattern, got, ok, c.want)
		}
	}
}
