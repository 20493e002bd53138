package store

import (
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// Keys as 2.6 wrote them into swap.state and its lists of variants.
func TestKeysAreThoseOf26(t *testing.T) {
	for _, c := range []struct{ url, vary, key string }{
		{"http://127.0.0.1:24080/tiny", "", "C3343634529D5355A64B09F23922B17D"},
		{"http://127.0.0.1:24080/empty", "", "0124024E1459A3B5FBDD75DCA238D4BE"},
		{"http://127.0.0.1:24080/query?a=1&b=2", "", "EAEA8E0B718D03C9EFB0C9B520BF6102"},
		{"http://127.0.0.1:24080/vary-page", "", "4C06D8B9BE1563E421C9625D143B2F9B"},
		{"http://127.0.0.1:24080/vary-page", `accept-language="en", x-kind`, "F1A4397E1ED1E90B1730BF2B706D69E6"},
		{"http://127.0.0.1:24080/vary-page", `accept-language="fr", x-kind`, "CE46E1D5C2D4320DC792E422BFF169F3"},
	} {
		parts := KeyParts{Method: http1.GET, URL: []byte(c.url), Vary: []byte(c.vary)}
		key := parts.Key()
		if key.String() != c.key {
			t.Errorf("%s %s: %s, want %s", c.url, c.vary, key, c.key)
		}
		if back, ok := ParseKey([]byte(c.key)); !ok || back != key {
			t.Errorf("%s is read as %s", c.key, back)
		}
	}
}

// Every part of a key counts, and none can be mistaken for another.
func TestPartsOfAKeyAreApart(t *testing.T) {
	seen := map[Key]int{}
	for i, p := range []KeyParts{
		{Method: http1.GET, URL: []byte("http://a/")},
		{Method: http1.HEAD, URL: []byte("http://a/")},
		{Method: http1.GET, URL: []byte("http://a/V")},
		{Method: http1.GET, URL: []byte("http://a/"), Vary: []byte("x")},
		{Method: http1.GET, URL: []byte("http://a/"), Vary: []byte("x"), Encoding: []byte("gzip")},
		{Method: http1.GET, URL: []byte("http://a/"), Group: []byte("x")},
		{Method: http1.GET, URL: []byte("http://a/"), Vary: []byte("x"), Group: []byte("gzip")},
	} {
		key := p.Key()
		if other, twice := seen[key]; twice {
			t.Errorf("parts %d and %d give one key", i, other)
		}
		seen[key] = i
	}
}

func TestWhatIsNoKey(t *testing.T) {
	for _, text := range []string{"", "C3", "C3343634529D5355A64B09F23922B17", "C3343634529D5355A64B09F23922B17G", "C3343634529D5355A64B09F23922B17D0"} {
		if key, ok := ParseKey([]byte(text)); ok {
			t.Errorf("%q is read as %s", text, key)
		}
	}
}

func TestKeysDoNotAllocate(t *testing.T) {
	parts := KeyParts{Method: http1.GET, URL: []byte("http://example.com/path/to/an/object?with=query"), Vary: []byte(`accept-encoding="gzip"`)}
	var key Key
	if n := testing.AllocsPerRun(100, func() { key = parts.Key() }); n != 0 && !raceEnabled {
		t.Errorf("%v allocations for a key", n)
	}
	_ = key
}
