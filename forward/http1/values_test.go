package http1

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func items(list string) string {
	var all []string
	for rest := []byte(list); ; {
		var item []byte
		if item, rest = NextItem(rest); len(item) == 0 {
			return strings.Join(all, "|")
		}
		all = append(all, string(item))
	}
}

func TestLists(t *testing.T) {
	for list, want := range map[string]string{
		"a, b ,c":       "a|b|c",
		" , ,a,,":       "a",
		"":              "",
		`a="x, y", b`:   `a="x, y"|b`,
		`a="x\", y", b`: `a="x\", y"|b`,
		`"unclosed, b`:  `"unclosed, b`,
		"a\t,\r\n b":    "a|b",
		`"\`:            `"\`,
	} {
		if got := items(list); got != want {
			t.Errorf("%q: %q, want %q", list, got, want)
		}
	}
	for _, c := range []struct {
		list, name, want string
		separator        byte
	}{
		{"a=1; b=two; c=3", "b", "two", ';'},
		{"a=1; b=two, c=3", "c", "3", ';'},
		{"a, b=2, c", "b", "2", ','},
		{"a, b=2, c", "c", "", ','},
		{"a, bb=2", "b", "", ','},
		{"B=2", "b", "", ','},
		{`x="a;b"; y=1`, "y", "1", ';'},
	} {
		if got := string(ListMember([]byte(c.list), c.separator, c.name)); got != c.want {
			t.Errorf("%q in %q: %q, want %q", c.name, c.list, got, c.want)
		}
	}
}

// How 2.6 rebuilds Cache-Control (headers/cc-* and questions to the reference;
// it lets the seconds overflow where we stop at the largest).
func TestCacheControl(t *testing.T) {
	for fields, want := range map[string]string{
		"max-stale=5, foo=bar, no-transform": "no-transform, max-stale=5, foo=bar",
		"no-cache":                           "no-cache",
		"max-age=99999999":                   "max-age=99999999",
		"foo, bar=1, no-cache\r\nCache-Control: max-age=5, baz": "no-cache, max-age=5, foo",
		`max-age=abc, no-cache="x", private=y`:                  "private, no-cache",
		`max-age="5", ext="a, b", MAX-STALE`:                    `max-stale, ext="a, b"`,
		"max-age=-5":                                            "max-age=-5",
		"max-age=99999999999":                                   "max-age=2147483647",
		"":                                                      "",
		"min-fresh=5, s-maxage=3":                               "s-maxage=3, min-fresh=5",
		"max-age=1, max-age=2":                                  "max-age=1",
		"max-age=x, max-age=2":                                  "max-age=2",
		"max-age, s-maxage=, max-stale=":                        "",
		"public, no-store, must-revalidate, proxy-revalidate, only-if-cached": "public, no-store, must-revalidate, proxy-revalidate, only-if-cached",
	} {
		r, _ := parseRequest(t, "GET http://o/ HTTP/1.0\r\nCache-Control: "+fields+"\r\n\r\n", relaxed)
		cc := r.CacheControl()
		if got := string(cc.Append(nil)); got != want {
			t.Errorf("%q: %q, want %q", fields, got, want)
		}
	}
	var cc CacheControl
	cc.SetMaxAge(259200)
	if got := string(cc.Append([]byte("<"))); got != "<max-age=259200" || !cc.Has(CCMaxAge|CCPublic) || cc.Has(CCPublic) {
		t.Errorf("%q", got)
	}
}

func TestDates(t *testing.T) {
	want := time.Date(1994, 11, 6, 8, 49, 37, 0, time.UTC)
	for _, s := range []string{
		"Sun, 06 Nov 1994 08:49:37 GMT", " Sun, 06 Nov 1994 08:49:37 GMT ", "Sunday, 06-Nov-94 08:49:37 GMT",
		"Sun Nov  6 08:49:37 1994", "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06-Nov-1994 08:49:37 GMT",
	} {
		if got, ok := ParseDate([]byte(s)); !ok || !got.Equal(want) {
			t.Errorf("%q: %v %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "0", "-1", "foo", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 28:49:37 GMT", "Sun, xx Nov 1994 08:49:37 GMT", strings.Repeat("x", 100)} {
		if got, ok := ParseDate([]byte(s)); ok {
			t.Errorf("%q: %v", s, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(0, 1<<37).Draw(t, "seconds"), 0)
		text := AppendDate(nil, at)
		if got, ok := ParseDate(text); !ok || !got.Equal(at) {
			t.Fatalf("%q: %v %v, want %v", text, got, ok, at)
		}
	})
	var c DateCache
	for _, at := range []time.Time{want, want.Add(999 * time.Millisecond), want.Add(time.Second), want} {
		if got := string(c.Append(nil, at)); got != string(AppendDate(nil, at)) {
			t.Errorf("cached %q for %v", got, at)
		}
	}
}

func TestFaultsAreComplete(t *testing.T) {
	for f := NoFault; f < numFaults; f++ {
		if f.Error() == "" {
			t.Errorf("fault %d has no text", f)
		}
	}
	if Fault(255).Error() == "" || Fault(255).LogURL() != "" || UnsupportedMethod.LogURL() != "error:unsupported-request-method" {
		t.Error("edges")
	}
}
