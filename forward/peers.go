package forward

import (
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
)

// peer is one cache_peer with its health.
type peer struct {
	*conf.Peer
	access *acl.List

	failures atomic.Int32
	probing  atomic.Bool
	probed   atomic.Int64 // when the last probe began, Unix nanoseconds
	open     atomic.Int32 // connections, idle ones too, for max-conn
	turns    int          // requests given by round-robin; under peers.mu
}

// peers are the cache_peer lines in their order.
type peers struct {
	list []*peer
	mu   sync.Mutex

	carp, sourceHash, userHash array
}

func newPeers(cfg *conf.Config, lists *acl.Set) *peers {
	ps := &peers{}
	for i, c := range cfg.Peers {
		p := &peer{Peer: c}
		if len(c.Access) > 0 {
			p.access = &lists.Peers[i]
		}
		ps.list = append(ps.list, p)
	}
	ps.carp = ps.array(func(p *peer) bool { return p.CARP })
	ps.sourceHash = ps.array(func(p *peer) bool { return p.SourceHash })
	ps.userHash = ps.array(func(p *peer) bool { return p.UserHash })
	return ps
}

// forMaybe adds a parent when the request may but need not go direct.
func (ps *peers) forMaybe(x *transaction, ways []way) []way {
	if !x.hierarchical() && x.p.cfg.NonhierarchicalDirect {
		return ways
	}
	return ps.some(x, ways)
}

// some adds the best parent: the default one, the one the user, the client or
// the URL belongs to, the next in turn, the first that is up.
func (ps *peers) some(x *transaction, ways []way) []way {
	if len(ps.list) == 0 {
		return ways
	}
	if p := ps.first(x, func(p *peer) bool { return p.Default }); p != nil {
		return append(ways, way{code: codeDefault, peer: p})
	}
	if p := ps.ofUser(x); p != nil {
		return append(ways, way{code: codeUserHash, peer: p})
	}
	if p := ps.ofClient(x); p != nil {
		return append(ways, way{code: codeSourceHash, peer: p})
	}
	if p := ps.ofURL(x); p != nil {
		return append(ways, way{code: codeCARP, peer: p})
	}
	if p := ps.inTurn(x); p != nil {
		return append(ways, way{code: codeRoundRobin, peer: p})
	}
	if p := ps.first(x, func(*peer) bool { return true }); p != nil {
		return append(ways, way{code: codeFirstUp, peer: p})
	}
	return ways
}

// all adds every parent that may be used, and the default one as a last resort.
func (ps *peers) all(x *transaction, ways []way) []way {
	for _, p := range ps.list {
		if p.usable(x) {
			ways = append(ways, way{code: codeAny, peer: p})
		}
	}
	if p := ps.first(x, func(p *peer) bool { return p.Default }); p != nil {
		ways = append(ways, way{code: codeDefault, peer: p})
	}
	return ways
}

func (ps *peers) first(x *transaction, want func(*peer) bool) *peer {
	for _, p := range ps.list {
		if want(p) && p.usable(x) {
			return p
		}
	}
	return nil
}

// inTurn is round-robin: the parent with the fewest turns for its weight; of
// equal ones the last in the file (fact "Round robin over two peers begins with
// the second one").
func (ps *peers) inTurn(x *transaction) *peer {
	var room [8]*peer
	candidates := room[:0]
	for _, p := range ps.list {
		if p.RoundRobin && p.usable(x) { // may wait for DNS: not under the lock
			candidates = append(candidates, p)
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	ps.mu.Lock()
	defer ps.mu.Unlock()
	best := candidates[0]
	for _, p := range candidates[1:] {
		if p.turns*best.Weight <= best.turns*p.Weight {
			best = p
		}
	}
	best.turns++
	return best
}

// usable reports whether a request may be sent to the peer as its parent.
func (p *peer) usable(x *transaction) bool {
	if p.typeFor(x) != conf.PeerParent || !p.allows(x) || !p.up(x) {
		return false
	}
	return p.MaxConn == 0 || int(p.open.Load()) < p.MaxConn
}

// typeFor is the peer's type for the request's domain (neighbor_type_domain).
func (p *peer) typeFor(x *transaction) conf.PeerType {
	for _, d := range p.TypeDomains {
		if domainMatches(view(x.url.Host), d.Domain) {
			return d.Type
		}
	}
	return p.Type
}

// allows is cache_peer_domain and cache_peer_access.
func (p *peer) allows(x *transaction) bool {
	use := true
	for _, d := range p.Domains {
		if domainMatches(view(x.url.Host), d.Domain) {
			use = !d.Negate
			break
		}
		use = d.Negate
	}
	if !use || p.access == nil {
		return use
	}
	return p.access.Check(x.context(), &x.facts).Allowed()
}

// domainMatches compares as dstdomain does: a leading dot covers the domain and
// all below it.
func domainMatches(host, domain string) bool {
	if strings.HasPrefix(domain, ".") {
		tail := len(host) - len(domain)
		return tail >= 0 && strings.EqualFold(host[tail:], domain) || strings.EqualFold(host, domain[1:])
	}
	return strings.EqualFold(host, domain)
}
