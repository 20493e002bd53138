package parser

import (
	"fmt"
	"strings"
	"testing"
)

func TestFlaws(t *testing.T) {
	long := strings.Repeat("x", PieceSize)
	for _, c := range []struct{ name, in, want string }{
		{"none", "a b\n# c\n\nd \\\n e", ""},
		{"CR LF is told once and counted", "a\nb\r\n\r\n# c\r\n", "CRLF 2:2 3 times;"},
		{"a CR at the end of the file", "a\r", ""},
		{"CR inside", "a b\rc\n", "LoneCR 1:4;"},
		{"CR as line end", "a\rb\rc\r", "LoneCR 1:2;"},
		{"NUL", "a\nb \x00c\n\x00\n", "NUL 2:3;NUL 3:1;"},
		{"in comments only length counts", "# a\x00b\n# a\rb\n#" + long + "\n", "LongLine 4:1;"},
		{"long", "a\nb" + long + "c\n", "LongLine 3:1;"},
		{"as long as may be", long + "\na\n", ""},
		{"as long as may be, with CR LF", long[1:] + "\r\na\n", ""},
		{"as long as may be, at the end", long, ""},
	} {
		var b strings.Builder
		for _, f := range mustParse(t, c.in).Flaws {
			fmt.Fprintf(&b, "%s %d:%d", []string{"CRLF", "LoneCR", "NUL", "LongLine"}[f.Kind], f.Pos.Line, f.Pos.Col)
			if f.Kind == CRLF {
				fmt.Fprintf(&b, " %d times", f.Count)
			}
			b.WriteByte(';')
		}
		if b.String() != c.want {
			t.Errorf("%s: got %q, want %q", c.name, b.String(), c.want)
		}
	}
	if n := len(mustParse(t, strings.Repeat("\x00\n", 1000)).Flaws); n != maxFlaws {
		t.Errorf("%d flaws are kept", n)
	}
}
