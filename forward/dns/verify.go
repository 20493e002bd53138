package dns

import (
	"net/netip"
	"sync"
	"time"
)

// Bounds of the memory behind Belongs: what a name may take, and all names.
const (
	maxSeenPerName = 256
	maxSeenNames   = 16384
	maxSeenAddrs   = 131072
)

// sightings remembers which addresses were in answers for a name
// (host_verify_memory): content networks answer differently each time.
type sightings struct {
	mu    sync.Mutex
	names lru[string, seenName]
	addrs int // in all names
}

type seenName struct{ seen []sighting }

type sighting struct {
	addr netip.Addr
	last time.Time
}

// add notes that an answer for name held addrs.
func (s *sightings) add(name string, addrs []netip.Addr, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.names.Get(name)
	if !ok {
		n = new(seenName)
		s.names.Add(name, n)
	}
	for _, addr := range addrs {
		s.addrs += n.add(addr, now)
	}
	forget := func(n *seenName) { s.addrs -= len(n.seen) }
	s.names.shrink(maxSeenNames, forget)
	for s.addrs > maxSeenAddrs {
		s.names.shrink(s.names.Len()-1, forget)
	}
}

// add renews addr or puts it in the place of the oldest one. It returns how
// many more addresses are held.
func (n *seenName) add(addr netip.Addr, now time.Time) int {
	oldest := 0
	for i := range n.seen {
		if n.seen[i].addr == addr {
			n.seen[i].last = now
			return 0
		}
		if n.seen[i].last.Before(n.seen[oldest].last) {
			oldest = i
		}
	}
	if len(n.seen) == maxSeenPerName {
		n.seen[oldest] = sighting{addr, now}
		return 0
	}
	n.seen = append(n.seen, sighting{addr, now})
	return 1
}

// has reports whether addr was in an answer for name after the given time.
func (s *sightings) has(name string, addr netip.Addr, after time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, _ := s.names.Peek(name)
	if n == nil {
		return false
	}
	for i := range n.seen {
		if n.seen[i].addr == addr {
			return n.seen[i].last.After(after)
		}
	}
	return false
}
