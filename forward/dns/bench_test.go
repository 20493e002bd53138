package dns

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// warm is a Cache with many names in memory.
func warm(tb testing.TB, names int) *Cache {
	net := &script{answer: func(int, question) (reply, error) { return with("192.0.2.1", "192.0.2.2") }}
	c := newCache(Options{Servers: servers(1), IPv6: noIPv6, AddrEntries: 2 * names, TakeTurns: true}.withDefaults(), net, time.Now)
	tb.Cleanup(c.Close)
	for i := range names {
		if _, err := c.Addrs(context.Background(), fmt.Sprintf("host%d.example.com", i)); err != nil {
			tb.Fatal(err)
		}
	}
	c.names.put(netip.MustParseAddr("192.0.2.1"), nameEntry{name: "host.test", expires: time.Now().Add(time.Hour)}, 10)
	return c
}

// A hit allocates nothing.
func TestHitsDoNotAllocate(t *testing.T) {
	c, ctx := warm(t, 100), context.Background()
	addr := netip.MustParseAddr("192.0.2.1")
	for name, f := range map[string]func(){
		"Addrs":     func() { c.Addrs(ctx, "host7.example.com") },
		"Look":      func() { c.Look(ctx, "host7.example.com.") },
		"numeric":   func() { c.Addrs(ctx, "192.0.2.55") },
		"Name":      func() { c.Name(ctx, addr) },
		"KnownName": func() { c.KnownName(addr) },
		"Belongs":   func() { c.Belongs(ctx, "host7.example.com", addr) },
		"MarkGood":  func() { c.MarkGood("host7.example.com", addr) },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkAddrsHit(b *testing.B) {
	c, ctx := warm(b, 10000), context.Background()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			c.Addrs(ctx, "host77.example.com")
		}
	})
}

func BenchmarkBelongs(b *testing.B) {
	c, ctx := warm(b, 10000), context.Background()
	addr := netip.MustParseAddr("192.0.2.2")
	b.ReportAllocs()
	for b.Loop() {
		c.Belongs(ctx, "host77.example.com", addr)
	}
}
