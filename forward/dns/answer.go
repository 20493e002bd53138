package dns

import (
	"net/netip"
	"time"
)

// Answer is a set of addresses with the order in which to try them. It is a
// view of the cache's memory: cheap to copy, never changed once handed out.
type Answer struct {
	addrs []netip.Addr // usable ones first, bad ones behind them
	good  int          // how many of addrs are usable
	first int          // where the turn stands among the usable ones

	// Expires is when the answer stops being used; zero for addresses given
	// in text form and for the hosts file.
	Expires time.Time
}

// NewAnswer makes an answer out of addresses in the order given.
func NewAnswer(addrs ...netip.Addr) Answer {
	return Answer{addrs: addrs, good: len(addrs)}
}

// Len is the number of addresses; an answer without an error has at least one.
func (a Answer) Len() int { return len(a.addrs) }

// At gives the i-th address to try. Usable addresses take turns (
// balance_on_multiple_ip), those marked bad come last.
func (a Answer) At(i int) netip.Addr {
	if i < a.good {
		i += a.first
		if i >= a.good {
			i -= a.good
		}
	}
	return a.addrs[i]
}

// Contains tells whether addr is one of the addresses, bad or not.
func (a Answer) Contains(addr netip.Addr) bool {
	addr = addr.Unmap()
	for _, have := range a.addrs {
		if have == addr {
			return true
		}
	}
	return false
}
