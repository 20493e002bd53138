package delay

import (
	"net/netip"
	"testing"
)

// Who shares a bucket with whom.
func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		a, b          string
		network, host bool // they are the same
	}{
		{"127.0.1.7", "127.0.2.7", false, true},
		{"127.1.3.9", "127.2.3.9", true, true},
		{"10.0.3.9", "10.0.3.255", true, false},
		{"10.0.3.9", "::ffff:10.0.3.9", true, true},
		{"2001:db8:0:1::7", "2001:db8:0:1::8", true, false},
		{"2001:db8:0:1::7", "2001:db8:0:2::7", false, true},
		{"2001:db8:aa:100::7", "2001:db8:aa:200::7", false, true}, // subscribers with a /56 each
		{"2001:db8:1::7", "2001:db8:2::7", false, true},
	} {
		a, b := placeOf(netip.MustParseAddr(c.a)), placeOf(netip.MustParseAddr(c.b))
		if (a.network == b.network) != c.network || (a.host == b.host) != c.host {
			t.Errorf("%s and %s: %v and %v", c.a, c.b, a, b)
		}
	}
}
