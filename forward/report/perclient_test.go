package report

import (
	"net/netip"
	"testing"
	"time"
)

func TestPerClient(t *testing.T) {
	var p PerClient
	now := time.Now()
	client := netip.MustParseAddr("192.0.2.1")
	for _, c := range []struct {
		after time.Duration
		want  bool
	}{{0, true}, {time.Second, false}, {reportInterval - 1, false}, {reportInterval, true}} {
		if got := p.May(client, now.Add(c.after)); got != c.want {
			t.Errorf("after %v: %v", c.after, got)
		}
	}
	allowed := 0
	for i := range 10 * reportClients {
		if p.May(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), now) {
			allowed++
		}
	}
	if allowed >= reportClients || len(p.last) > reportClients {
		t.Errorf("%d reports, %d clients remembered", allowed, len(p.last))
	}
	if !p.May(netip.MustParseAddr("192.0.2.9"), now.Add(3*reportInterval)) {
		t.Error("those reported long ago must make room")
	}
}
