package forward

import (
	"net/netip"
	"sync"
)

// clients are all client connections, for shutdown and for maxconn.
type clients struct {
	mu   sync.Mutex
	all  map[*client]struct{}
	from map[netip.Addr]int
	none chan struct{} // closed when the last one has gone; nil unless awaited
}

func (cs *clients) add(cl *client) {
	cs.mu.Lock()
	if cs.all == nil {
		cs.all = make(map[*client]struct{})
		cs.from = make(map[netip.Addr]int)
	}
	cs.all[cl] = struct{}{}
	cs.from[cl.remote.Addr()]++
	cs.mu.Unlock()
}

func (cs *clients) remove(cl *client) {
	cs.mu.Lock()
	if _, ok := cs.all[cl]; ok {
		delete(cs.all, cl)
		addr := cl.remote.Addr()
		if cs.from[addr]--; cs.from[addr] <= 0 {
			delete(cs.from, addr)
		}
		if len(cs.all) == 0 && cs.none != nil {
			close(cs.none)
			cs.none = nil
		}
	}
	cs.mu.Unlock()
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
	return len(cs.all)
}

// each calls f for every connection there is now.
func (cs *clients) each(f func(*client)) {
	cs.mu.Lock()
	all := make([]*client, 0, len(cs.all))
	for cl := range cs.all {
		all = append(all, cl)
	}
	cs.mu.Unlock()
	for _, cl := range all {
		f(cl)
	}
}

// empty gives a channel that is closed when there is no connection left.
func (cs *clients) empty() <-chan struct{} {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if len(cs.all) == 0 {
		c := make(chan struct{})
		close(c)
		return c
	}
	if cs.none == nil {
		cs.none = make(chan struct{})
	}
	return cs.none
}
