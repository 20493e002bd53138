package dns

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// Cache is the Resolver: hosts file, memory, name servers.
type Cache struct {
	settings atomic.Pointer[settings]
	addrs    ipcache
	names    fqdncache
	seen     sightings
	asking   flights[question]
	sawIPv6  atomic.Bool // a client wanted to go to an IPv6 address
	now      func() time.Time
	life     context.Context // ends with Close
	end      context.CancelFunc
	counts   counts
}

// settings is what a reconfigure replaces. Entries outlive it.
type settings struct {
	Options
	asker *asker
}

var _ Resolver = (*Cache)(nil)

// New makes a resolver. It opens no socket before the first question.
func New(o Options) *Cache {
	o = o.withDefaults()
	return newCache(o, newWire(&o), time.Now)
}

func newCache(o Options, net exchanger, now func() time.Time) *Cache {
	c := &Cache{now: now}
	c.life, c.end = context.WithCancel(context.Background())
	c.addrs.entries.init()
	c.names.entries.init()
	c.seen.names.init()
	c.settings.Store(&settings{o, newAsker(&o, net)})
	return c
}

// Reconfigure goes on with other options; what is in memory stays, as it does
// in 2.6. Lookups under way end under the old ones.
func (c *Cache) Reconfigure(o Options) {
	o = o.withDefaults()
	c.settings.Store(&settings{o, newAsker(&o, newWire(&o))})
}

// Close ends every lookup and waits for their goroutines.
func (c *Cache) Close() {
	c.end()
	c.asking.close()
}

// Addrs implements Resolver.
func (c *Cache) Addrs(ctx context.Context, host string) (Answer, error) {
	return c.find(ctx, host, true)
}

// Look implements Resolver.
func (c *Cache) Look(ctx context.Context, host string) (Answer, error) {
	return c.find(ctx, host, false)
}

func (c *Cache) find(ctx context.Context, host string, takeTurn bool) (Answer, error) {
	c.counts.addrRequests.Add(1)
	if addr, ok := Numeric(host); ok {
		c.counts.numericHits.Add(1)
		return Answer{lone: addr}, nil
	}
	set := c.settings.Load()
	name := canonical(host)
	if fixed := set.Hosts.addrs[name]; fixed != nil {
		c.counts.addrHits.Add(1)
		return Answer{addrs: fixed}, nil
	}
	turn := takeTurn && set.TakeTurns
	if a, failed, ok := c.addrs.find(name, c.now(), turn); ok {
		if failed != nil {
			c.counts.addrNegativeHits.Add(1)
			return Answer{}, failed
		}
		c.counts.addrHits.Add(1)
		return a, nil
	}
	if !askable(name) {
		c.counts.invalid.Add(1)
		return Answer{}, &Error{strings.Clone(host), BadName, ""}
	}
	c.counts.addrMisses.Add(1)
	return c.lookUp(ctx, set, strings.Clone(name), turn)
}

// lookUp asks the servers and waits for the answer.
func (c *Cache) lookUp(ctx context.Context, set *settings, name string, turn bool) (Answer, error) {
	fl := c.asking.start(question{name, dnsmessage.TypeA}, func() error { return c.fetchAddrs(set, name) })
	if fl == nil {
		return Answer{}, &Error{name, Overloaded, ""}
	}
	if err := fl.wait(ctx); err != nil {
		return Answer{}, err
	}
	a, failed, ok := c.addrs.find(name, c.now(), turn)
	if failed != nil {
		return Answer{}, failed
	}
	if !ok {
		return Answer{}, &Error{name, Overloaded, "the answer was dropped at once"}
	}
	return a, nil
}

// fetchAddrs asks for the addresses of a canonical name and keeps the outcome.
func (c *Cache) fetchAddrs(set *settings, name string) error {
	begun := c.now()
	both := c.sawIPv6.Load() || set.IPv6()
	r, err := set.asker.addresses(c.life, name, both)
	now := c.now()
	c.counts.addrReplies.Add(1)
	if set.Took != nil {
		set.Took(now.Sub(begun))
	}
	e := addrEntry{order: r.addrs, since: now, used: now, both: both, expires: now.Add(set.NegativeTTL)}
	if err != nil {
		if !errors.As(err, &e.failed) {
			return err
		}
		c.addrs.put(name, e, set.highWater(), set.lowWater())
		return err
	}
	e.expires = now.Add(set.keep(r.ttl))
	c.seen.add(name, r.addrs, now)
	c.addrs.put(name, e, set.highWater(), set.lowWater())
	return nil
}

// keep bounds the time an answer is kept.
func (s *settings) keep(ttl time.Duration) time.Duration {
	return max(min(ttl, s.PositiveTTL), s.NegativeTTL)
}

func (s *settings) highWater() int { return max(1, s.AddrEntries*s.AddrHigh/100) }
func (s *settings) lowWater() int  { return max(1, min(s.AddrEntries*s.AddrLow/100, s.highWater())) }

// MarkBad implements Resolver.
func (c *Cache) MarkBad(host string, addr netip.Addr) {
	set := c.settings.Load()
	c.addrs.mark(canonical(host), addr, true, c.now().Add(max(time.Minute, set.NegativeTTL)))
}

// MarkGood implements Resolver.
func (c *Cache) MarkGood(host string, addr netip.Addr) {
	c.addrs.mark(canonical(host), addr, false, time.Time{})
}
