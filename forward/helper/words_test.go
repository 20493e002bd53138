package helper

import (
	"bytes"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func TestQuoting(t *testing.T) {
	for _, c := range []struct{ text, escaped, shell string }{
		{"plain", "plain", "plain"},
		{"a b", "a%20b", `"a b"`},
		{`a"b`, "a%22b", `a\"b`},
		{`a\b`, "a%5Cb", `a\\b`},
		{`a "b\`, "a%20%22b%5C", `"a \"b\\"`},
		{"a'b", "a%27b", "a'b"},
		{"100%", "100%25", "100%"},
		{"%41", "%2541", "%41"},
		{"a\tb", "a%09b", "a\tb"},
		{"a\r\nb", "a%0D%0Ab", `a\r\nb`},
		{"é", "%C3%A9", "é"},
		{"p:w!?$&()*+,-./;=@_", "p:w!?$&()*+,-./;=@_", "p:w!?$&()*+,-./;=@_"},
		{"", "", ""},
	} {
		if got := string(AppendEscaped(nil, c.text)); got != c.escaped {
			t.Errorf("%q: %q, want %q", c.text, got, c.escaped)
		}
		if got := string(AppendShellQuoted(nil, c.text)); got != c.shell {
			t.Errorf("%q: %q, want %q", c.text, got, c.shell)
		}
		if got := Unescape(c.escaped); got != c.text {
			t.Errorf("%q: %q, want %q", c.escaped, got, c.text)
		}
	}
	for text, want := range map[string]string{"%": "%", "%4": "%4", "%zz": "%zz", "%4z%41": "%4zA", "%%41": "%A"} {
		if got := Unescape(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestPairs(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                nil,
		"user=bob":                        {"user", "bob"},
		"user=bob  log=x\tmessage=":       {"user", "bob", "log", "x", "message", ""},
		`message="a b \"c\" \\" user=x`:   {"message", `a b "c" \`, "user", "x"},
		`message="open end`:               {"message", "open end"},
		`message="a"user=b`:               {"message", "auser=b"},
		`user=a\"b log=x`:                 {"user", `a"b`, "log", "x"},
		`user=a\ b log=a"b c"d`:           {"user", "a b", "log", "ab cd"},
		`user=\`:                          {"user", `\`},
		`word user=a=b`:                   {"", "word", "user", "a=b"},
		`=x "quoted words" y`:             {"", "=x", "", "quoted words", "", "y"},
		`rewrite-url="http://x/" status=`: {"rewrite-url", "http://x/", "status", ""},
	} {
		var got []string
		for k, v := range Pairs(text) {
			got = append(got, k, v)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for line, want := range map[string][2]string{"OK": {"OK", ""}, "OK  a b": {"OK", "a b"}, "": {}, " x": {"", "x"}, "TT\tx": {"TT", "x"}} {
		if word, rest := Word(line); word != want[0] || rest != want[1] {
			t.Errorf("%q: %q, %q", line, word, rest)
		}
	}
}

// Every quoting makes one line of any text, the escapes one word, and what was meant
// can be had back.
func FuzzQuoting(f *testing.F) {
	for _, s := range []string{"", "a b", `"\`, "%41%", "\r\n\x00", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		escaped := string(AppendEscaped(nil, text))
		if strings.ContainsAny(escaped, " \t\r\n\x00\"") || Unescape(escaped) != text {
			t.Errorf("%q becomes %q and then %q", text, escaped, Unescape(escaped))
		}
		if other, err := url.PathUnescape(escaped); err != nil || other != text {
			t.Errorf("net/url reads %q as %q, %v", escaped, other, err)
		}
		if quoted := AppendShellQuoted(nil, text); bytes.ContainsAny(quoted, "\r\n") {
			t.Errorf("%q becomes %q", text, quoted)
		}
	})
}

// Whatever a helper says can be taken apart, and no part is longer than the whole.
func FuzzPairs(f *testing.F) {
	for _, s := range []string{"user=bob log=x", `message="a \"b" c`, `="`, `a="\`, "OK\tx=y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		total := 0
		for k, v := range Pairs(text) {
			total += len(k) + len(v)
			if strings.ContainsAny(k, " \t=") {
				t.Errorf("key %q in %q", k, text)
			}
		}
		if total > len(text) {
			t.Errorf("%d bytes of %d", total, len(text))
		}
		Word(text)
	})
}
