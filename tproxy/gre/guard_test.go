package gre

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// The guard stands before whatever receives GRE, a raw socket here, since not
// every kernel has tunnels.
func TestGuardKeepsStrangersOut(t *testing.T) {
	c := newCrossing(t, Config{})
	packet := func(protocol uint16) []byte {
		return Header{Protocol: protocol}.Append(nil, ip4("1.2.3.4", "5.6.7.8", nil))
	}
	const bridged = 0x6558 // somebody else's kind of tunnel
	for i, step := range []struct {
		routers  []netip.Addr
		protocol uint16
		dropped  uint64 // since the guard was last changed
		received uint64 // in all
	}{
		{[]netip.Addr{netip.MustParseAddr("192.0.2.1")}, ProtocolWCCP, 1, 0},
		{[]netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr(routerAddr)}, ProtocolWCCP, 0, 1},
		{[]netip.Addr{}, ProtocolIPv4, 1, 1},
		{[]netip.Addr{}, bridged, 0, 2},
	} {
		if err := c.cache.Do(func() error { return guard(step.routers, c.d.Device()) }); err != nil {
			t.Fatal(err)
		}
		c.send(t, packet(step.protocol))
		var dropped, received uint64
		for range 2000 {
			c.cache.Do(func() error { dropped = strangers(); return nil })
			if received = c.d.Counts().Received; dropped == step.dropped && received == step.received {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		if dropped != step.dropped || received != step.received {
			t.Errorf("step %d: %d dropped, %d received, want %d and %d", i, dropped, received, step.dropped, step.received)
		}
	}
	for range 2 {
		if err := c.cache.Do(unguard); err != nil {
			t.Error(err)
		}
	}
	if rules := c.cache.Must("nft", "list", "ruleset"); strings.Contains(rules, guardTable) {
		t.Errorf("left behind:\n%s", rules)
	}
}
