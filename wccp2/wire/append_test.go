package wire

import (
	"net/netip"
	"slices"
	"testing"
)

// What cannot be said is not written, and what was there before stays.
func TestAppendRefuses(t *testing.T) {
	v4, v6 := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::1")
	big := make([]byte, 0x10000)
	with := func(change func(*Message)) *Message {
		m := &Message{Type: HereIAm, Service: &Service{}, CacheIdentity: &CacheIdentity{Addr: v4}, CacheView: &CacheView{}}
		change(m)
		return m
	}
	for name, m := range map[string]*Message{
		"two families":               with(func(m *Message) { m.CacheView.Caches = []netip.Addr{v6} }),
		"an unknown security option": with(func(m *Message) { m.Security.Option = 2 }),
		"too much for a message":     with(func(m *Message) { m.Skipped = []Component{{200, big[:0x9000]}, {201, big[:0x9000]}} }),
		"too much for a component":   with(func(m *Message) { m.Skipped = []Component{{200, big}} }),
		"too much extended data": with(func(m *Message) {
			m.CacheIdentity.Kind, m.CacheIdentity.Extended, m.CacheIdentity.Unknown = ExtendedData, 9, big
		}),
		"a capability of 64 KB":      with(func(m *Message) { m.Capabilities = []Capability{{ForwardingMethod, big}} }),
		"masks in a hash assignment": with(func(m *Message) { m.Assignment = &Assignment{Method: AssignMask} }),
		"an assignment without form": with(func(m *Message) { m.AltAssignment = &Assignment{Method: 9} }),
		"a map of another form":      with(func(m *Message) { m.AltMap = &AssignmentMap{Method: AssignHash} }),
		"an address table in 2.00":   with(func(m *Message) { m.Version, m.AddressTable = Version2, true }),
		"more mask values than fit": with(func(m *Message) {
			m.AltMap = &AssignmentMap{Method: AssignMask, Sets: []MaskValueSet{{Values: slices.Repeat([]Value{{Cache: v4}}, 5000)}}}
		}),
		"more routers than fit":       with(func(m *Message) { m.CacheView.Routers = slices.Repeat([]RouterID{{ID: v4}}, 9000) }),
		"an unknown version 1 number": nil,
	} {
		before := []byte{1, 2, 3}
		var after []byte
		var err error
		if m == nil {
			after, err = (&V1Message{Type: HereIAm}).Append(before)
		} else {
			after, err = m.Append(before, "")
		}
		if err == nil || string(after) != "\x01\x02\x03" {
			t.Errorf("%s: %d octets written, %v", name, len(after), err)
		}
	}
	if _, err := with(func(*Message) {}).Append(nil, ""); err != nil {
		t.Errorf("what they all begin with: %v", err)
	}
}
