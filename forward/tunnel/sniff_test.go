package tunnel

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var firstBytes = []struct {
	in   string
	want Protocol
}{
	{"", TooFew}, {"\r\n", TooFew}, {"G", TooFew}, {"GET", TooFew}, {"GET ", TooFew},
	{"GET /", HTTP}, {"\r\nGET / HTTP/1.0\r\n", HTTP}, {"get / HTTP/1.0\r\n", HTTP},
	{"GET http://o.test/", TooFew}, {"GET http://o.test/ HTTP/1.0\r\n", HTTP},
	{"CONNECT o.test:443 HTTP/1.1\r\n", HTTP}, {"OPTIONS * HTTP/1.1\r\n", HTTP},
	{"BREW /pot HTTP/1.1\r\n", HTTP}, {"BREW /pot", TooFew}, {"BREW /pot\r\n", Other},
	{"get key\r\n", Other}, {"EHLO mail.test\r\n", Other}, {"USER anonymous\n", Other},
	{"SSH-2.0-OpenSSH_9.6\r\n", Other}, {"SSH-2.0-x y\r\n", Other}, {"*1\r\n$4\r\n", Other},
	{"\x16\x03\x01\x02\x00\x01", Other}, {"\x00", Other}, {"{\"json\":1}", Other},
	{"GET\r\n", Other}, {strings.Repeat("a", longestMethod+1), Other},
	{"GET h" + strings.Repeat("a", longestLine), HTTP}, {"BREW h" + strings.Repeat("a", longestLine), Other},
	{strings.Repeat("\n", longestLine+1), Other},
}

func TestSniff(t *testing.T) {
	for _, c := range firstBytes {
		if got := Sniff([]byte(c.in), nil); got != c.want {
			t.Errorf("%.40q: %v, want %v", c.in, got, c.want)
		}
	}
}

// What is decided from the first bytes is not decided otherwise by more of them.
func TestSniffIsFinal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.OneOf(rapid.StringMatching(`(GET|BREW|\r\n|[ -~]{0,8})[ \t][/a-z]{0,9}( HTTP/1\.[01])?\r\n.{0,9}`),
			rapid.StringN(0, 60, 60)).Draw(t, "in")
		whole := Sniff([]byte(in), nil)
		for i := range in {
			if got := Sniff([]byte(in[:i]), nil); got != TooFew && got != whole {
				t.Fatalf("%q: %v after %d bytes, %v in the end", in, got, i, whole)
			}
		}
	})
}

func FuzzSniff(f *testing.F) {
	for _, c := range firstBytes {
		f.Add([]byte(c.in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if Sniff(in, nil) == TooFew && len(in) > 2*longestLine {
			t.Errorf("%d bytes are not enough", len(in))
		}
	})
}
