package origin

import (
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

// Every field of a key keeps connections apart: who it was opened as, where it
// left from, where it goes to, for which peer and with which type of service.
func TestEveryKeyFieldCounts(t *testing.T) {
	b := newBench(t, PoolOptions{Timeout: time.Minute})
	c, _ := b.open()
	c.Key = Key{
		As: netip.MustParseAddr("10.0.0.1"), From: netip.MustParseAddr("10.0.0.2"), To: b.key.To,
		Peer: "parent", TOS: 8,
	}
	b.pool.Put(c, time.Now())
	for name, change := range map[string]func(*Key){
		"nobody":             func(k *Key) { k.As = netip.Addr{} },
		"another subscriber": func(k *Key) { k.As = netip.MustParseAddr("10.0.0.3") },
		"the same, mapped":   func(k *Key) { k.As = netip.MustParseAddr("::ffff:10.0.0.1") },
		"another outgoing":   func(k *Key) { k.From = netip.MustParseAddr("10.0.0.1") },
		"another address":    func(k *Key) { k.To = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), k.To.Port()) },
		"another port":       func(k *Key) { k.To = netip.AddrPortFrom(k.To.Addr(), k.To.Port()^1) },
		"a direct one":       func(k *Key) { k.Peer = "" },
		"another peer":       func(k *Key) { k.Peer = "Parent" },
		"another TOS":        func(k *Key) { k.TOS = 0 },
	} {
		k := c.Key
		change(&k)
		if b.pool.Get(k) != nil {
			t.Errorf("%s gets it", name)
		}
	}
	if b.pool.Get(c.Key) != c {
		t.Error("its own key does not get it")
	}
}

// isOpen reports whether our end is open; nothing is ever sent in these tests.
func isOpen(c *Conn) bool { return c.Clean() }

// A sweep closes what is too old and nothing else, forgets empty keys, and
// comes again for the rest.
func TestSweep(t *testing.T) {
	b := newBench(t, PoolOptions{Timeout: time.Minute})
	put := func(tos uint8, age time.Duration) *Conn {
		c, _ := b.open()
		c.Key.TOS = tos
		b.pool.Put(c, time.Now().Add(-age))
		return c
	}
	old, young := put(1, 2*time.Minute), put(1, time.Second)
	alone := put(2, time.Hour)
	b.pool.sweep()
	if isOpen(old) || isOpen(alone) || !isOpen(young) {
		t.Errorf("open: old %v, alone %v, young %v", isOpen(old), isOpen(alone), isOpen(young))
	}
	if b.pool.Len() != 1 || len(b.pool.byKey) != 1 || b.pool.wake == nil {
		t.Errorf("%d kept under %d keys, next sweep %v", b.pool.Len(), len(b.pool.byKey), b.pool.wake != nil)
	}
	if b.pool.Get(young.Key) != young {
		t.Error("the young one is gone")
	}
	b.pool.sweep()
	if b.pool.Len() != 0 || len(b.pool.byKey) != 0 || b.pool.wake != nil {
		t.Errorf("%d kept under %d keys, next sweep %v", b.pool.Len(), len(b.pool.byKey), b.pool.wake != nil)
	}
}

// A connection that is taken out and put back starts its wait anew.
func TestUseRenewsTheWait(t *testing.T) {
	b := newBench(t, PoolOptions{Timeout: time.Minute})
	c, _ := b.open()
	b.pool.Put(c, time.Now().Add(-2*time.Minute))
	b.pool.Put(b.pool.Get(b.key), time.Now())
	b.pool.sweep()
	if b.pool.Len() != 1 || !isOpen(c) {
		t.Error("closed although it was just used")
	}
}

// pconn_timeout 0 (or server_persistent_connections off) keeps none.
func TestNoneKept(t *testing.T) {
	b := newBench(t, PoolOptions{})
	c, _ := b.open()
	b.pool.Put(c, time.Now())
	if b.pool.Len() != 0 || isOpen(c) {
		t.Error("kept")
	}
}

