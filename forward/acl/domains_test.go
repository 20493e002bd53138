package acl

import (
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
	"pgregory.net/rapid"
)

func domainsOf(values ...string) domains {
	list := conf.DomainsOf(values...)
	return domains{&list}
}

func TestDomains(t *testing.T) {
	d := domainsOf("foo.com", ".Bar.com", "none", ".x")
	for host, want := range map[string]bool{
		"foo.com": true, ".foo.com": true, "..foo.com": true, "x.foo.com": false, "oo.com": false, "com": false,
		"bar.com": true, ".bar.com": true, "a.bar.com": true, "a.b.bar.com": true, "xbar.com": false, "x-bar.com": false,
		"none": true, "x": true, "a.x": true, "": false, ".": false, "foo.com.": false,
	} {
		if got := d.has(host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}

// The maps agree with comparing suffixes one by one.
func TestDomainsModel(t *testing.T) {
	label := rapid.StringMatching(`[ab-]{1,2}`)
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Custom(func(t *rapid.T) string {
			name := strings.Join(rapid.SliceOfN(label, 1, 3).Draw(t, "labels"), ".")
			return rapid.SampledFrom([]string{"", "."}).Draw(t, "dot") + name
		})
		values := rapid.SliceOfN(value, 0, 6).Draw(t, "values")
		host := strings.TrimLeft(value.Draw(t, "host"), ".")
		want := false
		for _, v := range values {
			if strings.HasPrefix(v, ".") {
				want = want || host == v[1:] || strings.HasSuffix(host, v)
			} else {
				want = want || host == v
			}
		}
		d := domainsOf(values...)
		if got := d.has(host); got != want {
			t.Fatalf("%q in %q: %v, want %v", host, values, got, want)
		}
	})
}
