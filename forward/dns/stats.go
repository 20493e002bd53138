package dns

import (
	"net/netip"
	"slices"
	"sync/atomic"
	"time"
)

// counts counts since the start of the process.
type counts struct {
	addrRequests, addrReplies, addrHits, addrMisses, addrNegativeHits, numericHits, invalid atomic.Uint64
	nameRequests, nameReplies, nameHits, nameMisses, nameNegativeHits                       atomic.Uint64
}

// Stats is a snapshot for the manager pages ipcache, fqdncache and idns.
type Stats struct {
	Addrs, Names TableStats
	// NumericHits are lookups of addresses in text form, Invalid those of what
	// can be no name.
	NumericHits, Invalid uint64
	Servers              []ServerStats
	// RCodes counts answers by response code (0 to 5) and attempt (1 to 3).
	RCodes [rcodeKinds][failureTries]uint64
	// Search is the search list in use.
	Search []string
	// Waiting is the number of lookups under way.
	Waiting int
}

// TableStats is one of the two memories.
type TableStats struct {
	Entries                                       int
	Requests, Replies, Hits, Misses, NegativeHits uint64
}

// ServerStats is the traffic with one name server.
type ServerStats struct {
	Addr             netip.AddrPort
	Queries, Replies uint64
}

// Stats takes a snapshot of the counters.
func (c *Cache) Stats() Stats {
	set, n := c.settings.Load(), &c.counts
	s := Stats{
		Addrs: TableStats{
			Requests: n.addrRequests.Load(), Replies: n.addrReplies.Load(), Hits: n.addrHits.Load(),
			Misses: n.addrMisses.Load(), NegativeHits: n.addrNegativeHits.Load(),
		},
		Names: TableStats{
			Requests: n.nameRequests.Load(), Replies: n.nameReplies.Load(), Hits: n.nameHits.Load(),
			Misses: n.nameMisses.Load(), NegativeHits: n.nameNegativeHits.Load(),
		},
		NumericHits: n.numericHits.Load(), Invalid: n.invalid.Load(), Search: set.Search,
	}
	c.addrs.mu.Lock()
	s.Addrs.Entries = c.addrs.entries.Len() + set.Hosts.Len()
	c.addrs.mu.Unlock()
	c.names.mu.Lock()
	s.Names.Entries = c.names.entries.Len() + len(set.Hosts.names)
	c.names.mu.Unlock()
	c.asking.mu.Lock()
	s.Waiting = len(c.asking.under)
	c.asking.mu.Unlock()
	for i, addr := range set.Servers {
		t := &set.asker.counts[i]
		s.Servers = append(s.Servers, ServerStats{addr, t.queries.Load(), t.replies.Load()})
	}
	for code := range s.RCodes {
		for attempt := range s.RCodes[code] {
			s.RCodes[code][attempt] = set.asker.rcodes[code][attempt].Load()
		}
	}
	return s
}

// AddrEntry is one name in memory, for the manager page ipcache.
type AddrEntry struct {
	Name                string
	FromHosts, Negative bool
	// Unused is how long ago it was asked for, Left how long it is kept.
	Unused, Left time.Duration
	Addrs        []netip.Addr
	// Bad is how many of Addrs, at its end, are marked bad.
	Bad int
}

// AddrEntries lists the names in memory, latest used first.
func (c *Cache) AddrEntries() []AddrEntry {
	now := c.now()
	c.addrs.mu.Lock()
	defer c.addrs.mu.Unlock()
	names := c.addrs.entries.Keys() // the oldest first
	list := make([]AddrEntry, 0, len(names))
	for _, name := range slices.Backward(names) {
		e, _ := c.addrs.entries.Peek(name)
		list = append(list, AddrEntry{
			Name: name, Negative: e.failed != nil, Unused: now.Sub(e.used), Left: e.expires.Sub(now),
			Addrs: e.order, Bad: len(e.order) - e.usable,
		})
	}
	for name, addrs := range c.settings.Load().Hosts.addrs {
		list = append(list, AddrEntry{Name: name, FromHosts: true, Addrs: addrs})
	}
	return list
}
