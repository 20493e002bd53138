package accesslog

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

func TestControlsAreNotLogged(t *testing.T) {
	for line, want := range map[string]string{
		"plain":                       "plain\n",
		"":                            "\n",
		"a\tb":                        "a\tb\n",
		"a\nb\x00c":                   "a b c\n",
		"ua \x1b[31mred\x7f\r\x07":    "ua %1B[31mred%7F%0D%07\n",
		"caf\xc3\xa9 \x9b latin \xff": "caf\xc3\xa9 \x9b latin \xff\n",
	} {
		var buf []byte
		if got := string(endLine(&buf, []byte(line))); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// Eight octets at a time, and one at a time, find the same.
func TestHasControls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.SliceOf(rapid.OneOf(rapid.ByteRange(0x1e, 0x22), rapid.ByteRange(0x7d, 0x82), rapid.ByteRange(0xfe, 0xff))).Draw(t, "line")
		if got, want := hasControls(line), bytes.ContainsFunc(line, func(r rune) bool { return r < 0x20 || r == 0x7f }); want && !got {
			t.Fatalf("%q: nothing found", line)
		}
		var buf []byte
		out := endLine(&buf, bytes.Clone(line))
		for _, c := range out[:len(out)-1] {
			if isControl(c) && c != '\t' {
				t.Fatalf("%q became %q", line, out)
			}
		}
	})
}

func BenchmarkHasControls(b *testing.B) {
	line := bytes.Repeat([]byte("GET http://www.example.com/ "), 6)
	for b.Loop() {
		hasControls(line)
	}
}
