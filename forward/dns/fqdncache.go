package dns

import (
	"net/netip"
	"sync"
	"time"
)

// fqdncache remembers the names of addresses: answers and failures.
type fqdncache struct {
	mu      sync.Mutex
	entries lru[netip.Addr, nameEntry]
}

// nameEntry is what is known of one address.
type nameEntry struct {
	name    string
	failed  *Error // a failure instead of a name
	expires time.Time
	used    time.Time
}

// find gives the name of an address if what is known may still be used.
func (c *fqdncache) find(addr netip.Addr, now time.Time) (name string, failed *Error, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, _ := c.entries.Get(addr)
	if e == nil || !now.Before(e.expires) {
		return "", nil, false
	}
	e.used = now
	return e.name, e.failed, true
}

// put keeps a name or a failure; the longest unused entries above max go.
func (c *fqdncache) put(addr netip.Addr, e nameEntry, max int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries.Add(addr, &e)
	c.entries.shrink(max, nil)
}
