package wccp2

import (
	"net/netip"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// A router of version 2.01 shows assignments in the identities of the caches, in forms
// that 2.00 does not have, or in a map beside identities that have none (rev1 3.8, 6.4).
// In each of them our share is found, and kept when buckets are divided with the least
// movement.
func TestAssignmentsShownInRevisionOne(t *testing.T) {
	other := netip.MustParseAddr("10.66.0.30")
	who := func(i, n int) netip.Addr {
		if i < n/2 {
			return selfAddr
		}
		return other
	}
	table := &wire.HashTable{Caches: []netip.Addr{selfAddr, other}}
	for i := range table.Buckets {
		table.Buckets[i] = wire.MakeBucket(i*2/256, false)
	}
	mask, _ := maskFor(service80.Service, DefaultMask, false)
	values := maskValues(service80.Service, DefaultMask, false)
	long, short := wire.MaskValueSet{Mask: mask}, wire.AltMaskValueSet{Mask: mask, Caches: []wire.CacheValues{{Cache: selfAddr}, {Cache: other}}}
	for i, v := range values {
		long.Values = append(long.Values, wire.Value{Mask: v, Cache: who(i, len(values))})
		his := &short.Caches[i*2/len(values)].Values
		*his = append(*his, uint32(i))
	}
	none := func(c *wire.CacheIdentity) { *c = wire.CacheIdentity{Addr: c.Addr, Kind: wire.NoData} }
	for name, form := range map[string]struct {
		assignment uint32
		beside     *wire.AssignmentMap
		identity   func(*wire.CacheIdentity)
	}{
		"hash map": {wire.MethodHash, &wire.AssignmentMap{Method: wire.AssignHash, Hash: table}, none},
		"extended hash": {wire.MethodHash, nil, func(c *wire.CacheIdentity) {
			c.Kind, c.Extended, c.Buckets, c.Historical = wire.ExtendedData, wire.ExtendedHash, table.Of(c.Addr), false
		}},
		"mask map":     {wire.MethodMask, &wire.AssignmentMap{Method: wire.AssignMask, Sets: []wire.MaskValueSet{long}}, none},
		"numbered map": {wire.MethodMask, &wire.AssignmentMap{Method: wire.AssignAltMask, AltSets: []wire.AltMaskValueSet{short}}, none},
		"numbered in identities": {wire.MethodMask, nil, func(c *wire.CacheIdentity) {
			at := 0
			if c.Addr == other {
				at = 1
			}
			c.Kind, c.Extended = wire.ExtendedData, wire.ExtendedAltMask
			c.AltSets = []wire.AltMaskValueSet{{Mask: mask, Caches: short.Caches[at : at+1]}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := benchConfig()
			cfg.Assignment, cfg.Division = form.assignment, DivideSticky
			b := newBench(t, cfg)
			b.pass(1500 * time.Millisecond)
			shown := func() *wire.Message {
				for i := range b.caches {
					form.identity(&b.caches[i])
				}
				m := b.answer()
				m.Version, m.AltMap = wire.Version2r1, form.beside
				return m
			}
			b.deliver(shown(), "")
			b.pass(Interval)
			b.members(withOne())
			b.key = wire.AssignmentKey{Addr: other, Change: 5}
			b.deliver(shown(), "")
			b.pass(Interval)
			b.deliver(shown(), "")
			n := 256
			if form.assignment == wire.MethodMask {
				n = len(values)
			}
			if s := b.e.Status(b.now).Services[0].Routers[0]; s.State != StateServing || s.Buckets != n/2 || s.Of != n {
				t.Errorf("%s: %d of %d: %q", s.State, s.Buckets, s.Of, b.lines)
			}
			b.pass(assignWait - Interval)
			ra := b.got(wire.RedirectAssign)
			if len(ra) != 1 {
				t.Fatalf("%d assignments: %q", len(ra), b.lines)
			}
			for i := range n {
				var owner netip.Addr
				if a := ra[0].Assignment; a != nil {
					at, _ := a.Buckets[i].Index()
					owner = a.Caches[at]
				} else {
					owner = ra[0].AltAssignment.Sets[0].Values[i].Cache
				}
				if owner != who(i, n) {
					t.Fatalf("bucket %d goes to %s", i, owner)
				}
			}
		})
	}
}
