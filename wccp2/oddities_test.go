package wccp2

import (
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// TestNumbersWrap: receive ids and change numbers go on from the largest to 0.
func TestNumbersWrap(t *testing.T) {
	b := newBench(t, benchConfig())
	b.id, b.change = math.MaxUint32-3, math.MaxUint32-1
	b.served(alone())
	for range 5 {
		b.pass(Interval)
		b.deliver(b.answer(), "")
	}
	if s := b.e.Status(b.now).Services[0].Routers[0]; b.id > 100 || s.State != StateServing || s.Packets.Dropped != 0 {
		t.Errorf("id %d, %+v", b.id, s)
	}
	b.sent = nil
	b.members(withOne()) // the change number goes over 0
	b.members(withOne())
	b.pass(Interval)
	b.deliver(b.answer(), "")
	b.wait()
	if n := len(b.got(wire.RedirectAssign)); n != 1 {
		t.Errorf("%d assignments after change %d: %q", n, b.change, b.lines)
	}
}

// TestOddCapabilities: an element of no use is as good as none, and unknown ones
// harm nothing (IOS 15 sends types 4 and 5).
func TestOddCapabilities(t *testing.T) {
	four := func(v byte) []byte { return []byte{0, 0, 0, v} }
	for _, c := range []struct {
		name  string
		offer []wire.Capability
		want  State
	}{
		{"an element of three octets", []wire.Capability{{Type: wire.ForwardingMethod, Value: []byte{0, 0, 2}}, {Type: 9, Value: []byte{7}}}, StateAnswered},
		{"an empty element", []wire.Capability{{Type: wire.AssignmentMethod}}, StateAnswered},
		{"timers", []wire.Capability{{Type: wire.TransmitInterval, Value: four(1)}, {Type: wire.TimerScale, Value: four(1)}}, StateAnswered},
		{"every bit", []wire.Capability{{Type: wire.ForwardingMethod, Value: []byte{255, 255, 255, 255}}}, StateAnswered},
		{"no method at all", []wire.Capability{{Type: wire.ReturnMethod, Value: four(0)}}, StateRefused},
		{"a method of the future", []wire.Capability{{Type: wire.AssignmentMethod, Value: four(4)}}, StateRefused},
	} {
		b := newBench(t, benchConfig())
		b.pass(1500 * time.Millisecond)
		m := b.answer()
		m.Capabilities = c.offer
		raw, err := m.Append(nil, "")
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		for len(raw)%4 != 0 {
			raw = append(raw, 0)
		}
		b.e.Packet(b.now, b.router, raw)
		b.take()
		if b.state() != c.want {
			t.Errorf("%s: %s, want %s: %q", c.name, b.state(), c.want, b.lines)
		}
	}
}

// TestWeightsOfZero: 0, 5 and 0 give everything to the second cache; all zero
// shares alike; and that by mask as well.
func TestWeightsOfZero(t *testing.T) {
	for _, c := range []struct {
		method  uint32
		weights map[string]uint16
		want    [3]int
	}{
		{wire.MethodHash, map[string]uint16{"10.66.0.20": 0, "10.66.0.30": 5, "10.66.0.40": 0}, [3]int{0, 256, 0}},
		{wire.MethodHash, map[string]uint16{"10.66.0.20": 0, "10.66.0.30": 0, "10.66.0.40": 0}, [3]int{86, 85, 85}},
	} {
		cfg := benchConfig()
		cfg.Assignment, cfg.Weight = c.method, 0
		b := newBench(t, cfg)
		b.pass(1500 * time.Millisecond)
		b.deliver(b.answer(), "")
		b.pass(Interval)
		b.members(c.weights)
		b.deliver(b.answer(), "")
		b.wait()
		ra := b.got(wire.RedirectAssign)
		if len(ra) != 1 {
			t.Fatalf("%v: %d assignments", c.weights, len(ra))
		}
		var share [3]int
		for _, k := range ra[0].Assignment.Buckets {
			at, _ := k.Index()
			share[at]++
		}
		if share != c.want {
			t.Errorf("%v: %v, want %v", c.weights, share, c.want)
		}
	}
}

// TestAnIdentityThatChanges: a router that restarts under another name stays the
// same router, is told so in the view, and is assigned again by its new name.
func TestAnIdentityThatChanges(t *testing.T) {
	b := newBench(t, benchConfig())
	b.served(alone())
	other := netip.MustParseAddr("192.0.2.77")
	b.id, b.key = 0, wire.AssignmentKey{}
	b.gives(selfAddr, 0)
	b.pass(Interval)
	m := b.answer()
	m.RouterIdentity.ID = other
	m.RouterView.Routers = []netip.Addr{other}
	b.sent = nil
	b.deliver(m, "")
	ra := b.got(wire.RedirectAssign)
	if len(ra) != 1 || len(ra[0].Assignment.Routers) != 1 || ra[0].Assignment.Routers[0].ID != other || ra[0].Assignment.Routers[0].ReceiveID != b.id {
		t.Fatalf("%d assignments %+v: %q", len(ra), ra, b.lines)
	}
	b.pass(Interval)
	if list := b.got(wire.HereIAm); len(list) == 0 || list[len(list)-1].CacheView.Routers[0].ID != other {
		t.Errorf("%d HERE_I_AM, %+v", len(list), list)
	}
}

// TestAddressTable: a router that writes addresses as indices into a table (rev1)
// is understood like any other.
func TestAddressTable(t *testing.T) {
	b := newBench(t, benchConfig())
	b.pass(1500 * time.Millisecond)
	indexed := func() *wire.Message {
		m := b.answer()
		m.AddressTable = true
		return m
	}
	b.deliver(indexed(), "")
	b.pass(Interval)
	b.members(withOne())
	b.deliver(indexed(), "")
	if b.state() != StateJoined {
		t.Fatalf("%s: %q", b.state(), b.lines)
	}
	b.pass(Interval)
	b.deliver(indexed(), "")
	b.pass(assignWait - Interval)
	if ra := b.got(wire.RedirectAssign); len(ra) != 1 || len(ra[0].Assignment.Caches) != 2 {
		t.Errorf("%d assignments: %q", len(ra), b.lines)
	}
}
