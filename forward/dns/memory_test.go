package dns

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"pgregory.net/rapid"
)

// All spellings of a name are one question, failures are shared like answers, and
// who leaves early leaves the answer to those who come later.
func TestLookupsAreShared(t *testing.T) {
	for name, c := range map[string]struct {
		answer func() (reply, error)
		want   string
	}{
		"an answer":    {func() (reply, error) { return with("192.0.2.9") }, "192.0.2.9 <nil>"},
		"a failure":    {func() (reply, error) { return code(dnsmessage.RCodeNameError) }, " looking up www.test: no such host name"},
		"no addresses": {func() (reply, error) { return reply{}, nil }, " looking up www.test: the host name has no address"},
	} {
		t.Run(name, func(t *testing.T) {
			slow := func(int, question) (reply, error) { time.Sleep(time.Second); return c.answer() }
			inBubble(t, Options{}, slow, func(t *testing.T, cache *Cache, net *script) {
				ctx, leave := context.WithCancel(t.Context())
				left := make(chan error)
				go func() { _, err := cache.Addrs(ctx, "www.test"); left <- err }()
				synctest.Wait()
				results := make(chan string)
				for _, host := range []string{"www.test", "WWW.test", "www.test.", "Www.Test."} {
					go func() { a, err := cache.Look(t.Context(), host); results <- fmt.Sprint(list(a), " ", err) }()
				}
				leave()
				if err := <-left; !errors.Is(err, context.Canceled) {
					t.Errorf("who left got %v", err)
				}
				for range 4 {
					if got := <-results; got != c.want {
						t.Errorf("%q, want %q", got, c.want)
					}
				}
				a, err := cache.Addrs(t.Context(), "www.test")
				if got := fmt.Sprint(list(a), " ", err); got != c.want || len(net.log) != 1 {
					t.Errorf("later %q after %v", got, net.log)
				}
			})
		})
	}
}

// A lookup all have left goes on: the next one finds its answer.
func TestLookupsOutliveTheirAskers(t *testing.T) {
	slow := func(_ int, q question) (reply, error) {
		time.Sleep(time.Second)
		if q.class == dnsmessage.TypePTR {
			return reply{name: "www.test", ttl: time.Hour}, nil
		}
		return with("192.0.2.9")
	}
	inBubble(t, Options{}, slow, func(t *testing.T, cache *Cache, net *script) {
		ctx, leave := context.WithTimeout(t.Context(), time.Millisecond)
		defer leave()
		addr := netip.MustParseAddr("192.0.2.9")
		if _, err := cache.Look(ctx, "www.test"); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if _, err := cache.Name(ctx, addr); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		time.Sleep(2 * time.Second)
		// What memory holds is given even to those whose time is over.
		if a, err := cache.Look(ctx, "www.test"); list(a) != "192.0.2.9" || err != nil {
			t.Errorf("%s, %v", list(a), err)
		}
		if name, err := cache.Name(ctx, addr); name != "www.test" || err != nil {
			t.Errorf("%q, %v", name, err)
		}
		if len(net.log) != 2 {
			t.Errorf("asked %v", net.log)
		}
	})
}

// An answer lives for its time to live, but never shorter than negative_dns_ttl nor
// longer than positive_dns_ttl, as address and as name; a failure for
// negative_dns_ttl alone.
func TestTimesToLive(t *testing.T) {
	const negative, positive = 30 * time.Second, 10 * time.Minute
	for _, c := range []struct {
		ttl, kept time.Duration
		fails     bool
	}{
		{ttl: 0, kept: negative},
		{ttl: negative - time.Second, kept: negative},
		{ttl: negative + time.Second, kept: negative + time.Second},
		{ttl: positive - time.Second, kept: positive - time.Second},
		{ttl: positive, kept: positive},
		{ttl: positive + time.Second, kept: positive},
		{ttl: maxTTLValue * time.Second, kept: positive},
		{ttl: positive, kept: negative, fails: true},
	} {
		answer := func(_ int, q question) (reply, error) {
			if c.fails {
				return reply{ttl: c.ttl, rcode: dnsmessage.RCodeNameError}, nil
			}
			if q.class == dnsmessage.TypePTR {
				return reply{name: "www.test", ttl: c.ttl}, nil
			}
			r, err := with("192.0.2.9")
			r.ttl = c.ttl
			return r, err
		}
		inBubble(t, Options{NegativeTTL: negative, PositiveTTL: positive}, answer, func(t *testing.T, cache *Cache, net *script) {
			for i, wait := range []time.Duration{0, c.kept - 1, 1} {
				time.Sleep(wait)
				a, _ := cache.Look(t.Context(), "www.test")
				cache.Name(t.Context(), netip.MustParseAddr("192.0.2.9"))
				if want := []int{2, 2, 4}[i]; len(net.log) != want {
					t.Errorf("ttl %v, fails %v: asked %d times after %v more, want %d", c.ttl, c.fails, len(net.log), wait, want)
				}
				if !c.fails && i == 0 && time.Until(a.Expires) != c.kept {
					t.Errorf("ttl %v: said to expire in %v", c.ttl, time.Until(a.Expires))
				}
			}
		})
	}
}

