package dns

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func noIPv6() bool { return false }

// inBubble runs f with a Cache over a fake network and a fake clock.
func inBubble(t *testing.T, o Options, answer func(server int, q question) (reply, error), f func(t *testing.T, c *Cache, net *script)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Servers = servers(1)
		if o.IPv6 == nil {
			o.IPv6 = noIPv6
		}
		net := &script{answer: answer}
		c := newCache(o.withDefaults(), net, time.Now)
		defer c.Close()
		f(t, c, net)
	})
}

func list(a Answer) string {
	var words []string
	for i := range a.Len() {
		words = append(words, a.At(i).String())
	}
	return strings.Join(words, " ")
}

func TestCacheKeepsForTheTTL(t *testing.T) {
	for ttl, kept := range map[time.Duration]time.Duration{
		0:                time.Minute, // negative_dns_ttl is the shortest time
		time.Second:      time.Minute,
		10 * time.Minute: 10 * time.Minute,
		100 * time.Hour:  6 * time.Hour, // positive_dns_ttl is the longest
	} {
		answer := func(int, question) (reply, error) {
			return reply{addrs: []netip.Addr{netip.MustParseAddr("192.0.2.9")}, ttl: ttl}, nil
		}
		inBubble(t, Options{}, answer, func(t *testing.T, c *Cache, net *script) {
			for _, step := range []struct {
				wait  time.Duration
				asked int
			}{{0, 1}, {kept - 1, 1}, {1, 2}} {
				time.Sleep(step.wait)
				if _, err := c.Addrs(t.Context(), "WWW.test."); err != nil || len(net.log) != step.asked {
					t.Errorf("ttl %v, after %v more: asked %d times, want %d (%v)", ttl, step.wait, len(net.log), step.asked, err)
				}
			}
		})
	}
}

func TestCacheKeepsFailures(t *testing.T) {
	inBubble(t, Options{NegativeTTL: 10 * time.Second}, func(int, question) (reply, error) { return code(3) },
		func(t *testing.T, c *Cache, net *script) {
			for _, step := range []struct {
				wait  time.Duration
				asked int
			}{{0, 1}, {9 * time.Second, 1}, {time.Second, 2}} {
				time.Sleep(step.wait)
				_, err := c.Addrs(t.Context(), "www.test")
				var failed *Error
				if !errors.As(err, &failed) || failed.Kind != NotFound || len(net.log) != step.asked {
					t.Errorf("asked %d times, want %d; %v", len(net.log), step.asked, err)
				}
			}
			if s := c.Stats().Addrs; s.Requests != 3 || s.NegativeHits != 1 || s.Misses != 2 || s.Replies != 2 {
				t.Errorf("%+v", s)
			}
		})
}

func TestCacheAsksNobodyAboutTheseNames(t *testing.T) {
	hosts, _ := ParseHosts(strings.NewReader("192.0.2.7 fixed.test\n::7 fixed.test"), "")
	inBubble(t, Options{Hosts: hosts}, func(int, question) (reply, error) { t.Error("asked"); return code(3) },
		func(t *testing.T, c *Cache, _ *script) {
			for host, want := range map[string]string{
				"192.0.2.1": "192.0.2.1", "[::1]": "::1", "::ffff:192.0.2.1": "192.0.2.1",
				"fixed.test": "192.0.2.7 ::7", "FIXED.test.": "192.0.2.7 ::7",
				"": "bad", "a..b": "bad", "a b.test": "bad", strings.Repeat("a", 64) + ".test": "bad",
			} {
				a, err := c.Addrs(t.Context(), host)
				var failed *Error
				if want == "bad" {
					if !errors.As(err, &failed) || failed.Kind != BadName {
						t.Errorf("%q: %v", host, err)
					}
				} else if list(a) != want || err != nil {
					t.Errorf("%q: %s, %v, want %s", host, list(a), err, want)
				}
			}
			if name, err := c.Name(t.Context(), netip.MustParseAddr("::ffff:192.0.2.7")); name != "fixed.test" || err != nil {
				t.Errorf("%q, %v", name, err)
			}
		})
}

