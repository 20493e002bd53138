package wccp2

import (
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// TestLeaveHandsOver: with another cache there, weight 0 is announced at once,
// and leaving is over when the router shows no bucket of ours.
func TestLeaveHandsOver(t *testing.T) {
	b := newBench(t, benchConfig())
	b.served(withOne())
	b.e.Leave(b.now)
	b.take()
	list := b.got(wire.HereIAm)
	if len(list) != 1 || list[0].CacheIdentity.Weight != 0 {
		t.Fatalf("%d HERE_I_AM, %+v", len(list), list)
	}
	b.members(map[string]uint16{"10.66.0.20": 0, "10.66.0.30": 10000})
	b.gives(selfAddr, 128)
	b.deliver(b.answer(), "")
	if b.e.Left() {
		t.Fatal("left while the router still sends")
	}
	b.pass(Interval)
	b.deliver(b.answer(), "")
	b.pass(assignWait - Interval)
	ra := b.got(wire.RedirectAssign)
	if len(ra) != 1 {
		t.Fatalf("%d assignments: %v", len(ra), b.lines)
	}
	for i, x := range ra[0].Assignment.Buckets {
		if at, ok := x.Index(); !ok || ra[0].Assignment.Caches[at] == selfAddr {
			t.Fatalf("bucket %d is ours or nobody's", i)
		}
	}
	b.key = ra[0].Assignment.Key
	b.gives(selfAddr, 0)
	b.deliver(b.answer(), "")
	if !b.e.Left() {
		t.Error("not left although nothing comes any more")
	}
	b.pass(time.Minute)
	if n := len(b.got(wire.HereIAm)); n != 0 {
		t.Errorf("%d HERE_I_AM after leaving", n)
	}
}

// TestLeaveAlone: a cache alone falls silent, does not answer queries, and waits
// until its router must have dropped it.
func TestLeaveAlone(t *testing.T) {
	b := newBench(t, benchConfig())
	b.served(alone())
	b.e.Leave(b.now)
	b.take()
	b.deliver(&wire.Message{Type: wire.RemovalQuery, Service: &service80.Service,
		Query: &wire.RouterQuery{RouterID: wire.RouterID{ID: benchRouter, ReceiveID: b.id}, SentTo: benchRouter, Target: selfAddr}}, "")
	begun := b.now
	for !b.e.Left() && b.now.Sub(begun) < time.Minute {
		b.pass(time.Second)
	}
	if n := len(b.got(wire.HereIAm)); n != 0 {
		t.Errorf("%d HERE_I_AM", n)
	}
	if d := b.now.Sub(begun); d < 20*time.Second || d > 32*time.Second {
		t.Errorf("left after %s", d)
	}
}

// TestLeaveWithNothing: without buckets there is nothing to wait for.
func TestLeaveWithNothing(t *testing.T) {
	b := newBench(t, benchConfig())
	b.pass(12 * time.Second)
	if b.e.Leave(b.now); !b.e.Left() {
		t.Error("not left")
	}
}

// TestLeaveIsBounded: a router that never gives in does not keep us.
func TestLeaveIsBounded(t *testing.T) {
	b := newBench(t, benchConfig())
	b.served(withOne())
	b.e.Leave(b.now)
	for range 4 {
		b.deliver(b.answer(), "")
		b.pass(Interval)
	}
	if !b.e.Left() || b.logged("wait for routers is over") != 1 {
		t.Error(b.lines)
	}
}

// TestHold: nothing is said while there is a reason, everything at once without.
func TestHold(t *testing.T) {
	b := newBench(t, benchConfig())
	b.served(alone())
	b.e.Hold("ports", b.now)
	b.e.Hold("descriptors", b.now)
	b.e.Hold("ports", b.now)
	b.take()
	b.pass(25 * time.Second)
	b.e.Release("ports", b.now)
	b.pass(time.Second)
	if len(b.sent) != 0 {
		t.Fatalf("%d messages while held", len(b.sent))
	}
	b.e.Release("descriptors", b.now)
	b.e.Release("descriptors", b.now)
	b.pass(0)
	if n := len(b.got(wire.HereIAm)); n != 1 {
		t.Errorf("%d HERE_I_AM at the release", n)
	}
	if h := b.e.Status(b.now).Holds; len(h) != 0 {
		t.Error(h)
	}
}

// TestReconfigureIsNotSeen: the same services go on without a break; new weight
// and a new service are announced.
func TestReconfigureIsNotSeen(t *testing.T) {
	b := newBench(t, benchConfig())
	b.served(alone())
	cfg := benchConfig()
	cfg.Weight = 5
	other := service80
	other.ID = 90
	cfg.Services = append(cfg.Services, other)
	if err := b.e.Reconfigure(cfg, b.now); err != nil {
		t.Fatal(err)
	}
	if b.state() != StateServing {
		t.Error(b.state())
	}
	b.pass(Interval)
	seen := map[uint8]int{}
	for _, m := range b.got(wire.HereIAm) {
		if seen[m.Service.ID]++; m.CacheIdentity.Weight != 5 {
			t.Errorf("weight %d", m.CacheIdentity.Weight)
		}
		if m.Service.ID == 80 && m.CacheView.Routers[0].ReceiveID != b.id {
			t.Error("the receive id was forgotten")
		}
	}
	if seen[80] != 1 || seen[90] != 1 {
		t.Error(seen)
	}
}
