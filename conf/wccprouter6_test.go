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

// wccp2_address beside an IPv6 router is refused with its place, in whatever order.
func TestWCCPAddressBesideIPv6Routers(t *testing.T) {
	const head = "acl all src 0.0.0.0/0.0.0.0\nhttp_port 3128\n"
	for lines, line := range map[string]int{
		"wccp2_router fd66::1\nwccp2_address 192.0.2.9\n":                         4,
		"wccp2_address 192.0.2.9\nwccp2_router 192.0.2.1\nwccp2_router fd66::1\n": 3,
		"wccp2_address 192.0.2.9\nwccp2_router 192.0.2.1\n":                       0,
		"wccp2_address 0.0.0.0\nwccp2_router fd66::1\n":                           0,
		"wccp2_address 192.0.2.9\n":                                               0,
	} {
		_, report := loadText(t, head+lines)
		at := 0
		for _, d := range report.Diagnostics {
			if d.Severity == Error {
				at = d.Pos.Line
			}
		}
		if at != line || (report.Exit != 0) != (line > 0) {
			t.Errorf("%q: an error in line %d, want %d; status %d, %v", lines, at, line, report.Exit, report.Lines)
		}
	}
}