func TestCacheJoinsEqualQuestions(t *testing.T) {
	answer := func(int, question) (reply, error) {
		time.Sleep(time.Second)
		return with("192.0.2.9")
	}
	inBubble(t, Options{}, answer, func(t *testing.T, c *Cache, net *script) {
		results := make(chan string)
		for range 100 {
			go func() {
				a, err := c.Addrs(t.Context(), "www.test")
				results <- fmt.Sprint(list(a), err)
			}()
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := c.Addrs(impatient, "www.test"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the impatient one got %v", err)
		}
		for range 100 {
			if got := <-results; got != "192.0.2.9<nil>" {
				t.Error(got)
			}
		}
		if len(net.log) != 1 {
			t.Errorf("asked %d times", len(net.log))
		}
	})
}

func TestCacheRefusesTooMany(t *testing.T) {
	inBubble(t, Options{}, func(int, question) (reply, error) { return reply{}, errSilent },
		func(t *testing.T, c *Cache, _ *script) {
			ctx, cancel := context.WithCancel(t.Context())
			for i := range maxFlights {
				go c.Addrs(from(ctx, i), fmt.Sprintf("h%d.test", i))
			}
			synctest.Wait()
			var failed *Error
			if _, err := c.Addrs(ctx, "more.test"); !errors.As(err, &failed) || failed.Kind != Overloaded {
				t.Error(err)
			}
			if n := c.Stats().Waiting; n != maxFlights {
				t.Errorf("%d waiting", n)
			}
			cancel()
		})
}

func TestCacheIsBounded(t *testing.T) {
	inBubble(t, Options{AddrEntries: 100, AddrHigh: 90, AddrLow: 50, NameEntries: 10},
		func(_ int, q question) (reply, error) {
			if q.class == dnsmessage.TypePTR {
				return reply{name: "x.test", ttl: time.Hour}, nil
			}
			return with("192.0.2.9")
		},
		func(t *testing.T, c *Cache, net *script) {
			for i := range 90 {
				c.Addrs(t.Context(), fmt.Sprintf("h%d.test", i))
			}
			c.Addrs(t.Context(), "h0.test") // used again: stays
			if n := c.Stats().Addrs.Entries; n != 90 {
				t.Errorf("%d entries below the high mark", n)
			}
			c.Addrs(t.Context(), "one-more.test")
			if n := c.Stats().Addrs.Entries; n != 50 {
				t.Errorf("%d entries after the high mark", n)
			}
			before := len(net.log)
			c.Addrs(t.Context(), "h0.test")
			c.Addrs(t.Context(), "h1.test")
			if asked := len(net.log) - before; asked != 1 {
				t.Errorf("asked %d times: the one used last must have stayed, the oldest not", asked)
			}
			for i := range 30 {
				c.Name(t.Context(), netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}))
			}
			if n := c.Stats().Names.Entries; n != 10 {
				t.Errorf("%d names", n)
			}
		})
}

func TestCacheTakesTurns(t *testing.T) {
	addrs := func(int, question) (reply, error) { return with("192.0.2.1", "2001:db8::1", "192.0.2.2", "192.0.2.3") }
	inBubble(t, Options{TakeTurns: true, IPv6: func() bool { return true }}, addrs, func(t *testing.T, c *Cache, _ *script) {
		for i, want := range []string{"1 2 3", "2 3 1", "3 1 2", "1 2 3"} {
			c.Look(t.Context(), "www.test") // takes no turn
			a, _ := c.Addrs(t.Context(), "www.test")
			var got []string
			for i := range 3 {
				got = append(got, strings.TrimPrefix(a.At(i).String(), "192.0.2."))
			}
			if strings.Join(got, " ") != want || !a.At(3).Is6() {
				t.Errorf("turn %d: %s, want %s first", i, list(a), want)
			}
		}
	})
	inBubble(t, Options{}, addrs, func(t *testing.T, c *Cache, _ *script) {
		for range 3 {
			if a, _ := c.Addrs(t.Context(), "www.test"); a.At(0).String() != "192.0.2.1" {
				t.Errorf("balance_on_multiple_ip off: %s", list(a))
			}
		}
	})
}

