package wccp2

import (
	"encoding/hex"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// fuzzed is an engine that has been told of two services, one with a password,
// two routers and version 1, some seconds into its life.
func fuzzed(t testing.TB, secure bool) (*Engine, time.Time) {
	cfg := benchConfig()
	cfg.Routers = append(cfg.Routers, netip.MustParseAddrPort("10.66.0.102:2048"))
	other := paired80()
	other.ID = 90
	cfg.Services = append(cfg.Services, other, Service{})
	for i := range cfg.Services {
		cfg.Services[i].Secure, cfg.Services[i].Password = secure, "secret"
	}
	cfg.V1 = &V1Config{Router: cfg.Routers[0], Version: wire.VersionV1}
	if secure {
		cfg.V1 = nil // version 1 has no password
	}
	now := time.Unix(1e9, 0)
	e, err := New(cfg, now)
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(12 * time.Second)
	e.Tick(now)
	e.Take()
	return e, now
}

// known is what an attacker must not change: everything but counters.
func known(e *Engine, now time.Time) []ServiceStatus {
	s := e.Status(now).Services
	for i := range s {
		for k := range s[i].Routers {
			s[i].Routers[k].Packets = Counter{}
		}
	}
	return s
}

// feed gives the engine one packet and what time it takes to act on it, and
// checks that it stays within bounds.
func feed(t *testing.T, e *Engine, now time.Time, raw []byte) {
	e.Packet(now, netip.AddrPortFrom(benchRouter, wire.Port), raw)
	for step := range 5 {
		at := now.Add(time.Duration(step) * 10 * time.Second)
		e.Tick(at)
		if next := e.Next(); due(next, at) {
			t.Fatalf("due at %s, still due after a tick at %s", next, at)
		}
	}
	if out := e.Take(); len(out) > 200 {
		t.Fatalf("%d actions", len(out))
	}
	for _, g := range e.groups {
		if len(g.fleets) > len(g.routers)+1 || len(g.routers) != len(e.cfg.Routers) {
			t.Fatalf("%d fleets, %d routers", len(g.fleets), len(g.routers))
		}
	}
}

// FuzzPacket: whatever comes from a router's address, nothing panics, nothing
// grows, and where a password is set, nothing changes without the digest.
func FuzzPacket(f *testing.F) {
	seen := map[string]int{}
	for _, s := range loadScenarios(f) {
		for _, p := range s.Recorded.Packets {
			if seen[p.Message]++; p.Dir == "router" && seen[p.Message] < 8 {
				raw, err := hex.DecodeString(p.Hex)
				if err != nil {
					f.Fatal(err)
				}
				f.Add(raw)
			}
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		open, now := fuzzed(t, false)
		feed(t, open, now, raw)
		closed, now := fuzzed(t, true)
		before := known(closed, now)
		closed.Packet(now, netip.AddrPortFrom(benchRouter, wire.Port), raw)
		if m, err := wire.Parse(raw); err == nil && wire.Authentic(raw, m, "secret") {
			return
		}
		if after := known(closed, now); !reflect.DeepEqual(before, after) {
			t.Fatalf("an unauthentic packet changed\n%+v\nto\n%+v", before, after)
		}
	})
}

// TestValidLooking feeds packets that are well formed and make no sense: views
// full of strangers, absurd numbers, wrong addressees, in any order.
func TestValidLooking(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	addr := func() netip.Addr { return netip.AddrFrom4([4]byte{10, 66, 0, byte(dice.IntN(130))}) }
	number := func() uint32 { return []uint32{0, 1, 2, uint32(dice.IntN(20)), 1 << 31, 1<<32 - 1}[dice.IntN(6)] }
	e, now := fuzzed(t, false)
	closed, _ := fuzzed(t, true)
	for range 5000 {
		now = now.Add(time.Duration(dice.IntN(3000)) * time.Millisecond)
		m := &wire.Message{Type: wire.ISeeYou, Service: &wire.Service{ServiceID: wire.ServiceID{Type: wire.ServiceType(dice.IntN(2)), ID: []uint8{0, 80, 90}[dice.IntN(3)]}}}
		if dice.IntN(10) == 0 {
			m.Type = wire.RemovalQuery
			m.Query = &wire.RouterQuery{RouterID: wire.RouterID{ID: addr(), ReceiveID: number()}, SentTo: addr(), Target: []netip.Addr{selfAddr, addr()}[dice.IntN(2)]}
		}
		m.RouterIdentity = &wire.RouterIdentity{RouterID: wire.RouterID{ID: addr(), ReceiveID: number()}, SentTo: addr()}
		m.RouterView = &wire.RouterView{MemberChange: number(), Key: wire.AssignmentKey{Addr: []netip.Addr{selfAddr, addr()}[dice.IntN(2)], Change: number()}}
		for range dice.IntN(40) {
			m.RouterView.Routers = append(m.RouterView.Routers, addr())
			c := wire.CacheIdentity{Addr: addr(), Kind: wire.DataKind(dice.IntN(4)), Weight: uint16(number()), Status: uint16(number()), Historical: dice.IntN(2) == 0}
			c.Buckets.Set(uint8(dice.IntN(256)))
			m.RouterView.Caches = append(m.RouterView.Caches, c)
		}
		if dice.IntN(2) == 0 {
			m.RouterView.Caches = append(m.RouterView.Caches, wire.CacheIdentity{Addr: selfAddr})
		}
		if dice.IntN(2) == 0 {
			m.Capabilities = []wire.Capability{wire.Bits(wire.ForwardingMethod, number()), wire.Bits(wire.TimerScale, number())}
		}
		raw, err := m.Append(nil, "")
		if err != nil {
			t.Fatal(err)
		}
		feed(t, e, now, raw)
		before := known(closed, now)
		closed.Packet(now, netip.AddrPortFrom(benchRouter, wire.Port), raw)
		if after := known(closed, now); !reflect.DeepEqual(before, after) {
			t.Fatal("a packet without a digest changed something")
		}
	}
}
