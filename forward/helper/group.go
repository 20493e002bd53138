package helper

import (
	"slices"
	"sync"
	"time"
)

// Group is all pools of a process, those of configurations that are on their way out
// too.
type Group struct {
	// Spawner starts the programs; nil means Exec.
	Spawner Spawner

	mu    sync.Mutex
	pools []*Pool
}

// Start starts a pool of the group.
func (g *Group) Start(o Options) *Pool {
	if o.Spawner == nil {
		o.Spawner = g.Spawner
	}
	p := NewPool(o)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pools = append(slices.DeleteFunc(g.pools, (*Pool).gone), p)
	return p
}

// gone reports whether the pool is closed and its last process ended.
func (p *Pool) gone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed && len(p.children) == 0
}

// Stats are those of all pools, in the order they were started.
func (g *Group) Stats() (list []Stats) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.pools {
		if !p.gone() {
			list = append(list, p.Stats())
		}
	}
	return list
}

// End closes all pools, gives the processes a time to end by themselves, and ends those
// that have not.
func (g *Group) End(patience time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, p := range g.pools {
		p.Close()
	}
	t := time.AfterFunc(patience, func() {
		for _, p := range g.pools {
			p.Kill()
		}
	})
	for _, p := range g.pools {
		p.Wait()
	}
	t.Stop()
	g.pools = nil
}
