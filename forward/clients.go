package forward

import (
	"net/netip"
	"slices"
	"sync"
	"time"
)

// clients are all client connections, for shutdown and for maxconn. They are
// chained through themselves: an idle connection should cost little.
type clients struct {
	mu    sync.Mutex
	first *client
	count int
	from  map[netip.Addr]int
	none  chan struct{} // closed when the last one has gone; nil unless awaited
	left  chan struct{} // closed when the next one goes; nil unless awaited
}

// link is a client's place in the chain, under clients.mu.
type link struct {
	prev, next *client
	in         bool
	at         time.Time // when it came
}

func (cs *clients) add(cl *client) {
	cs.mu.Lock()
	if cs.from == nil {
		cs.from = make(map[netip.Addr]int)
	}
	cl.link = link{next: cs.first, in: true, at: time.Now()}
	if cs.first != nil {
		cs.first.link.prev = cl
	}
	cs.first = cl
	cs.count++
	cs.from[cl.remote.Addr()]++
	cs.mu.Unlock()
}

func (cs *clients) remove(cl *client) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	at := cl.link
	if !at.in {
		return
	}
	cl.link = link{}
	if at.prev != nil {
		at.prev.link.next = at.next
	} else {
		cs.first = at.next
	}
	if at.next != nil {
		at.next.link.prev = at.prev
	}
	addr := cl.remote.Addr()
	if cs.from[addr]--; cs.from[addr] <= 0 {
		delete(cs.from, addr)
	}
	if cs.count--; cs.count == 0 && cs.none != nil {
		close(cs.none)
		cs.none = nil
	}
	if cs.left != nil {
		close(cs.left)
		cs.left = nil
	}
}

// departure gives a channel that is closed when the next connection goes.
func (cs *clients) departure() <-chan struct{} {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.left == nil {
		cs.left = make(chan struct{})
	}
	return cs.left
}

// Established implements acl.ConnectionCounter.
func (cs *clients) Established(addr netip.Addr) int {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.from[addr]
}

// Len is the number of connections.
func (cs *clients) Len() int {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.count
}

// each calls f for every connection there is now.
func (cs *clients) each(f func(*client)) {
	cs.mu.Lock()
	all := make([]*client, 0, cs.count)
	for cl := cs.first; cl != nil; cl = cl.link.next {
		all = append(all, cl)
	}
	cs.mu.Unlock()
	for _, cl := range all {
		f(cl)
	}
}

// idle gives up to n connections that are not being served, those served before in
// front of those that have said nothing since a time, and old ones in front of new.
func (cs *clients) idle(n int, silent time.Time) []*client {
	if n <= 0 {
		return nil
	}
	var kept, mute []*client
	cs.mu.Lock()
	for cl := cs.first; cl != nil; cl = cl.link.next {
		switch {
		case cl.busy.Load() || cl.dismissed.Load():
		case cl.kept.Load():
			kept = append(kept, cl)
		case cl.link.at.Before(silent):
			mute = append(mute, cl)
		}
	}
	cs.mu.Unlock()
	slices.Reverse(kept)
	slices.Reverse(mute)
	all := append(kept, mute...)
	return all[:min(n, len(all))]
}

// empty gives a channel that is closed when there is no connection left.
func (cs *clients) empty() <-chan struct{} {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.count == 0 {
		c := make(chan struct{})
		close(c)
		return c
	}
	if cs.none == nil {
		cs.none = make(chan struct{})
	}
	return cs.none
}
