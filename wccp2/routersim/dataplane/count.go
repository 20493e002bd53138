package dataplane

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// Count is how many packets met one fate.
type Count struct {
	Service string `json:"service"`
	// Fate is gre or l2 (sent to the cache), unassigned or unmatched (forwarded as
	// if there were no WCCP), returned (by the cache), or a reason for dropping.
	Fate    string     `json:"fate"`
	Cache   netip.Addr `json:"cache,omitzero"`
	Packets uint64     `json:"packets"`
}

type countKey struct {
	service wire.ServiceID
	fate    string
	cache   netip.Addr
}

type counters struct {
	mu sync.Mutex
	n  map[countKey]uint64
}

func (c *counters) add(service wire.ServiceID, fate string, cache netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = make(map[countKey]uint64)
	}
	c.n[countKey{service, fate, cache}]++
}

func (c *counters) list() []Count {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]Count, 0, len(c.n))
	for k, n := range c.n {
		all = append(all, Count{k.service.String(), k.fate, k.cache, n})
	}
	slices.SortFunc(all, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Fate, b.Fate), a.Cache.Compare(b.Cache))
	})
	return all
}
