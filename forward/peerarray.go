package forward

import (
	hashing "github.com/cuttle-proxy/cuttle/forward/peer"
)

// array is the parents that divide keys of one kind among themselves.
type array struct {
	*hashing.Array
	parents []*peer
}

// array makes the array of the parents of one kind.
func (ps *peers) array(of func(*peer) bool) array {
	var a array
	var hosts []string
	var weights []int
	for _, p := range ps.list {
		if of(p) {
			a.parents = append(a.parents, p)
			hosts, weights = append(hosts, p.Host), append(weights, p.Weight)
		}
	}
	a.Array = hashing.NewArray(hosts, weights)
	return a
}

// choose gives the usable parent a key belongs to, nil when there is none.
func (a *array) choose(x *transaction, key []byte) *peer {
	i, ok := a.Choose(key, func(i int) bool { return a.parents[i].usable(x) })
	if !ok {
		return nil
	}
	return a.parents[i]
}

// ofURL is carp: each URL has its parent.
func (ps *peers) ofURL(x *transaction) *peer {
	if len(ps.carp.parents) == 0 {
		return nil
	}
	return ps.carp.choose(x, x.text)
}

// ofClient is sourcehash: each client has its parent.
func (ps *peers) ofClient(x *transaction) *peer {
	if len(ps.sourceHash.parents) == 0 {
		return nil
	}
	var text [64]byte
	return ps.sourceHash.choose(x, x.cl.remote.Addr().AppendTo(text[:0]))
}

// ofUser is userhash: each user who proved his name has his parent.
func (ps *peers) ofUser(x *transaction) *peer {
	if len(ps.userHash.parents) == 0 || x.entry.AuthUser == "" {
		return nil
	}
	return ps.userHash.choose(x, []byte(x.entry.AuthUser))
}
