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
		"A\xe9.Test": "a\xe9.test", "A\xe8\xff": "a\xe8\xff", "\u0130A": "\u0130a", "@AZ[": "@az[", // letters are those of ASCII
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
		"127.0.0.001":     "127.0.0.1", "010.08.0.0000000001": "10.8.0.1", // decimal, as in 2.6
		// What only looks like an address is a name.
		"127.0.0.1.": "", "1.2.3": "", "1.2.3.4.5": "", "a.1.2.3": "", "1e100.net": "", "": "",
		"[": "", "[]": "", "1.2.3.0x4": "", "1.2.3.+4": "", "1.2..4": "", "01.2.3.4.": "", "01.2.3": "", "01.2.3.4.5": "", "01.2.3.00000000004": "", "fe80::1%eth0": "", "256.1.1.1": "",
	} {
		addr, ok := Numeric(host)
		if ok != (want != "") || ok && addr.String() != want {
			t.Errorf("Numeric(%q) = %v, %v, want %q", host, addr, ok, want)
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
