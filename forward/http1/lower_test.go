package http1

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// ASCII letters become lower case and no other byte changes.
func TestLower(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOf(rapid.Byte()).Draw(t, "text")
		var want []byte
		for _, c := range text {
			if bytes.IndexByte([]byte("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), c) >= 0 {
				c |= 0x20
			}
			want = append(want, c)
		}
		if got := Lower(string(text)); got != string(want) {
			t.Fatalf("%q: %q", text, got)
		}
		if got := AppendLower([]byte("Ab"), text); string(got) != "Ab"+string(want) {
			t.Fatalf("%q appended: %q", text, got)
		}
		if !EqualFold(text, want) {
			t.Fatalf("%q is not %q", text, want)
		}
		if got := AppendLower(text[:0], text); !bytes.Equal(got, want) {
			t.Fatalf("in place: %q, want %q", got, want)
		}
	})
}

func TestLowerAllocatesNothing(t *testing.T) {
	const host = "www.example.test"
	if n := testing.AllocsPerRun(100, func() { Lower(host) }); n > 0 {
		t.Errorf("%v allocations for what is in lower case", n)
	}
}
