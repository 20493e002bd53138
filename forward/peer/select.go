package peer

import (
	"context"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// selection is the choice for one request under way.
type selection struct {
	*Set
	q    Question
	now  time.Time
	hops []Hop
	// probed: a parent that is down would have been used, and is being asked
	// whether it is back.
	probed bool
	// late: a neighbour did not answer in time.
	late bool
	// asked is the questions to neighbours, nil when there were none.
	asked *round
}

// Choice tells what a choice has begun.
type Choice struct {
	// Probed: a parent that is down would have been used, and is being asked whether
	// it is back.
	Probed bool
	// Late: a neighbour did not answer in time.
	Late bool
	// Always and Never are what always_direct and never_direct said: 1 for yes, -1 for
	// no, 0 when they were not asked.
	Always, Never int
	asked         *round
}

// Replied says that the head of the reply is there, or that there will be none.
// Until then neighbours' answers that come too late still show how long they take.
func (c *Choice) Replied() {
	if c.asked != nil {
		c.asked.replied.Store(true)
	}
}

// Select appends the places to try to hops, best first. It waits for the answers of
// neighbours, and for DNS where an access list or a peer's name needs it.
func (s *Set) Select(ctx context.Context, q *Question, hops []Hop) ([]Hop, Choice) {
	var said Choice
	direct := s.directness(ctx, q, &said)
	c := selection{Set: s, q: *q, hops: hops}
	if len(s.list) > 0 {
		c.now = s.env.now()
	}
	if q.Pinned {
		c.addPinned(ctx, direct)
	}
	if direct != mustDirect && len(s.list) > 0 && q.Facts.Method != http1.CONNECT {
		c.addNeighbour(ctx, direct)
	}
	switch {
	case direct == mustDirect:
		c.add(Direct, nil)
	case direct == neverDirect:
		c.addBest(ctx)
		c.addAll(ctx)
	case len(s.list) == 0:
		c.add(Direct, nil)
	case s.cfg.PreferDirect:
		c.add(Direct, nil)
		c.addUseful(ctx)
	default:
		c.addUseful(ctx)
		c.add(Direct, nil)
	}
	s.noteSite(q.host())
	said.Probed, said.Late, said.asked = c.probed, c.late, c.asked
	return c.hops, said
}

// addNeighbour adds the neighbour that has the object or is the best way to it: by
// the digests they gave, by what is known of the way to the origin, or by asking
// them all.
func (c *selection) addNeighbour(ctx context.Context, direct directness) {
	hierarchical := c.hierarchical(&c.q)
	if direct != neverDirect && !hierarchical {
		return
	}
	if hierarchical { // digests are of what GET gives
		if p := c.digestHit(ctx); p != nil {
			if p.TypeFor(c.q.host()) == conf.PeerParent {
				c.add(DigestParentHit, p)
			} else {
				c.add(DigestSiblingHit, p)
			}
			return
		}
	}
	if p := c.closestParent(ctx); p != nil {
		c.add(ClosestParent, p)
		return
	}
	r := c.ask(ctx)
	if r == nil {
		return
	}
	q := new(Question) // what asks is not known here: c itself stays off the heap
	*q = c.q
	c.asked = r
	c.late = c.env.Talk.ask(ctx, c.Set, q, r)
	if direct != neverDirect && c.near(&c.q, r.closestRTT) {
		c.add(ClosestDirect, nil)
		return
	}
	if code, p := r.outcome(); p != nil {
		c.add(code, p)
	}
}

// add appends one hop.
func (c *selection) add(code string, p *Peer) {
	if c.late {
		code = timedOut[code]
	}
	c.hops = append(c.hops, Hop{Code: code, Peer: p})
}

// addPinned puts the client's own connection first where it may be used.
func (c *selection) addPinned(ctx context.Context, direct directness) {
	if c.q.PinnedTo == "" {
		if direct != neverDirect {
			c.hops = append(c.hops, Hop{Pinned: true})
		}
		return
	}
	// A reconfigure may have taken the peer away.
	if p := c.named(c.q.PinnedTo); p != nil && c.usable(ctx, p) {
		c.hops = append(c.hops, Hop{Peer: p, Pinned: true})
	}
}

// addUseful adds a parent when the request may but need not go direct.
func (c *selection) addUseful(ctx context.Context) {
	if c.hierarchical(&c.q) || !c.cfg.NonhierarchicalDirect {
		c.addBest(ctx)
	}
}

// addBest adds the best parent: the default one, the one the user, the client or
// the URL belongs to, the next in turn, the first that is up.
func (c *selection) addBest(ctx context.Context) {
	if len(c.list) == 0 {
		return
	}
	if p := c.defaultParent(ctx); p != nil {
		c.add(DefaultParent, p)
	} else if p := c.ofUser(ctx); p != nil {
		c.add(UserHashParent, p)
	} else if p := c.ofClient(ctx); p != nil {
		c.add(SourceHashParent, p)
	} else if p := c.ofURL(ctx); p != nil {
		c.add(CARP, p)
	} else if p := c.inTurn(ctx); p != nil {
		c.add(RoundRobinParent, p)
	} else if p := c.firstUp(ctx); p != nil {
		c.add(FirstUpParent, p)
	}
}

// addAll adds every parent that may be used, and the default one as a last resort.
func (c *selection) addAll(ctx context.Context) {
	for _, p := range c.list {
		if c.usable(ctx, p) {
			c.add(AnyParent, p)
		}
	}
	if p := c.defaultParent(ctx); p != nil {
		c.add(DefaultParent, p)
	}
}

func (c *selection) defaultParent(ctx context.Context) *Peer {
	for _, p := range c.list {
		if p.Default && c.usable(ctx, p) {
			return p
		}
	}
	return nil
}

func (c *selection) firstUp(ctx context.Context) *Peer {
	for _, p := range c.list {
		if c.usable(ctx, p) {
			return p
		}
	}
	return nil
}

// usable reports whether the request may be sent to the peer as its parent.
func (c *selection) usable(ctx context.Context, p *Peer) bool {
	return p.TypeFor(c.q.host()) == conf.PeerParent && c.servable(ctx, p)
}

// servable reports whether the peer can serve the request now. One to which
// connections fail is probed, so that its return is noticed.
func (c *selection) servable(ctx context.Context, p *Peer) bool {
	if p.removed() || !p.mayUse(ctx, &c.q) {
		return false
	}
	if _, err := p.env.Names.Look(ctx, p.Host); err != nil {
		return false // without an address it is no use, and not asked in vain
	}
	if p.failures.Load() >= downAfter {
		c.probed = p.probe(p.Patience(c.cfg.PeerConnectTimeout)) || c.probed
		return false
	}
	return p.upAt(c.now) && (p.MaxConn == 0 || int(p.Connections.Load()) < p.MaxConn)
}
