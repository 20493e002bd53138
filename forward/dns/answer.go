package dns

import (
	"net/netip"
	"time"
)

// Answer is a set of addresses with the order in which to try them. It is a
// view of the cache's memory: cheap to copy, never changed once handed out.
type Answer struct {
	addrs []netip.Addr // those that take turns, other usable ones, bad ones
	turns int          // how many of addrs take turns
	first int          // whose turn it is, below turns
	lone  netip.Addr   // the only address, instead of addrs

	// Expires is when the answer stops being used; zero for addresses given
	// in text form and for the hosts file.
	Expires time.Time
}

// NewAnswer makes an answer out of addresses in the order given.
func NewAnswer(addrs ...netip.Addr) Answer { return Answer{addrs: addrs} }

// Len is the number of addresses; an answer without an error has at least one.
func (a Answer) Len() int {
	if a.lone.IsValid() {
		return 1
	}
	return len(a.addrs)
}

// At gives the i-th address to try. IPv4 comes before IPv6, and what was
// marked bad comes last.
func (a Answer) At(i int) netip.Addr {
	if i == 0 && a.lone.IsValid() {
		return a.lone
	}
	if i < a.turns {
		i += a.first
		if i >= a.turns {
			i -= a.turns
		}
	}
	return a.addrs[i]
}

// Contains reports whether addr is one of the addresses, bad or not.
func (a Answer) Contains(addr netip.Addr) bool {
	addr = addr.Unmap()
	if addr == a.lone && addr.IsValid() {
		return true
	}
	for _, have := range a.addrs {
		if have == addr {
			return true
		}
	}
	return false
}
