package wccp2

import (
	"net/netip"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// v1Bench is an engine of version 1 and the hand that is its router.
type v1Bench struct {
	t      *testing.T
	e      *Engine
	now    time.Time
	id     uint32
	change uint32
	caches []netip.Addr
	table  []netip.Addr // who has each bucket; nil while nobody has any
	raises bool         // the router's number rises when it takes an assignment
	deaf   bool         // the router takes none
	shows  bool         // the router shows buckets
	sent   []*wire.V1Message
}

func newV1Bench(t *testing.T) *v1Bench {
	now := time.Unix(1e9, 0)
	cfg := Config{V1: &V1Config{Router: netip.AddrPortFrom(benchRouter, wire.Port), Version: wire.VersionV1}, Local: func(netip.Addr) netip.Addr { return selfAddr }}
	e, err := New(cfg, now)
	if err != nil {
		t.Fatal(err)
	}
	return &v1Bench{t: t, e: e, now: now, shows: true, raises: true, change: 1, caches: []netip.Addr{selfAddr}}
}

// run passes time; the router answers each HERE_I_AM.
func (b *v1Bench) run(d time.Duration) (assignments int) {
	b.t.Helper()
	for end := b.now.Add(d); b.now.Before(end); b.now = b.now.Add(time.Second) {
		b.e.Tick(b.now)
		for again := true; again; {
			again = false
			for _, a := range b.e.Take() {
				if a.Datagram == nil {
					continue
				}
				m, err := wire.ParseV1(a.Datagram)
				if err != nil {
					b.t.Fatal(err)
				}
				again = true
				if m.Type == wire.V1AssignBuckets {
					assignments++
					b.sent = append(b.sent, m)
					b.take(m)
					continue
				}
				b.answer()
			}
		}
	}
	return assignments
}

func (b *v1Bench) take(m *wire.V1Message) {
	if b.deaf || m.ReceiveID != b.id {
		return
	}
	b.table = make([]netip.Addr, 256)
	for i, k := range m.Table {
		if at, ok := k.Index(); ok {
			b.table[i] = m.Caches[at].Addr
		}
	}
	if b.raises {
		b.change++
	}
}

func (b *v1Bench) answer() {
	b.id++
	m := wire.V1Message{Type: wire.V1ISeeYou, Version: wire.VersionV1, Change: b.change, ReceiveID: b.id}
	for _, c := range b.caches {
		entry := wire.V1Cache{Addr: c}
		for i, owner := range b.table {
			if b.shows && owner == c {
				entry.Buckets.Set(uint8(i))
			}
		}
		entry.Unassigned = entry.Buckets.Count() == 0
		m.Caches = append(m.Caches, entry)
	}
	raw, err := m.Append(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.e.Packet(b.now, netip.AddrPortFrom(benchRouter, wire.Port), raw)
}

// TestV1AssignsUntilTaken: whichever way a router tells that it took an assignment,
// it is believed; until it does, it gets the assignment with each answer.
func TestV1AssignsUntilTaken(t *testing.T) {
	for _, c := range []struct {
		name          string
		raises, shows bool
		want          int // assignments in a minute
	}{
		{"raises its number and shows buckets", true, true, 1},
		{"raises its number", true, false, 1},
		{"shows buckets", false, true, 1},
		{"tells nothing", false, false, 6},
	} {
		b := newV1Bench(t)
		b.raises, b.shows = c.raises, c.shows
		if n := b.run(time.Minute); n != c.want {
			t.Errorf("a router that %s: %d assignments, want %d", c.name, n, c.want)
		}
	}
	b := newV1Bench(t)
	b.deaf = true
	if n := b.run(time.Minute); n != 6 {
		t.Errorf("a deaf router: %d assignments, want one with each answer", n)
	}
	b.deaf = false
	if n := b.run(time.Minute); n != 1 {
		t.Errorf("a router that hears again: %d assignments", n)
	}
}

// TestV1Blocks: contiguous blocks in the router's order, the rest to the last.
func TestV1Blocks(t *testing.T) {
	b := newV1Bench(t)
	b.caches = append(b.caches, netip.MustParseAddr("10.66.0.90"), netip.MustParseAddr("10.66.0.40"))
	b.run(30 * time.Second)
	if len(b.sent) != 1 {
		t.Fatalf("%d assignments", len(b.sent))
	}
	for i, k := range b.sent[0].Table {
		if at, _ := k.Index(); at != min(i/85, 2) {
			t.Fatalf("bucket %d is cache %d's", i, at)
		}
	}
	if c := b.sent[0].Caches; c[1].Addr != b.caches[1] || c[2].Addr != b.caches[2] {
		t.Errorf("%+v", c)
	}
}

// TestV1LowestAssigns: in network order, and again when caches come and go.
func TestV1LowestAssigns(t *testing.T) {
	b := newV1Bench(t)
	b.caches = append(b.caches, netip.MustParseAddr("10.66.0.5"))
	if n := b.run(time.Minute); n != 0 {
		t.Errorf("%d assignments beside a lower cache", n)
	}
	b.caches, b.change = b.caches[:1], b.change+1
	if n := b.run(time.Minute); n != 1 {
		t.Errorf("%d assignments when the lower one has gone", n)
	}
	b.id, b.change, b.table = 0, 1, nil // the router restarts
	if n := b.run(time.Minute); n != 1 {
		t.Errorf("%d assignments after a restart", n)
	}
}
