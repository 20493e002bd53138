package conf

import (
	"strings"
	"testing"
)

// An external_acl_type line is refused, or is the same again when its dump is read.
func FuzzExternalACLType(f *testing.F) {
	for _, seed := range []string{
		"ttl=5 negative_ttl=2 children=3 concurrency=10 cache=9 grace=30 %LOGIN %SRC /bin/h -a",
		"protocol=3.0 %{Cookie:member} %{X-Y:;m} %PATH %ACL %DATA /bin/h", "quote=url %%MYPORT /bin/h", "%USER_CERT_CN %CA_CERT /bin/h", "%{ /bin/h", "% /bin/h", "ttl=-1 x",
	} {
		f.Add(seed)
	}
	const head = "acl all src 0.0.0.0/0.0.0.0\nhttp_port 3128\n"
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "\n\r\x00") {
			return
		}
		cfg, _ := LoadText("squid.conf", []byte(head+"external_acl_type x "+line+"\n"), Options{World: Offline{}})
		if cfg == nil || len(cfg.ExternalACLTypes) != 1 {
			return
		}
		dump := func(c *Config) string {
			var own []string
			for l := range strings.Lines(string(c.Dump(true))) {
				if strings.HasPrefix(l, "external_acl_type ") {
					own = append(own, l)
				}
			}
			return strings.Join(own, "")
		}
		first := dump(cfg)
		again, report := LoadText("squid.conf", []byte(head+first), Options{World: Offline{}})
		if again == nil {
			t.Fatalf("%q is dumped as %q: %+v", line, first, report.Lines)
		}
		if second := dump(again); second != first {
			t.Fatalf("%q is dumped as %q, and that as %q", line, first, second)
		}
	})
}
