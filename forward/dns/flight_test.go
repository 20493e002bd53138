package dns

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// from is a context of the client with that number.
func from(ctx context.Context, client int) context.Context {
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(client >> 8), byte(client)}), 1024)
	return context.WithValue(ctx, ClientKey, &addr)
}

func overloaded(err error) bool {
	var failed *Error
	return errors.As(err, &failed) && failed.Kind == Overloaded
}

func nobodyAnswers(int, question) (reply, error) { return reply{}, errSilent }

// However many names a client asks for and leaves, others find room: what nobody
// waits for is bounded, ends soon, and makes way.
func TestHitAndRunLeavesRoom(t *testing.T) {
	inBubble(t, Options{}, nobodyAnswers, func(t *testing.T, c *Cache, _ *script) {
		for i := range 3 * maxParked {
			ctx, leave := context.WithCancel(from(t.Context(), 1))
			go func() { c.Addrs(ctx, fmt.Sprintf("n%d.dead.test", i)) }()
			synctest.Wait()
			leave()
			synctest.Wait()
			if n := c.Stats().Waiting; n > maxParked {
				t.Fatalf("%d lookups under way after %d names", n, i)
			}
		}
		for i := range 3 * maxParked {
			c.Verified(fmt.Sprintf("v%d.dead.test", i), netip.MustParseAddr("192.0.2.1"))
			c.KnownName(netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}))
		}
		synctest.Wait()
		if n := c.Stats().Waiting; n > maxParked {
			t.Fatalf("%d lookups nobody waits for", n)
		}
		time.Sleep(parkedFor + 1)
		synctest.Wait()
		if n := c.Stats().Waiting; n != 0 {
			t.Errorf("%d lookups go on although nobody waits", n)
		}
		if n := len(c.AddrEntries()); n != 0 {
			t.Errorf("%d names are remembered of lookups that were cancelled", n)
		}
	})
}

// A client has so many lookups it waits for and no more; other clients, and its own
// names that are being looked up already, are no part of that.
func TestLookupsOfOneClient(t *testing.T) {
	inBubble(t, Options{}, nobodyAnswers, func(t *testing.T, c *Cache, _ *script) {
		ctx, leave := context.WithCancel(t.Context())
		for i := range maxPerClient {
			go c.Addrs(from(ctx, 1), fmt.Sprintf("h%d.test", i))
		}
		synctest.Wait()
		if _, err := c.Addrs(from(ctx, 1), "more.test"); !overloaded(err) {
			t.Errorf("one more: %v", err)
		}
		if _, err := c.Name(from(ctx, 1), netip.MustParseAddr("192.0.2.1")); !overloaded(err) {
			t.Errorf("one more name: %v", err)
		}
		for _, other := range []context.Context{from(ctx, 2), ctx} {
			short, end := context.WithTimeout(other, time.Second)
			if _, err := c.Addrs(short, "more.test"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("another client: %v", err)
			}
			end()
		}
		short, end := context.WithTimeout(from(ctx, 1), time.Second)
		defer end()
		if _, err := c.Addrs(short, "h0.test"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a name that is being looked up: %v", err)
		}
		leave()
		synctest.Wait()
		short, end = context.WithTimeout(from(t.Context(), 1), time.Second)
		defer end()
		if _, err := c.Addrs(short, "more.test"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after it left: %v", err)
		}
		if n := len(c.asking.clients); n != 0 {
			t.Errorf("%d clients on the books", n)
		}
	})
}

// IPv6 clients count by their network: they have 2^64 addresses.
func TestClientsOfOneNetworkAreOne(t *testing.T) {
	for text, want := range map[string]string{"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "fe80::1%eth0": "fe80::"} {
		addr := netip.AddrPortFrom(netip.MustParseAddr(text), 1024)
		if got := clientOf(context.WithValue(t.Context(), ClientKey, &addr)); got.String() != want {
			t.Errorf("%s counts as %v, want %s", text, got, want)
		}
	}
	if got := clientOf(t.Context()); got.IsValid() {
		t.Errorf("nobody is %v", got)
	}
}

// Who comes to a parked lookup takes it over, on the own account; a cancelled one is
// begun anew and tells nobody that it was.
func TestParkedLookupsAreTakenOver(t *testing.T) {
	slow := func(int, question) (reply, error) { time.Sleep(parkedFor - time.Second); return with("192.0.2.9") }
	inBubble(t, Options{}, slow, func(t *testing.T, c *Cache, net *script) {
		ctx, leave := context.WithTimeout(from(t.Context(), 1), time.Second)
		defer leave()
		if _, err := c.Addrs(ctx, "a.test"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if a, err := c.Addrs(from(t.Context(), 2), "a.test"); list(a) != "192.0.2.9" || err != nil || len(net.log) != 1 {
			t.Errorf("%s, %v after %v", list(a), err, net.log)
		}
		ctx, leave = context.WithTimeout(from(t.Context(), 1), time.Second)
		defer leave()
		c.Addrs(ctx, "b.test")
		c.asking.mu.Lock()
		c.asking.evict(c.asking.under[question{"b.test", typeAddrs}])
		c.asking.mu.Unlock()
		if a, err := c.Addrs(t.Context(), "b.test"); list(a) != "192.0.2.9" || err != nil || len(net.log) != 3 {
			t.Errorf("%s, %v after %v", list(a), err, net.log)
		}
	})
}
