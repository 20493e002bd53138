package dns

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// A content network that answers with another address each time.
func TestBelongsRemembers(t *testing.T) {
	n := byte(0)
	inBubble(t, Options{PositiveTTL: time.Minute}, func(int, question) (reply, error) {
		n++
		return with(fmt.Sprintf("192.0.2.%d", n))
	}, func(t *testing.T, c *Cache, net *script) {
		belongs := func(last byte, want bool) {
			t.Helper()
			got, err := c.Belongs(t.Context(), "cdn.test", netip.AddrFrom4([4]byte{192, 0, 2, last}))
			if got != want || err != nil {
				t.Errorf("192.0.2.%d: %v, %v, want %v", last, got, err, want)
			}
		}
		belongs(1, true)
		belongs(2, false) // the answer is fresh: nobody can make us ask again so soon
		if len(net.log) != 1 {
			t.Errorf("asked %d times", len(net.log))
		}
		time.Sleep(askAgainAfter)
		belongs(2, true) // now the answer is old enough to ask for another part of the set
		belongs(1, true) // and the first one is remembered
		if len(net.log) != 2 {
			t.Errorf("asked %d times", len(net.log))
		}
		time.Sleep(24 * time.Hour)
		belongs(1, false) // host_verify_memory is over
	})
}

func TestBelongsCannotTell(t *testing.T) {
	addr := netip.MustParseAddr("192.0.2.1")
	inBubble(t, Options{}, func(int, question) (reply, error) { return reply{}, errSilent }, func(t *testing.T, c *Cache, _ *script) {
		var failed *Error
		if ok, err := c.Belongs(t.Context(), "www.test", addr); ok || !errors.As(err, &failed) || failed.Kind != TimedOut {
			t.Error(ok, err)
		}
		if ok, err := c.Belongs(t.Context(), "192.0.2.1", addr); !ok || err != nil {
			t.Error(ok, err)
		}
		if ok, err := c.Belongs(t.Context(), "192.0.2.2", addr); ok || err != nil {
			t.Error(ok, err)
		}
	})
	inBubble(t, Options{}, func(int, question) (reply, error) { return code(3) }, func(t *testing.T, c *Cache, _ *script) {
		if ok, err := c.Belongs(t.Context(), "www.test", addr); ok || err != nil {
			t.Error("a name that does not exist owns no address, and that is certain:", ok, err)
		}
	})
}

// A client that wants an IPv6 address makes us ask for AAAA although this host
// has no IPv6 address itself.
func TestBelongsAsksForIPv6(t *testing.T) {
	inBubble(t, Options{}, func(_ int, q question) (reply, error) {
		if q.class == dnsmessage.TypeAAAA {
			return with("2001:db8::1")
		}
		return with("192.0.2.1")
	}, func(t *testing.T, c *Cache, _ *script) {
		c.Addrs(t.Context(), "www.test")
		if ok, err := c.Belongs(t.Context(), "www.test", netip.MustParseAddr("2001:db8::1")); !ok || err != nil {
			t.Error(ok, err)
		}
	})
}

func TestSightingsAreBounded(t *testing.T) {
	s := sightings{names: newLRU[string, seenName]()}
	now := time.Now()
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range 3 * maxSeenPerName {
		s.add("one.test", []netip.Addr{addr(i)}, now.Add(time.Duration(i)))
	}
	if one, _ := s.names.Peek("one.test"); len(one.seen) != maxSeenPerName || s.addrs != maxSeenPerName {
		t.Errorf("%d addresses of one name, %d counted", len(one.seen), s.addrs)
	}
	if s.has("one.test", addr(0), now) || !s.has("one.test", addr(3*maxSeenPerName-1), now) {
		t.Error("the oldest must go, the latest stay")
	}
	for i := range 2 * maxSeenAddrs / 64 {
		var set []netip.Addr
		for j := range 64 {
			set = append(set, addr(j))
		}
		s.add(fmt.Sprintf("h%d.test", i), set, now)
	}
	held := 0
	for _, n := range s.names.Values() {
		held += len(n.seen)
	}
	if held > maxSeenAddrs || held != s.addrs || s.names.Len() > maxSeenNames {
		t.Errorf("%d addresses held, %d counted, %d names", held, s.addrs, s.names.Len())
	}
}

// Verified never waits: what it cannot tell it has looked up for the next one.
func TestVerified(t *testing.T) {
	hosts, _ := ParseHosts(strings.NewReader("192.0.2.7 fixed.test"), "")
	one, two := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	inBubble(t, Options{Hosts: hosts}, func(_ int, q question) (reply, error) {
		switch q.name {
		case "www.test":
			return with("192.0.2.1")
		case "slow.test":
			return code(dnsmessage.RCodeServerFailure)
		}
		return code(dnsmessage.RCodeNameError)
	}, func(t *testing.T, c *Cache, _ *script) {
		is := func(host string, addr netip.Addr, belongs, known bool) {
			t.Helper()
			if b, k := c.Verified(host, addr); b != belongs || k != known {
				t.Errorf("%s %s: %v, %v, want %v, %v", host, addr, b, k, belongs, known)
			}
		}
		is("192.0.2.1", one, true, true)
		is("192.0.2.1", two, false, true)
		is("fixed.test", netip.MustParseAddr("192.0.2.7"), true, true)
		is("fixed.test", one, false, true)
		is("not a name", one, false, true)
		for _, host := range []string{"www.test", "absent.test", "slow.test"} {
			is(host, one, false, false)
		}
		synctest.Wait() // the lookups it began
		is("WWW.test", one, true, true)
		is("www.test", two, false, true)
		is("absent.test", one, false, true)
		is("slow.test", one, false, false) // a failure tells nothing
		time.Sleep(askAgainAfter)
		is("www.test", two, false, false) // old enough to ask again
		is("www.test", one, true, true)
	})
}