func TestCacheMarksAddresses(t *testing.T) {
	addr := func(n byte) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, n}) }
	inBubble(t, Options{NegativeTTL: time.Second}, func(int, question) (reply, error) { return with("192.0.2.1", "192.0.2.2", "192.0.2.3") },
		func(t *testing.T, c *Cache, net *script) {
			is := func(want string) {
				t.Helper()
				if a, err := c.Look(t.Context(), "www.test"); list(a) != want || err != nil {
					t.Errorf("%s, %v, want %s", list(a), err, want)
				}
			}
			is("192.0.2.1 192.0.2.2 192.0.2.3")
			before, _ := c.Look(t.Context(), "www.test")
			c.MarkBad("www.test", addr(1))
			is("192.0.2.2 192.0.2.3 192.0.2.1")
			if list(before) != "192.0.2.1 192.0.2.2 192.0.2.3" {
				t.Error("an answer changed in the hands of its owner")
			}
			c.MarkBad("www.test", addr(1))   // again: nothing new
			c.MarkBad("www.test", addr(9))   // unknown
			c.MarkBad("other.test", addr(2)) // unknown
			c.MarkGood("www.test", addr(2))  // was never bad
			is("192.0.2.2 192.0.2.3 192.0.2.1")
			c.MarkBad("www.test", addr(3))
			is("192.0.2.2 192.0.2.1 192.0.2.3")
			c.MarkGood("www.test", addr(1))
			is("192.0.2.2 192.0.2.1 192.0.2.3")
			c.MarkBad("www.test", addr(2))
			c.MarkBad("www.test", addr(1)) // all bad: all good again
			if a, _ := c.Look(t.Context(), "www.test"); a.Len() != 3 {
				t.Error(list(a))
			}
			if e := c.AddrEntries()[0]; e.Bad != 0 || e.Left > time.Minute {
				t.Errorf("%+v: to be asked again within a minute", e)
			}
			time.Sleep(time.Minute)
			is("192.0.2.1 192.0.2.2 192.0.2.3")
			if len(net.log) != 2 {
				t.Errorf("asked %d times", len(net.log))
			}
		})
}

func TestNames(t *testing.T) {
	addr := netip.MustParseAddr("192.0.2.1")
	inBubble(t, Options{}, func(_ int, q question) (reply, error) {
		if q.name == "1.2.0.192.in-addr.arpa" {
			return reply{name: "host.test", ttl: time.Hour}, nil
		}
		return reply{}, nil
	}, func(t *testing.T, c *Cache, net *script) {
		if name, ok := c.KnownName(addr); ok {
			t.Errorf("knew %q from nowhere", name)
		}
		synctest.Wait() // the lookup it began
		if name, ok := c.KnownName(addr); !ok || name != "host.test" {
			t.Errorf("%q, %v", name, ok)
		}
		var failed *Error
		for range 2 {
			if _, err := c.Name(t.Context(), netip.MustParseAddr("192.0.2.2")); !errors.As(err, &failed) || failed.Kind != NoData {
				t.Error(err)
			}
		}
		if len(net.log) != 2 {
			t.Errorf("asked %v", net.log)
		}
	})
}

func TestReconfigureKeepsMemory(t *testing.T) {
	inBubble(t, Options{}, func(int, question) (reply, error) { return with("192.0.2.9") }, func(t *testing.T, c *Cache, net *script) {
		c.Addrs(t.Context(), "www.test")
		hosts, _ := ParseHosts(strings.NewReader("192.0.2.7 fixed.test"), "")
		c.Reconfigure(Options{Servers: servers(2), Hosts: hosts})
		if a, err := c.Addrs(t.Context(), "www.test"); list(a) != "192.0.2.9" || err != nil {
			t.Error(list(a), err)
		}
		if a, err := c.Addrs(t.Context(), "fixed.test"); list(a) != "192.0.2.7" || err != nil {
			t.Error(list(a), err)
		}
	})
}

func TestCloseEndsLookups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := &script{answer: func(int, question) (reply, error) { return reply{}, errSilent }}
		c := newCache(Options{Servers: servers(1), IPv6: func() bool { return true }}.withDefaults(), net, time.Now)
		ended := make(chan error)
		go func() {
			_, err := c.Addrs(context.Background(), "www.test")
			ended <- err
		}()
		synctest.Wait()
		go c.Close()
		if err := <-ended; err == nil {
			t.Error("no error")
		}
	})
}
