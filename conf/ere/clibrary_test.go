package ere

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// cLibrary asks this machine's regcomp and regexec, which is what bash does for =~:
// "E" for a pattern that is refused, "1" for a match, "0" for none. The answers to all
// questions come from one process. A NUL, or a newline, cannot be asked about.
func cLibrary(t *testing.T, questions []question) []string {
	t.Helper()
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip(err)
	}
	var script strings.Builder
	script.WriteString("LC_ALL=C\n")
	for _, q := range questions {
		option := "-u"
		if q.icase {
			option = "-s"
		}
		fmt.Fprintf(&script, "shopt %s nocasematch; p=%s; [[ %s =~ $p ]]; echo $?\n", option, quoted(q.pattern), quoted(q.subject))
	}
	cmd := exec.Command("bash")
	cmd.Stdin = strings.NewReader(script.String())
	out, err := cmd.Output()
	answers := strings.Fields(string(out))
	if len(answers) != len(questions) {
		t.Fatalf("%d answers to %d questions: %v", len(answers), len(questions), err)
	}
	for i, a := range answers {
		answers[i] = map[string]string{"0": "1", "1": "0", "2": "E"}[a]
	}
	return answers
}

// quoted writes any bytes as a word of bash.
func quoted(s string) string {
	var b strings.Builder
	b.WriteString("$'")
	for i := range len(s) {
		fmt.Fprintf(&b, `\x%02x`, s[i])
	}
	b.WriteString("'")
	return b.String()
}

type question struct {
	pattern, subject string
	icase            bool
}

// onlyBash finds anchors in a group that is repeated by number: bash asks for the places
// of groups as well, 2.6 does not, and the library then takes (^a){0,2} for (^a){1,2}. So
// it does with (){0,2}\1.
var onlyBash = regexp.MustCompile(`[$^\\].*\)\{|\)\{.*\\1`)

// ask is for patterns made of the pieces where operators meet, and subjects of what
// they may match.
var ask = rapid.Custom(func(t *rapid.T) question {
	pieces := []string{"a", "b", "C", ".", `\.`, "[a-c]", "[^b]", "[]a]", "[[:alpha:]]", "[[:upper:]]", "[[.a.]]", "[[=b=]]", "[--a]", "[a-]", "[%--]", `[\w]`,
		"(", ")", "()", "|", "*", "+", "?", "{2}", "{0,1}", "{1,}", "{,2}", "{0}", "{", "}", "{2,1}", "{a", "^", "$", `\<`, `\>`, `\b`, `\B`, `\w`, `\W`, `\s`, `\S`,
		"\\`", `\'`, `\(`, `\)`, `\{`, `\d`, `\1`, `(a)\1`, `(b|c)\1`, "(a|b)", "(^a|b$)", "\xe9", "[\xe0-\xff]", "_", "-", "1", " ", "[", "]", "[a", "[z-a]", "[[:x:]]", "[[:digit:]-z]"}
	return question{
		pattern: strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces), 1, 6).Draw(t, "pattern"), ""),
		subject: strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c", "A", "B", "C", "_", "-", ".", "1", " ", "\xe9", "(", "\\", "{", "]", "d"}), 0, 6).Draw(t, "subject"), ""),
		icase:   rapid.Bool().Draw(t, "icase"),
	}
})

// TestAgainstCLibrary: for patterns nobody recorded, the C library of this machine
// refuses what we refuse and matches what we match.
func TestAgainstCLibrary(t *testing.T) {
	control := []question{{"a{2,1}", "", false}, {"a.c", "xabcx", false}, {"^B", "abc", true}, {`\<a`, "ba", false}, {"[[:upper:]]b", "ab", true}}
	if got := strings.Join(cLibrary(t, control), ""); got != "E1001" {
		t.Skipf("this bash does not ask the C library the recordings are of: %s", got)
	}
	rapid.Check(t, func(rt *rapid.T) {
		questions := slices.DeleteFunc(rapid.SliceOfN(ask, 15, 15).Draw(rt, "questions"), func(q question) bool { return onlyBash.MatchString(q.pattern) })
		for i, want := range cLibrary(t, questions) {
			q := questions[i]
			got, _ := verdict(t, q.pattern, q.icase, q.subject)
			if got[:1] != want {
				rt.Errorf("%q (ignoring case: %v) on %q: %s, the C library says %s", q.pattern, q.icase, q.subject, got, want)
			}
		}
	})
}
