package parser

import (
	"fmt"
	"strings"
	"testing"
)

func mustParse(t testing.TB, text string) *File {
	t.Helper()
	f, err := Parse("squid.conf", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// render shows a tree as one line a logical line: first piece, blamed piece, words.
func render(f *File) string {
	var b strings.Builder
	for _, l := range f.Lines {
		fmt.Fprintf(&b, "%d-%d %q", l.Pos.Line, l.Number(), l.Directive)
		for _, w := range l.Args.Words {
			p := l.At(w.Off)
			fmt.Fprintf(&b, " %q@%d:%d", w.Text, p.Line, p.Col)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestLines(t *testing.T) {
	long := strings.Repeat("x", PieceSize-4)
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"plain", "a b c\n", "1-1 \"a\" \"b\"@1:3 \"c\"@1:5\n"},
		{"no newline at end", "a b", "1-1 \"a\" \"b\"@1:3\n"},
		{"comment in column one only", "#a\n #b c\n", "2-2 \"#b\" \"c\"@2:5\n"},
		{"CRLF", "a b\r\nc\r\n", "1-1 \"a\" \"b\"@1:3\n2-2 \"c\"\n"},
		{"lone CR loses the rest", "a b\rc d\ne\n", "1-1 \"a\" \"b\"@1:3\n2-2 \"e\"\n"},
		{"NUL cuts", "a b\x00c d\ne\n", "1-1 \"a\" \"b\"@1:3\n2-2 \"e\"\n"},
		{"form feed is no separator", "a b\fc\n", "1-1 \"a\" \"b\\fc\"@1:3\n"},
		{"continuation joins with nothing", "a b\\\nc d\n", "1-2 \"a\" \"bc\"@1:3 \"d\"@2:3\n"},
		{"blank behind the backslash", "a b\\ \nc\n", "1-1 \"a\" \"b\\\\\"@1:3\n2-2 \"c\"\n"},
		{"backslash and CRLF", "a \\\r\nb\r\n", "1-2 \"a\" \"b\"@2:1\n"},
		{"comment inside", "a \\\n# x\n\nb\n", "1-4 \"a\" \"b\"@4:1\n"},
		{"lost at end", "a\nb \\\n", "1-1 \"a\"\n"},
		{"lone backslash", "\\\na b\n", "2-2 \"a\" \"b\"@2:3\n"},
		{"BOM belongs to the name", "\xef\xbb\xbfa b\n", "1-1 \"\\ufeffa\" \"b\"@1:6\n"},
		{"over-long line falls apart", "ab " + long + " c d\ne\n",
			"1-1 \"ab\" \"" + long + "\"@1:4\n2-2 \"c\" \"d\"@2:3\n3-3 \"e\"\n"},
		{"a line as long as may be", "a " + strings.Repeat("x", PieceSize-2) + "\nb\n", "1-1 \"a\" \"" + strings.Repeat("x", PieceSize-2) + "\"@1:3\n3-3 \"b\"\n"},
		{"one byte more", "a " + strings.Repeat("x", PieceSize-2) + "y\nb\n", "1-1 \"a\" \"" + strings.Repeat("x", PieceSize-2) + "\"@1:3\n2-2 \"y\"\n3-3 \"b\"\n"},
		{"a backslash as the last byte that fits", "a " + strings.Repeat("x", PieceSize-3) + "\\\nb c\n", "1-3 \"a\" \"" + strings.Repeat("x", PieceSize-3) + "b\"@1:3 \"c\"@3:3\n"},
		{"a backslash that fits no more", "a " + strings.Repeat("x", PieceSize-2) + "\\\nb c\n", "1-1 \"a\" \"" + strings.Repeat("x", PieceSize-2) + "\"@1:3\n3-3 \"b\" \"c\"@3:3\n"},
		{"a piece of an over-long comment is no comment", "#" + strings.Repeat("x", PieceSize-1) + "via on\n", "2-2 \"via\" \"on\"@2:5\n"},
		{"NUL inside a line that goes on", "a b\\\nc\x00d\\\ne\n", "1-2 \"a\" \"bc\"@1:3\n3-3 \"e\"\n"},
		{"NUL behind a backslash", "a b\\\x00d\nc\n", "1-2 \"a\" \"bc\"@1:3\n"},
		{"CR behind a backslash inside a line", "a b\\\rd\nc\n", "1-2 \"a\" \"bc\"@1:3\n"},
		{"two backslashes", "a b\\\\\nc\n", "1-2 \"a\" \"b\\\\c\"@1:3\n"},
		{"only backslashes", "\\\n\\\n\\\n", ""},
		{"blanks only", " \t \na\n", "2-2 \"a\"\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := render(mustParse(t, c.in)); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

func TestBlamedText(t *testing.T) {
	f := mustParse(t, "a b\\\n  c \\\n d # e\n")
	l := f.Lines[0]
	if l.Number() != 3 || l.LastPiece() != " d # e" || l.Text() != "a b  c  d # e" {
		t.Errorf("number %d, last piece %q, text %q", l.Number(), l.LastPiece(), l.Text())
	}
	if s := f.Source(2); s != "  c \\" {
		t.Errorf("Source(2) = %q", s)
	}
	if p := l.At(len(l.Args.Text)); p.Line != 3 || p.Col != 7 {
		t.Errorf("place of a missing word: %v", p)
	}
}

// mixed makes a file of n lines of the kinds real files have.
func mixed(n int) []byte {
	kinds := []string{
		"acl net%d src 10.%d.0.0/16 192.168.7.0/24\n",
		"http_access allow net%d !other%d\n",
		"# a comment about line %d and %d\n",
		"refresh_pattern -i \\.file%d$ 1440 20%% %d override-expire\n",
		"cache_peer host%d.example.com parent %d 3130 no-query weight=3\n",
		"cache_mem %d MB\nhttp_port %d transparent\n",
		"\n",
		"acl list%d dstdomain \\\n   .a%d.example.com \\\n  .b.example.com\n",
	}
	var b strings.Builder
	for i := 0; i < n; i++ {
		k := kinds[i%len(kinds)]
		if strings.Contains(k, "%d") {
			fmt.Fprintf(&b, k, i, i%250+1)
		} else {
			b.WriteString(k)
		}
	}
	return []byte(b.String())
}

// BenchmarkParse100k is issue 3's measure: 100,000 mixed lines to the tree within a second.
func BenchmarkParse100k(b *testing.B) {
	text := mixed(100_000)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse("squid.conf", text); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "a b\\\nc", "#\n\\\n#\na\r\n", "\x00a\n", strings.Repeat("y", 9000)} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		tree, err := Parse("f", text)
		if err != nil {
			t.Fatal(err)
		}
		last := 0
		for _, l := range tree.Lines {
			if l.Number() <= last || l.Number() > tree.Pieces {
				t.Fatalf("line number %d after %d of %d", l.Number(), last, tree.Pieces)
			}
			last = l.Number()
			for _, w := range l.Args.Words {
				p := l.At(w.Off)
				if src := tree.Source(p.Line); p.Col < 1 || p.Col > len(src) || src[p.Col-1] != w.Text[0] {
					t.Fatalf("word %q is not at %v of %q", w.Text, p, src)
				}
			}
		}
	})
}
