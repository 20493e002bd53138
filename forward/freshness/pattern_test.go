package freshness

import (
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// A pattern matches what the C library says it does, back-references, bytes above
// 127 and the order of the lines included.
func TestRuleOfURL(t *testing.T) {
	cfg, report := conf.LoadText("squid.conf", []byte(`acl all src 0.0.0.0/0.0.0.0
visible_hostname proxy.test
http_port 3128
http_access allow all
refresh_pattern /(.)\1/ 1 1% 1
refresh_pattern -i \.GIF$ 2 2% 2
refresh_pattern ^http://[^/]*/.x$ 3 3% 3
refresh_pattern . 4 4% 4
`), conf.Options{})
	if cfg == nil {
		t.Fatal(report.Lines)
	}
	rules, err := NewRules(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]int64{
		"http://o.test/aa/": 1, "http://o.test/ab/": 4, "http://o.test/ab/a.gif": 2, "http://o.test/aa/a.gif": 1,
		"http://o.test/\xe9x": 3, "http://o.test/\xc3\xa9x": 4,
	} {
		if got := rules.Of([]byte(url)).Percent; got != want {
			t.Errorf("%q: the rule of %d %%, want that of %d %%", url, got, want)
		}
	}
}
