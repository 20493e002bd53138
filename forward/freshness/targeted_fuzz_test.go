package freshness

import (
	"bytes"
	"testing"
)

// What a parameter says means nothing here, so that one more changes nothing.
func FuzzDictionary(f *testing.F) {
	for _, seed := range []string{"max-age=600", "max-age=600;x=1, private", `private="a,b;c";d`, "no-store=?0", "&&&", "a=", `a="\"`, ";", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		members, ok := dictionary(list)
		if len(members) > len(list)+1 {
			t.Errorf("%q became %q", list, members)
		}
		if !ok || len(list) == 0 || bytes.ContainsAny(list, "\",;= \t\r\n\v\f") {
			return
		}
		with, ok := dictionary(append(bytes.Clone(list), ";x=1"...))
		if !ok || !bytes.Equal(with, members) {
			t.Errorf("%q: %q, and with a parameter %q", list, members, with)
		}
	})
}
