package http1

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestQuoted(t *testing.T) {
	for text, want := range map[string]struct {
		value, rest string
		closed      bool
	}{
		`"a b", c`: {"a b", ", c", true}, `""`: {"", "", true}, `"a\"b\\" x`: {`a"b\`, " x", true}, `"a`: {"a", "", false}, `"a\`: {`a\`, "", false},
	} {
		if value, rest, closed := Quoted(text); value != want.value || rest != want.rest || closed != want.closed {
			t.Errorf("%s: %q, %q, %v", text, value, rest, closed)
		}
	}
}

// What is quoted is read as it was.
func TestQuotedGivesBack(t *testing.T) {
	escape := strings.NewReplacer(`"`, `\"`, `\`, `\\`)
	rapid.Check(t, func(t *rapid.T) {
		text, behind := rapid.String().Draw(t, "text"), rapid.String().Draw(t, "behind")
		if value, rest, closed := Quoted([]byte(`"` + escape.Replace(text) + `"` + behind)); value != text || string(rest) != behind || !closed {
			t.Fatalf("%q, %q, %v", value, rest, closed)
		}
	})
}
