package conf

import (
	"net/netip"
	"testing"
)

func TestIPv6Routers(t *testing.T) {
	for text, want := range map[string]string{
		"fd66::1": "[fd66::1]:0", "[fd66::1]": "[fd66::1]:0", "[fd66::1]:2048": "[fd66::1]:2048", "2001:db8:1234::1": "[2001:db8:1234::1]:0",
	} {
		if a, ok := ipv6Router(text); !ok || a != netip.MustParseAddrPort(want) {
			t.Errorf("%s: %v, %v", text, a, ok)
		}
	}
	for _, text := range []string{"192.0.2.1", "192.0.2.1:2048", "router:2048", ":2048", "fe80::1%eth0", "::ffff:192.0.2.1", "[fd66::1]:0", "[192.0.2.1]", "router", "",
		"[::ffff:192.0.2.1]", "[::ffff:192.0.2.1]:2048", "[fe80::1%eth0]", "[fe80::1%eth0]:2048", "[fd66::1", "fd66::1]", "[[fd66::1]]", "[]", "["} {
		if a, ok := ipv6Router(text); ok {
			t.Errorf("%s: %v", text, a)
		}
	}
}