// A reconfigure changes the bounds for what comes, and DropIdle clears what was
// kept under the old ones.
func TestNewBounds(t *testing.T) {
	b := newBench(t, PoolOptions{Timeout: time.Minute})
	var all []*Conn
	for range 3 {
		c, _ := b.open()
		b.pool.Put(c, time.Now())
		all = append(all, c)
	}
	b.pool.SetOptions(PoolOptions{Timeout: time.Minute, PerKey: 1, Total: 2})
	late, _ := b.open()
	b.pool.Put(late, time.Now())
	if b.pool.Len() != 3 || isOpen(late) {
		t.Errorf("%d kept beside the new bounds", b.pool.Len())
	}
	b.pool.DropIdle()
	for _, c := range all {
		if isOpen(c) {
			t.Error("open after DropIdle")
		}
	}
	if b.pool.Len() != 0 || b.pool.Get(b.key) != nil {
		t.Errorf("%d kept after DropIdle", b.pool.Len())
	}
	again, _ := b.open()
	b.pool.Put(again, time.Now())
	if b.pool.Get(b.key) != again {
		t.Error("nothing is kept any more")
	}
}

// After Close the pool takes nothing in; what a transaction still holds is
// closed when it is done with it.
func TestClosedPool(t *testing.T) {
	b := newBench(t, PoolOptions{Timeout: time.Minute})
	kept, _ := b.open()
	held, _ := b.open()
	b.pool.Put(kept, time.Now())
	b.pool.Close()
	b.pool.Put(held, time.Now())
	if isOpen(kept) || isOpen(held) || b.pool.Len() != 0 || b.pool.wake != nil {
		t.Errorf("kept open %v, held open %v, %d kept", isOpen(kept), isOpen(held), b.pool.Len())
	}
	b.pool.Close()
}

// The watcher's word about a connection that is in use does not touch the pool;
// about one in the middle of an idle list it takes out that one.
func TestHangUpTakesTheRightOne(t *testing.T) {
	b := newBench(t, PoolOptions{Timeout: time.Minute})
	var all []*Conn
	for range 3 {
		c, _ := b.open()
		all = append(all, c)
	}
	used, _ := b.open()
	for _, c := range all {
		b.pool.Put(c, time.Now())
	}
	used.HungUp(used.Conn, false)
	if b.pool.Len() != 3 || !isOpen(used) {
		t.Errorf("%d kept; the used one open: %v", b.pool.Len(), isOpen(used))
	}
	all[1].HungUp(all[1].Conn, true)
	all[1].HungUp(all[1].Conn, true)
	if got := b.pool.Get(b.key); got != all[2] {
		t.Errorf("got %p, want the last", got)
	}
	if got := b.pool.Get(b.key); got != all[0] || b.pool.Len() != 0 || isOpen(all[1]) {
		t.Errorf("got %p, want the first; %d kept", got, b.pool.Len())
	}
}

// A connection counts from when it is told to until it is closed, whoever closes
// it and however often.
func TestCountIn(t *testing.T) {
	b := newBench(t, PoolOptions{Timeout: time.Minute})
	var open atomic.Int32
	one, _ := b.open()
	two, _ := b.open()
	other, _ := b.open()
	one.CountIn(&open)
	two.CountIn(&open)
	b.pool.Put(one, time.Now())
	if open.Load() != 2 {
		t.Errorf("%d open, want 2: an idle one counts", open.Load())
	}
	b.pool.DropIdle()
	one.Close()
	other.Close()
	if open.Load() != 1 {
		t.Errorf("%d open, want 1", open.Load())
	}
	two.HungUp(two.Conn, true) // in use: whoever uses it closes it
	two.Close()
	if open.Load() != 0 {
		t.Errorf("%d open, want none", open.Load())
	}
}
