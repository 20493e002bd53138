package peer

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// rotaPeriod is how long turns are counted.
const rotaPeriod = 5 * time.Minute

// rota counts the turns of the parents with round-robin. It begins anew when its time is
// over and when a neighbour is back: one that was away would have to catch up, and get
// all requests until it has.
type rota struct {
	mu      sync.Mutex // guards Peer.turns and began
	began   time.Time
	restart atomic.Bool // a neighbour is back
}

// inTurn is round-robin: the parent with the fewest turns for its weight; of
// equal ones the last in the file (fact "Round robin over two peers begins with
// the second one").
func (c *selection) inTurn(ctx context.Context) *Peer {
	var room [8]*Peer
	candidates := room[:0]
	for _, p := range c.list {
		if p.RoundRobin && c.usable(ctx, p) { // may wait for DNS: not under the lock
			candidates = append(candidates, p)
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	r := &c.rota
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.restart.Swap(false) || c.now.Sub(r.began) >= rotaPeriod {
		r.began = c.now
		for _, p := range c.list {
			p.turns = 0
		}
	}
	best := candidates[0]
	for _, p := range candidates[1:] {
		if p.turns*best.Weight <= best.turns*p.Weight {
			best = p
		}
	}
	best.turns++
	return best
}
