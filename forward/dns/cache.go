package dns

import (
	"context"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"
)

// Cache is the Resolver: hosts file, memory, name servers.
type Cache struct {
	settings atomic.Pointer[settings]
	addrs    ipcache
	names    fqdncache
	seen     sightings
	asking   flights
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
	c.addrs.entries = newLRU[string, addrEntry]()
	c.names.entries = newLRU[netip.Addr, nameEntry]()
	c.seen.names = newLRU[string, seenName]()
	c.asking = flights{life: c.life, under: map[question]*flight{}, clients: map[netip.Addr]int{}}
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
	fl, full := c.asking.join(question{name, typeAddrs}, clientOf(ctx), c.addrLookup(set, name))
	if full != nil {
		return Answer{}, full
	}
	if _, err := c.asking.wait(ctx, fl); err != nil {
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

// addrLookup is the work of a lookup of addresses; its reply is in memory.
func (c *Cache) addrLookup(set *settings, name string) func(context.Context) (reply, error) {
	return func(ctx context.Context) (reply, error) { return reply{}, c.fetchAddrs(ctx, set, name) }
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

// clientKey is the type of ClientKey.
type clientKey struct{}

// ClientKey is the key under which a context may hold the address of the client it
// is asked for, as a *netip.AddrPort: lookups that wait are counted for each client.
var ClientKey any = clientKey{}

// clientOf is on whose account a lookup is; those of one IPv6 network are one.
func clientOf(ctx context.Context) netip.Addr {
	client, _ := ctx.Value(ClientKey).(*netip.AddrPort)
	if client == nil || !client.IsValid() {
		return netip.Addr{}
	}
	addr := client.Addr().Unmap().WithZone("")
	if addr.Is6() {
		addr = netip.PrefixFrom(addr, 64).Masked().Addr()
	}
	return addr
}
