package wire

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What the recorded packets of version 1 say, word for word.
func TestVersion1Says(t *testing.T) {
	cache := netip.MustParseAddr("10.66.0.20")
	var all, none Bitmap
	for i := range all {
		all[i] = 0xff
	}
	for _, c := range []struct {
		length int
		fits   func(*V1Message) bool
		want   V1Message
	}{
		{52, func(m *V1Message) bool { return m.ReceiveID == 0 }, V1Message{Type: V1HereIAm, Version: 4, Buckets: none}},
		{20, func(*V1Message) bool { return true }, V1Message{Type: V1ISeeYou, Version: 4, ReceiveID: 1}},
		{64, func(m *V1Message) bool { return m.Caches[0].Buckets == all }, V1Message{Type: V1ISeeYou, Version: 4, Change: 2, ReceiveID: 4,
			Caches: []V1Cache{{Addr: cache, Buckets: all}}}},
		{272, func(*V1Message) bool { return true }, V1Message{Type: V1AssignBuckets, ReceiveID: 2, Caches: []V1Cache{{Addr: cache}}}},
	} {
		found := false
		for _, p := range recordedPackets(t) {
			raw := p.bytes(t)
			if p.Name != "v1" || len(raw) != c.length {
				continue
			}
			m, err := ParseV1(raw)
			if err != nil {
				t.Fatal(err)
			}
			if !c.fits(m) {
				continue
			}
			found = true
			got := *m
			if c.want.Type != V1AssignBuckets {
				got.ReceiveID = c.want.ReceiveID // counts the router's answers
			}
			if d := cmp.Diff(c.want, got, equal); d != "" {
				t.Errorf("%d octets:\n%s", c.length, d)
			}
			break
		}
		if !found {
			t.Errorf("no packet of %d octets", c.length)
		}
	}
}
