package dns

import (
	"net/netip"
	"strings"
	"testing"
)

func TestCanonical(t *testing.T) {
	for in, want := range map[string]string{
		"example.com": "example.com", "Example.COM": "example.com", "example.com.": "example.com",
		"": "", ".": "", "UPPER.": "upper",
	} {
		if got := canonical(in); got != want {
			t.Errorf("canonical(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestAskable(t *testing.T) {
	label63 := strings.Repeat("a", 63)
	for name, want := range map[string]bool{
		"a": true, "a.b": true, "under_score.test": true, "xn--x.test": true,
		label63 + ".x": true, label63 + "a.x": false,
		strings.Repeat("a.", 126) + "a": true, strings.Repeat("a.", 127) + "a": false,
		"": false, ".": false, "a..b": false, ".a": false, "a.": false,
		"a b": false, "a\x00b": false, "ä.test": false, "a\x7f": false,
	} {
		if got := askable(name); got != want {
			t.Errorf("askable(%q) = %v, want %v", name, got, want)
		}
	}
}

func TestNumeric(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1": "127.0.0.1", "[::1]": "::1", "2001:db8::1": "2001:db8::1",
		"::ffff:10.0.0.1": "10.0.0.1",
		// What only looks like an address is a name.
		"127.0.0.1.": "", "1.2.3": "", "1.2.3.4.5": "", "a.1.2.3": "", "1e100.net": "", "": "",
		"[": "", "[]": "", "fe80::1%eth0": "", "256.1.1.1": "",
	} {
		addr, ok := numeric(host)
		if ok != (want != "") || ok && addr.String() != want {
			t.Errorf("numeric(%q) = %v, %v, want %q", host, addr, ok, want)
		}
	}
}

func TestReverseName(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1":   "1.0.0.127.in-addr.arpa",
		"192.0.2.255": "255.2.0.192.in-addr.arpa",
		"10.20.30.40": "40.30.20.10.in-addr.arpa",
		"2001:db8::567:89ab": "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0." +
			"8.b.d.0.1.0.0.2.ip6.arpa", // the example of RFC 3596 section 2.5
	} {
		if got := reverseName(netip.MustParseAddr(addr)); got != want {
			t.Errorf("reverseName(%s) = %q, want %q", addr, got, want)
		}
	}
}
