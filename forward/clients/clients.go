// Package clients keeps all client connections of a process, for shutdown and for
// maxconn.
package clients

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// Set is all client connections. They are chained through themselves, by the Link in
// each: an idle connection should cost little. The zero value is empty.
type Set[C any] struct {
	mu    sync.Mutex
	first *Link[C]
	count int
	from  map[netip.Addr]int
	none  chan struct{} // closed when the last one has gone; nil unless awaited
	left  chan struct{} // closed when the next one goes; nil unless awaited
}

// Link is a connection's place in a Set, which guards it.
type Link[C any] struct {
	prev, next *Link[C]
	client     C
	in         bool
	came       time.Time
}

// Add adds a connection from an address by its link.
func (s *Set[C]) Add(l *Link[C], client C, from netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.from == nil {
		s.from = make(map[netip.Addr]int)
	}
	*l = Link[C]{next: s.first, client: client, in: true, came: time.Now()}
	if s.first != nil {
		s.first.prev = l
	}
	s.first = l
	s.count++
	s.from[from]++
}

// Remove takes a connection out, if it is in.
func (s *Set[C]) Remove(l *Link[C], from netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := *l
	if !at.in {
		return
	}
	*l = Link[C]{}
	if at.prev != nil {
		at.prev.next = at.next
	} else {
		s.first = at.next
	}
	if at.next != nil {
		at.next.prev = at.prev
	}
	if s.from[from]--; s.from[from] <= 0 {
		delete(s.from, from)
	}
	if s.count--; s.count == 0 && s.none != nil {
		close(s.none)
		s.none = nil
	}
	if s.left != nil {
		close(s.left)
		s.left = nil
	}
}

// Departure gives a channel that is closed when the next connection goes.
func (s *Set[C]) Departure() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left == nil {
		s.left = make(chan struct{})
	}
	return s.left
}

// Established implements acl.ConnectionCounter.
func (s *Set[C]) Established(addr netip.Addr) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.from[addr]
}

// Len is the number of connections.
func (s *Set[C]) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
}

// Each calls f for every connection there is now.
func (s *Set[C]) Each(f func(C)) {
	s.mu.Lock()
	all := make([]C, 0, s.count)
	for l := s.first; l != nil; l = l.next {
		all = append(all, l.client)
	}
	s.mu.Unlock()
	for _, c := range all {
		f(c)
	}
}

// Use is what a connection is in use for.
type Use uint8

const (
	Busy Use = iota // it is being served, or about to end
	Kept            // it was served before, and waits for the next request
	New             // it has been asked nothing yet
)

// Idle gives up to n connections that are not busy, those that are kept in front of
// those that have asked nothing since a time, and old ones in front of new. use is
// called under the lock of the set.
func (s *Set[C]) Idle(n int, silent time.Time, use func(C) Use) []C {
	if n <= 0 {
		return nil
	}
	var kept, mute []C
	s.mu.Lock()
	for l := s.first; l != nil; l = l.next {
		switch u := use(l.client); {
		case u == Kept:
			kept = append(kept, l.client)
		case u == New && l.came.Before(silent):
			mute = append(mute, l.client)
		}
	}
	s.mu.Unlock()
	slices.Reverse(kept)
	slices.Reverse(mute)
	all := append(kept, mute...)
	return all[:min(n, len(all))]
}

// Empty gives a channel that is closed when there is no connection left.
func (s *Set[C]) Empty() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.count == 0 {
		c := make(chan struct{})
		close(c)
		return c
	}
	if s.none == nil {
		s.none = make(chan struct{})
	}
	return s.none
}
