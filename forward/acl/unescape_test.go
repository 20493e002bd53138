package acl

import "testing"

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "a%20b": "a b", "%41%62": "Ab", "%2541": "%41", "%%41": "%41", "%%": "%", "%": "%", "%4": "%4",
		"%zz": "%zz", "%4z": "%4z", "%00x": "%00x", "%ff": "\xff", "a%": "a%", "%%%41": "%A",
	} {
		if got := string(unescape([]byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzUnescape(f *testing.F) {
	f.Add([]byte("a%20%%%4"))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := len(b)
		if got := unescape(append([]byte(nil), b...)); len(got) > n {
			t.Errorf("%q grew to %q", b, got)
		}
	})
}
