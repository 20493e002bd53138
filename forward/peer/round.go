package peer

import (
	"context"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/peer/icp"
)

// round is the questions of one request to its neighbours, and what their answers
// come to. It knows no socket and no clock.
type round struct {
	number   uint32 // of its ICP queries
	began    time.Time
	wait     time.Duration
	useRTT   bool // query_icmp
	asked    []asked
	expected int // answers that are waited for
	heard    int
	replied  atomic.Bool // the request has its reply

	hit       *Peer
	hitParent bool
	// first is the parent whose miss came first by its weight.
	first     *Peer
	firstTime time.Duration
	// closest is the parent nearest to the origin by its own word, in milliseconds.
	closest    *Peer
	closestRTT int
}

// asked is one neighbour of a round.
type asked struct {
	peer   *Peer
	parent bool
	to     netip.AddrPort
	number uint32 // of its HTCP request
	done   bool
}

// answer is what a neighbour said.
type answer struct {
	what icp.Opcode
	// rtt in milliseconds and hops to the origin, 0 for unknown.
	rtt, hops int
}

// mayAsk reports whether the peer is asked about the request at all: one that is
// dead is, once in dead_peer_timeout.
func (c *selection) mayAsk(ctx context.Context, p *Peer) bool {
	if !p.asksAtAll() || p.removed() || c.env.Talk == nil || !c.env.Talk.reaches(p) || !p.mayUse(ctx, &c.q) {
		return false
	}
	if p.Type == conf.PeerSibling && !c.hierarchical(&c.q) {
		return false
	}
	p.mu.Lock()
	rested := c.now.Sub(p.life.asked) > c.cfg.DeadPeerTimeout
	p.mu.Unlock()
	return rested || p.upAt(c.now)
}

// ask chooses whom to ask, beginning with another one each time, and notes that
// they are being asked. It gives nil when nobody is.
func (c *selection) ask(ctx context.Context) *round {
	var who []*Peer
	first := -1 // in who, of the one behind whom it began last
	for i, p := range c.list {
		if !c.mayAsk(ctx, p) {
			continue
		}
		if first < 0 && i >= c.env.first(len(c.list)) {
			first = len(who)
		}
		who = append(who, p)
	}
	if len(who) == 0 {
		return nil
	}
	c.env.starts.Add(1)
	r := &round{began: c.now, useRTT: c.cfg.QueryICMP}
	var parents, siblings, members share
	for i := range who {
		p := who[(max(first, 0)+i)%len(who)]
		to, ok := p.address(ctx)
		if !ok {
			continue
		}
		parent := p.TypeFor(c.q.host()) == conf.PeerParent
		up := p.upAt(c.now)
		r.asked = append(r.asked, asked{peer: p, parent: parent, to: to})
		if p.noteQuestion(up, c.now); !up {
			continue
		}
		switch {
		case p.Type == conf.PeerMulticast:
			c.findMembers(ctx)
			members.add(p.groupSize(), p.averageRTT())
		case parent:
			parents.add(1, p.averageRTT())
		default:
			siblings.add(1, p.averageRTT())
		}
	}
	r.expected = parents.n + siblings.n + members.n
	r.wait = c.patience(parents, members, siblings)
	return r
}

// findMembers looks up those who answer for a group, so that they are recognized.
func (s *Set) findMembers(ctx context.Context) {
	for _, p := range s.list {
		if p.MulticastResponder {
			p.address(ctx)
		}
	}
}

// share is answers expected of one kind of neighbours, and the sum of the times
// they take on average.
type share struct {
	n   int
	rtt time.Duration
}

func (s *share) add(n int, rtt time.Duration) {
	s.n += n
	s.rtt += time.Duration(n) * rtt
}

// patience is how long answers are waited for: icp_query_timeout, or twice the
// average of the first kind of neighbours that is asked.
func (c *selection) patience(kinds ...share) time.Duration {
	if d := c.cfg.ICPQueryTimeout; d > 0 {
		return d
	}
	for _, kind := range kinds {
		if kind.n > 0 {
			d := 2 * kind.rtt / time.Duration(kind.n)
			if most := c.cfg.MaximumICPQueryTimeout; most > 0 {
				d = min(d, most)
			}
			return max(d, c.cfg.MinimumICPQueryTimeout)
		}
	}
	return 0
}

// hear takes an answer of the peer that was asked as number i. It reports whether
// the round is over: all who were waited for have answered, or the object is found.
func (r *round) hear(i int, a answer, now time.Time) bool {
	q := &r.asked[i]
	if a.what == icp.Denied || a.what == icp.Err || a.what == icp.Invalid {
		q.peer.noteIgnored() // such answers are none: they cost the whole time
		return false
	}
	r.heard++ // a doubled answer too (recorded in sel-answer-oddities)
	if q.done {
		return r.heard >= r.expected
	}
	q.done = true
	switch {
	case a.what == icp.Hit:
		r.hit, r.hitParent = q.peer, q.parent
		return true
	case (a.what == icp.Miss || a.what == icp.DumbEcho) && q.parent:
		r.missed(q.peer, a, now)
	}
	return r.heard >= r.expected
}

// missed weighs the miss of a parent.
func (r *round) missed(p *Peer, a answer, now time.Time) {
	if r.useRTT && a.rtt > 0 && (r.closest == nil || a.rtt < r.closestRTT) {
		r.closest, r.closestRTT = p, a.rtt
	}
	if p.ClosestOnly || r.closest != nil {
		return
	}
	took := now.Sub(r.began) / time.Duration(max(1, p.Weight))
	if r.first == nil || took < r.firstTime {
		r.first, r.firstTime = p, took
	}
}

// outcome is the neighbour to go to, nil for none.
func (r *round) outcome() (code string, p *Peer) {
	switch {
	case r.hit != nil && r.hitParent:
		return ParentHit, r.hit
	case r.hit != nil:
		return SiblingHit, r.hit
	case r.closest != nil:
		return ClosestParentMiss, r.closest
	case r.first != nil:
		return FirstParentMiss, r.first
	}
	return "", nil
}

// find gives the index of who was asked at that address, by HTCP with that number; of
// two asked there by ICP, with the same one, it is who comes first in the configuration. A
// member of a multicast group is added when it is first heard of.
func (w *waiting) find(number uint32, by protocol, from netip.AddrPort) int {
	r, group, found := w.round, false, -1
	for i := range r.asked {
		a := &r.asked[i]
		group = group || a.peer.Type == conf.PeerMulticast
		switch {
		case a.to != from || a.peer.HTCP != (by == speaksHTCP) || a.peer.HTCP && a.number != number:
		case found < 0 || slices.Index(w.set.list, a.peer) < slices.Index(w.set.list, r.asked[found].peer):
			found = i
		}
	}
	if found >= 0 {
		return found
	}
	if by == speaksHTCP || !group || w.over {
		return -1
	}
	p := w.set.at(from)
	if p == nil || !p.MulticastResponder {
		return -1
	}
	r.asked = append(r.asked, asked{peer: p, parent: p.TypeFor(w.host) == conf.PeerParent, to: from})
	return len(r.asked) - 1
}
