package peer

import (
	"context"
	"net/netip"
	"time"
)

// near reports whether the origin is so near that it is asked itself: nearer than
// minimum_direct_rtt or minimum_direct_hops say, or than the nearest parent, whose
// round trip in milliseconds is given, 0 for none.
func (s *Set) near(q *Question, parent int) bool {
	if s.env.Ways == nil || s.env.Ways.Len() == 0 {
		return false
	}
	rtt, hops, ok := s.env.Ways.Host(q.host(), s.env.now())
	if !ok {
		return false
	}
	ms, n := rounded(rtt), rounded(hops)
	switch {
	case ms > 0 && time.Duration(ms)*time.Millisecond <= s.cfg.MinimumDirectRTT:
		return true
	case n > 0 && n <= s.cfg.MinimumDirectHops:
		return true
	}
	return parent > 0 && ms > 0 && ms <= parent
}

func rounded(x float64) int { return int(x + 0.5) }

// closestParent is the parent nearer to the origin than this cache by what they
// told of their ways.
func (c *selection) closestParent(ctx context.Context) *Peer {
	if c.env.Ways == nil || c.env.Ways.Len() == 0 {
		return nil
	}
	var room [8]string
	for _, name := range c.env.Ways.Nearer(room[:0], c.q.host(), netip.Addr{}, c.now) {
		if p := c.named(name); p != nil && c.usable(ctx, p) {
			return p
		}
	}
	return nil
}

// learnWay keeps what a parent's answer told of its way to the origin.
func (s *Set) learnWay(p *Peer, host string, a answer) {
	if s.env.Ways != nil && s.cfg.QueryICMP && a.rtt > 0 && a.rtt < 1<<16-1 {
		s.env.Ways.LearnHost(p.Name, host, float64(a.rtt), float64(a.hops), s.env.now())
	}
}
