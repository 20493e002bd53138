package dns

import (
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// bothAnswers is a network whose servers answer the two questions for addresses each
// in its own way.
func bothAnswers(four, six func() (reply, error)) *script {
	return &script{answer: func(_ int, q question) (reply, error) {
		if q.class == dnsmessage.TypeA {
			return four()
		}
		return six()
	}}
}

func after(d time.Duration, f func() (reply, error)) func() (reply, error) {
	return func() (reply, error) { time.Sleep(d); return f() }
}

func both(net *script) *Cache {
	return newCache(Options{Servers: servers(1), IPv6: func() bool { return true }}.withDefaults(), net, time.Now)
}

// The answer about one family is not waited for for long when the other one is
// there, whatever that one says; what comes later is there for the next who asks.
func TestAddressesOfBothFamilies(t *testing.T) {
	four := func() (reply, error) { return with("192.0.2.9") }
	six := func() (reply, error) { return with("2001:db8::9") }
	none := func() (reply, error) { return reply{}, nil }
	dropped := func() (reply, error) { return reply{}, errSilent }
	failure := func() (reply, error) { return code(dnsmessage.RCodeServerFailure) }
	for name, c := range map[string]struct {
		four, six func() (reply, error)
		want      string
		took      time.Duration
		later     string
	}{
		"both":                   {four, six, "192.0.2.9 2001:db8::9", 0, ""},
		"only IPv4":              {four, none, "192.0.2.9", 0, ""},
		"only IPv6":              {none, six, "2001:db8::9", 0, ""},
		"neither":                {none, none, "looking up a.test: the host name has no address", 0, ""},
		"AAAA is never answered": {four, dropped, "192.0.2.9", resolutionDelay, ""},
		"no A, AAAA is dropped":  {none, dropped, "looking up a.test: the host name has no address", resolutionDelay, ""},
		"AAAA is late":           {four, after(time.Second, six), "192.0.2.9", resolutionDelay, "192.0.2.9 2001:db8::9"},
		"only AAAA, and late":    {none, after(time.Second, six), "looking up a.test: the host name has no address", resolutionDelay, "2001:db8::9"},
		"AAAA fails":             {four, failure, "192.0.2.9", 0, ""},
		"A is never answered":    {dropped, six, "2001:db8::9", ipv4Patience, ""},
		"A is late":              {after(3*time.Second, four), six, "2001:db8::9", ipv4Patience, "192.0.2.9 2001:db8::9"},
		"A fails late":           {after(2*time.Second, failure), none, "looking up a.test: the name servers failed (192.0.2.1:53)", 6 * time.Second, ""},
		"no such name":           {func() (reply, error) { return code(3) }, dropped, "looking up a.test: no such host name", 0, ""},
		"no such name for AAAA":  {after(time.Second, four), func() (reply, error) { return code(3) }, "192.0.2.9", time.Second, ""},
		"neither is answered":    {dropped, dropped, "looking up a.test: the name servers did not answer in time (192.0.2.1:53: silence)", 2 * time.Minute, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cache := both(bothAnswers(c.four, c.six))
				defer cache.Close()
				begun := time.Now()
				a, err := cache.Look(t.Context(), "a.test")
				if got := told(a, err); got != c.want {
					t.Errorf("got %q, want %q", got, c.want)
				}
				if took := time.Since(begun); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
				if c.later == "" {
					return
				}
				time.Sleep(5 * time.Second)
				if got := told(cache.Look(t.Context(), "a.test")); got != c.later {
					t.Errorf("later %q, want %q", got, c.later)
				}
			})
		})
	}
}

func told(a Answer, err error) string {
	if err != nil {
		return err.Error()
	}
	return list(a)
}

// Whether a client's IPv6 address belongs to a name waits for AAAA records that are
// late, and not for ever for those that never come.
func TestBelongsWaitsForLateAAAA(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		four := func() (reply, error) { return with("192.0.2.9") }
		cache := both(bothAnswers(four, after(500*time.Millisecond, func() (reply, error) { return with("2001:db8::9") })))
		defer cache.Close()
		if ok, err := cache.Belongs(t.Context(), "a.test", netip.MustParseAddr("2001:db8::9")); !ok || err != nil {
			t.Error(ok, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		cache := both(bothAnswers(func() (reply, error) { return with("192.0.2.9") }, func() (reply, error) { return reply{}, errSilent }))
		defer cache.Close()
		begun := time.Now()
		if ok, err := cache.Belongs(t.Context(), "a.test", netip.MustParseAddr("2001:db8::9")); ok || err != nil || time.Since(begun) > 3*aaaaPatience {
			t.Error(ok, err, time.Since(begun))
		}
	})
}

// A server that never answers about AAAA, and answers other questions, is not waited
// for any more; one answer, or time, and it is asked again. A server that is just
// down has said nothing about AAAA.
func TestServersSilentAboutAAAA(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var silent, down atomic.Bool
		silent.Store(true)
		net := &script{answer: func(_ int, q question) (reply, error) {
			if down.Load() || silent.Load() && q.class == dnsmessage.TypeAAAA {
				return reply{}, errSilent
			}
			return with(map[dnsmessage.Type]string{dnsmessage.TypeA: "192.0.2.9", dnsmessage.TypeAAAA: "2001:db8::9"}[q.class])
		}}
		cache := both(net)
		defer cache.Close()
		names := 0
		took := func() time.Duration {
			begun := time.Now()
			names++
			cache.Look(t.Context(), string(rune('a'+names))+".test")
			return time.Since(begun)
		}
		down.Store(true)
		took()
		took()
		time.Sleep(time.Minute)
		down.Store(false)
		for i := range silentAfter {
			if d := took(); d != resolutionDelay {
				t.Errorf("name %d took %v", i, d)
			}
			time.Sleep(6 * time.Second) // until the question about AAAA has gone unanswered
		}
		if d := took(); d != 0 {
			t.Errorf("a server known to be silent is waited for: %v", d)
		}
		time.Sleep(silentFor)
		if d := took(); d != resolutionDelay {
			t.Errorf("it is not asked again after %v: %v", silentFor, d)
		}
		time.Sleep(silentFor + 10*time.Second)
		silent.Store(false)
		if took() != 0 {
			t.Error("an answer was waited for")
		}
		silent.Store(true)
		if d := took(); d != resolutionDelay {
			t.Errorf("a server that answered is called silent: %v", d)
		}
	})
}