// The memory never holds more than its bound, loses the longest unused first and
// what it answers is what was put in.
func TestMemoryModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		high := rapid.IntRange(1, 6).Draw(t, "high")
		low := rapid.IntRange(0, high).Draw(t, "low")
		c := ipcache{entries: newLRU[string, addrEntry]()}
		begun := time.Unix(1000, 0)
		now := begun
		type entry struct {
			name    string
			addr    netip.Addr
			expires time.Time
		}
		var model []entry // latest used first
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "wait")) * time.Second)
			name := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "g", "h"}).Draw(t, "name")
			at := slices.IndexFunc(model, func(e entry) bool { return e.name == name })
			used := entry{}
			if at >= 0 {
				used = model[at]
			}
			if rapid.Bool().Draw(t, "put") {
				used = entry{name, netip.AddrFrom4([4]byte{10, 0, 0, rapid.Byte().Draw(t, "addr")}), now.Add(3 * time.Second)}
				c.put(name, addrEntry{order: []netip.Addr{used.addr}, expires: used.expires}, high, low)
			} else {
				a, failed, ok := c.find(name, now, false)
				if want := at >= 0 && now.Before(used.expires); ok != want || failed != nil || ok && a.At(0) != used.addr {
					t.Fatalf("%s at %v: %v %v, want %v of %v", name, now.Sub(begun), a, ok, want, model)
				}
				if at < 0 {
					continue
				}
			}
			if at >= 0 {
				model = slices.Delete(model, at, at+1)
			}
			if model = slices.Insert(model, 0, used); len(model) > high {
				model = model[:max(low, 1)]
			}
			if c.entries.Len() != len(model) {
				t.Fatalf("%d entries, want %v", c.entries.Len(), model)
			}
		}
	})
}

// A hosts file that changed counts from the reconfigure on: what left it is asked
// of the servers, what came into it hides what memory holds, and both directions
// follow.
func TestHostsFileIsReadAgain(t *testing.T) {
	path := write(t, "hosts", "192.0.2.1 old.test\n192.0.2.2 both.test\n")
	first := configured(t, "hosts_file "+path)
	later := configured(t, "hosts_file "+write(t, "hosts", "192.0.2.3 both.test\n192.0.2.4 new.test\n"))
	answer := func(_ int, q question) (reply, error) {
		if q.class == dnsmessage.TypePTR {
			return reply{name: "dns.test", ttl: time.Hour}, nil
		}
		return with("203.0.113.9")
	}
	inBubble(t, first, answer, func(t *testing.T, c *Cache, net *script) {
		is := func(when, want string) {
			t.Helper()
			var got []string
			for _, name := range []string{"old.test", "both.test", "new.test"} {
				a, err := c.Look(t.Context(), name)
				got = append(got, list(a))
				if err != nil {
					t.Error(err)
				}
			}
			for i := range 4 {
				name, _ := c.Name(t.Context(), netip.AddrFrom4([4]byte{192, 0, 2, byte(i + 1)}))
				got = append(got, name)
			}
			if s := strings.Join(got, " "); s != want {
				t.Errorf("%s: %s, want %s", when, s, want)
			}
		}
		is("before", "192.0.2.1 192.0.2.2 203.0.113.9 old.test both.test dns.test dns.test")
		asked := len(net.log)
		later.IPv6, later.Servers = noIPv6, servers(1)
		c.settings.Store(&settings{later, newAsker(&later, net)})
		is("after", "203.0.113.9 192.0.2.3 192.0.2.4 dns.test dns.test both.test new.test")
		if n := len(net.log) - asked; n != 3 {
			t.Errorf("asked %d times for what left the file, want 3: %v", n, net.log[asked:])
		}
	})
}

// Every form of an address has the one name, joined in one question; what cannot be
// a name is none, and each failure is kept apart.
func TestReverseLookups(t *testing.T) {
	answer := func(_ int, q question) (reply, error) {
		time.Sleep(time.Second)
		switch {
		case strings.HasPrefix(q.name, "1."):
			return reply{name: "four.test", ttl: time.Hour}, nil
		case strings.HasPrefix(q.name, "2."):
			return code(dnsmessage.RCodeNameError)
		case strings.HasPrefix(q.name, "3."):
			return code(dnsmessage.RCodeRefused)
		case strings.HasPrefix(q.name, "4."):
			return reply{}, nil
		}
		return reply{name: "six.test", ttl: time.Hour}, nil
	}
	inBubble(t, Options{Search: []string{"search.test"}}, answer, func(t *testing.T, c *Cache, net *script) {
		type asked struct{ addr, got string }
		addrs := []string{"192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "fe80::5", "fe80::5%eth0", "fe80::5%lo"}
		results := make(chan asked)
		for _, addr := range addrs {
			go func() {
				name, err := c.Name(t.Context(), netip.MustParseAddr(addr))
				var failed *Error
				if errors.As(err, &failed) {
					name = failed.Name + ": " + failed.Kind.String()
				}
				results <- asked{addr, name}
			}()
		}
		for range addrs {
			r := <-results
			want := map[string]string{
				"192.0.2.1": "four.test", "::ffff:192.0.2.1": "four.test",
				"192.0.2.2": "192.0.2.2: no such host name", "192.0.2.3": "192.0.2.3: the name servers refused to answer",
				"192.0.2.4": "192.0.2.4: the host name has no address",
			}[r.addr]
			if strings.HasPrefix(r.addr, "fe80") {
				want = "six.test"
			}
			if r.got != want {
				t.Errorf("%s: %q, want %q", r.addr, r.got, want)
			}
		}
		if len(net.log) != 5 {
			t.Errorf("asked %v", net.log)
		}
		for _, addr := range addrs { // all of it is in memory
			c.KnownName(netip.MustParseAddr(addr))
		}
		if synctest.Wait(); len(net.log) != 5 {
			t.Errorf("asked again: %v", net.log[5:])
		}
	})
}
