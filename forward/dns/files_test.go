package dns

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseHosts(t *testing.T) {
	hosts, rejected := ParseHosts(strings.NewReader(
		"# comment\n"+
			"127.0.0.1 localhost\n"+
			"  192.0.2.1\tWWW.Example.test alias # trailing\n"+
			"192.0.2.2 www.example.test second\n"+
			"::1 localhost ip6-localhost\n"+
			"fe80::1%eth0 link.test\n"+
			"300.1.1.1 bad.test\n"+
			"127.0.0.1 last.test first.test\n"+
			"192.0.2.9\n"+
			"192.0.2.3 no-newline.test"), ".corp.test")
	if diff := cmp.Diff([]string{"300.1.1.1"}, rejected); diff != "" {
		t.Errorf("rejected: %s", diff)
	}
	for name, want := range map[string]string{
		"www.example.test":        "192.0.2.2", // the later line wins
		"alias.corp.test":         "192.0.2.1", // no dot: append_domain
		"second.corp.test":        "192.0.2.2",
		"localhost.corp.test":     "127.0.0.1 ::1",
		"link.test":               "fe80::1",
		"no-newline.test":         "192.0.2.3",
		"bad.test":                "",
		"ip6-localhost.corp.test": "::1",
	} {
		var got []string
		for _, a := range hosts.addrs[name] {
			got = append(got, a.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %q", name, got, want)
		}
	}
	// For an address the last line names it (recorded fact: logs/log-fqdn).
	if got := hosts.names[netip.MustParseAddr("127.0.0.1")]; got != "last.test" {
		t.Errorf("127.0.0.1 is called %q", got)
	}
	if got := hosts.names[netip.MustParseAddr("192.0.2.1")]; got != "WWW.Example.test" {
		t.Errorf("192.0.2.1 is called %q", got)
	}
}

func TestParseResolvConf(t *testing.T) {
	got := ParseResolvConf(strings.NewReader(
		"; comment\n# comment\nnameserver 192.0.2.1\nNAMESERVER 0.0.0.0\nnameserver host.test\nnameserver ::1\n" +
			"domain one.test ignored\nsearch a.test b.test\noptions rotate ndots:3 timeout:1\nnameserver\n"))
	want := ResolvConf{
		Servers: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()},
		Search:  []string{"a.test", "b.test"}, Dots: 3, Rejected: []string{"host.test"},
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	for text, dots := range map[string]int{"options ndots:0": 1, "options ndots:99": 15, "options ndots:x": 1, "": 1} {
		if got := ParseResolvConf(strings.NewReader(text)).Dots; got != dots {
			t.Errorf("%q: ndots %d, want %d", text, got, dots)
		}
	}
}

func FuzzFiles(f *testing.F) {
	f.Add("127.0.0.1 localhost\n::1 six # x\nnameserver 1.2.3.4\nsearch a b\noptions ndots:2\n")
	f.Add("\x00 \xff\n\n1.1.1.1\t\t\n")
	f.Add("7.0.0.1 two.dots..\n")
	f.Fuzz(func(t *testing.T, text string) {
		ParseResolvConf(strings.NewReader(text))
		hosts, _ := ParseHosts(strings.NewReader(text), ".x")
		for name, addrs := range hosts.addrs {
			// One dot at the end is left out, however many there are.
			if len(addrs) == 0 || len(addrs) > 2 || name != canonical(name+".") {
				t.Errorf("%q has %v", name, addrs)
			}
		}
	})
}
