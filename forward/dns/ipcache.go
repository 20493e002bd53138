package dns

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// ipcache remembers the addresses of names: answers and failures.
type ipcache struct {
	mu      sync.Mutex
	entries lru[string, addrEntry]
}

// addrEntry is what is known of one name.
type addrEntry struct {
	order   []netip.Addr // those that take turns, other usable ones, bad ones; never changed in place
	usable  int          // how many of order are not marked bad
	turns   int          // how many of order take turns
	next    int          // whose turn it is
	failed  *Error       // a failure instead of addresses
	expires time.Time
	since   time.Time // when the answer came
	used    time.Time
	both    bool            // AAAA was asked for as well, and is answered
	late    dnsmessage.Type // A or AAAA where the answer is still awaited, else 0
}

// find gives the entry of a canonical name if it may still be used.
func (c *ipcache) find(name string, now time.Time, takeTurn bool) (a Answer, failed *Error, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, _ := c.entries.Get(name)
	if e == nil || !now.Before(e.expires) {
		return Answer{}, nil, false
	}
	e.used = now
	if e.failed != nil {
		return Answer{}, e.failed, true
	}
	a = e.answer()
	if takeTurn && e.turns > 1 {
		if e.next++; e.next == e.turns {
			e.next = 0
		}
	}
	return a, nil, true
}

func (e *addrEntry) answer() Answer {
	return Answer{addrs: e.order, turns: e.turns, first: e.next, Expires: e.expires}
}

// put keeps an answer or a failure and drops the longest unused entries when
// there are more than high, until low are left.
func (c *ipcache) put(name string, e addrEntry, high, low int) {
	e.arrange(e.order, nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries.Add(name, &e)
	if c.entries.Len() > high {
		c.entries.shrink(max(low, 1), nil)
	}
}

// addLate puts records that came after those of the other family into the entry of a
// name, which is a failure where there was no other record.
func (c *ipcache) addLate(q question, addrs []netip.Addr, expires, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, _ := c.entries.Peek(q.name)
	if e == nil || e.late != q.class || !now.Before(e.expires) {
		return
	}
	e.late, e.both = 0, true
	addrs = slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool { return slices.Contains(e.order, a) })
	if len(addrs) == 0 {
		return
	}
	if e.failed != nil {
		e.failed, e.expires = nil, expires
	} else if expires.Before(e.expires) {
		e.expires = expires
	}
	e.arrange(slices.Concat(e.order[:e.usable], addrs), e.order[e.usable:])
}

// hasBoth reports whether the entry of a name knows about AAAA records.
func (c *ipcache) hasBoth(name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, _ := c.entries.Peek(name)
	return e != nil && e.both
}

// arrange puts the usable addresses in front, each once: IPv4, then IPv6. Those
// of the first family take turns.
func (e *addrEntry) arrange(usable, bad []netip.Addr) {
	order := make([]netip.Addr, 0, len(usable)+len(bad))
	for _, a := range usable {
		if a.Is4() && !slices.Contains(order, a) {
			order = append(order, a)
		}
	}
	e.turns = len(order)
	for _, a := range usable {
		if !a.Is4() && !slices.Contains(order, a) {
			order = append(order, a)
		}
	}
	if e.turns == 0 {
		e.turns = len(order)
	}
	e.usable = len(order)
	e.order = append(order, bad...)
	if e.next >= e.turns {
		e.next = 0
	}
}

// mark notes that an address failed, or that it works after all. When all have
// failed, all are good again: there is nothing better to try.
func (c *ipcache) mark(name string, addr netip.Addr, bad bool, until time.Time) {
	addr = addr.Unmap()
	c.mu.Lock()
	defer c.mu.Unlock()
	e, _ := c.entries.Peek(name)
	if e == nil || e.failed != nil {
		return
	}
	at := -1
	for i, have := range e.order {
		if have == addr {
			at = i
		}
	}
	if at < 0 || bad == (at >= e.usable) {
		return
	}
	good := append([]netip.Addr(nil), e.order[:e.usable]...)
	out := append([]netip.Addr(nil), e.order[e.usable:]...)
	if bad {
		good = append(good[:at], good[at+1:]...)
		out = append(out, addr)
		if until.Before(e.expires) {
			e.expires = until
		}
		if at < e.next {
			e.next--
		}
		if len(good) == 0 {
			good, out, e.next = out, nil, 0
		}
	} else {
		out = append(out[:at-e.usable], out[at-e.usable+1:]...)
		good = append(good, addr)
	}
	e.arrange(good, out)
}
