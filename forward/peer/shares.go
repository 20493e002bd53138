package peer

import (
	"context"
)

// shares is the parents that divide keys of one kind among themselves.
type shares struct {
	*Array
	parents []*Peer
}

// shares makes the array of the parents of one kind.
func (s *Set) shares(of func(*Peer) bool) shares {
	var a shares
	var hosts []string
	var weights []int
	for _, p := range s.list {
		if of(p) {
			a.parents = append(a.parents, p)
			hosts, weights = append(hosts, p.Host), append(weights, p.Weight)
		}
	}
	a.Array = NewArray(hosts, weights)
	return a
}

// owner gives the usable parent a key belongs to, nil when there is none.
func (c *selection) owner(ctx context.Context, a *shares, key []byte) *Peer {
	i, ok := a.Choose(key, func(i int) bool { return c.usable(ctx, a.parents[i]) })
	if !ok {
		return nil
	}
	return a.parents[i]
}

// ofURL is carp: each URL has its parent.
func (c *selection) ofURL(ctx context.Context) *Peer {
	if len(c.carp.parents) == 0 {
		return nil
	}
	return c.owner(ctx, &c.carp, c.q.URL)
}

// ofClient is sourcehash: each client has its parent.
func (c *selection) ofClient(ctx context.Context) *Peer {
	if len(c.sourceHash.parents) == 0 {
		return nil
	}
	var text [64]byte
	return c.owner(ctx, &c.sourceHash, c.q.Client.AppendTo(text[:0]))
}

// ofUser is userhash: each user who proved his name has his parent.
func (c *selection) ofUser(ctx context.Context) *Peer {
	told := c.q.Facts.Told
	if len(c.userHash.parents) == 0 || told == nil || told.AuthUser == "" {
		return nil
	}
	return c.owner(ctx, &c.userHash, []byte(told.AuthUser))
}
