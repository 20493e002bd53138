package peer

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
)

// Peer is one cache_peer with its health.
type Peer struct {
	*conf.Peer
	// Connections counts those to the peer, idle ones too, for max-conn.
	Connections atomic.Int32

	access *acl.List
	env    *Env
	cfg    *conf.Config

	persistence persistence

	failures atomic.Int32
	probing  atomic.Bool
	probed   atomic.Int64 // when the last probe began, Unix nanoseconds
	unwell   atomic.Bool  // its monitor is not content
	refuses  atomic.Bool  // it is asked no more
	remote   remote       // its digest
	known    atomic.Pointer[netip.AddrPort]
	requests atomic.Uint64 // sent to it
	turns    int           // requests given by round-robin; under rota.mu
	rota     *rota

	mu      sync.Mutex // guards what follows
	life    liveness
	counted groupCount
}

// Set is the cache_peer lines of a configuration in their order.
type Set struct {
	cfg   *conf.Config
	lists *acl.Set
	env   *Env
	list  []*Peer
	rota  rota

	carp, sourceHash, userHash shares

	background background
	sites      chan string // to be looked up
}

// New makes the peers of a configuration, all of them thought to be up.
func New(cfg *conf.Config, lists *acl.Set, env *Env) *Set {
	s := &Set{cfg: cfg, lists: lists, env: env, sites: make(chan string, mostSites)}
	for i, c := range cfg.Peers {
		if isThisHost(cfg, c) {
			env.Log.Info("WARNING: Peer looks like this host")
			env.Log.Info(fmt.Sprintf("         Ignoring %s/%d/%d", c.Host, c.HTTPPort, c.ICPPort))
			continue
		}
		p := &Peer{Peer: c, env: env, cfg: cfg, rota: &s.rota}
		if len(c.Access) > 0 {
			p.access = &lists.Peers[i]
		}
		s.list = append(s.list, p)
	}
	s.carp = s.shares(func(p *Peer) bool { return p.CARP })
	s.sourceHash = s.shares(func(p *Peer) bool { return p.SourceHash })
	s.userHash = s.shares(func(p *Peer) bool { return p.UserHash })
	return s
}

// isThisHost reports whether a cache_peer line names this proxy: nobody is his own
// neighbour (recorded in conf-self).
func isThisHost(cfg *conf.Config, c *conf.Peer) bool {
	if c.Host != cfg.VisibleHostname {
		return false
	}
	for _, port := range cfg.HTTPPorts {
		if port.Addr.Port() == c.HTTPPort {
			return true
		}
	}
	return false
}

// named gives the peer of a name, nil when there is none.
func (s *Set) named(name string) *Peer {
	for _, p := range s.list {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// TypeFor is the peer's type for a host: neighbor_type_domain may give it another than its
// cache_peer line does.
func (p *Peer) TypeFor(host string) conf.PeerType {
	for _, d := range p.TypeDomains {
		if domainMatches(host, d.Domain) {
			return d.Type
		}
	}
	return p.Type
}

// Sent says that a request was sent to the peer.
func (p *Peer) Sent() { p.requests.Add(1) }

// address is where the peer is asked: its first IPv4 address, and its ICP port.
func (p *Peer) address(ctx context.Context) (netip.AddrPort, bool) {
	addrs, err := p.env.Names.Look(ctx, p.Host)
	if err != nil {
		return netip.AddrPort{}, false
	}
	for i := range addrs.Len() {
		if a := addrs.At(i).Unmap(); a.Is4() {
			to := netip.AddrPortFrom(a, p.ICPPort)
			if old := p.known.Load(); old == nil || *old != to {
				p.known.Store(&to)
			}
			return to, true
		}
	}
	return netip.AddrPort{}, false
}

// at gives the peer that is asked at an address, nil when there is none.
func (s *Set) at(from netip.AddrPort) *Peer {
	for _, p := range s.list {
		if known := p.known.Load(); known != nil && *known == from {
			return p
		}
	}
	return nil
}

// mayUse reports whether the request may go to the peer at all. A sibling is not
// asked for what it could only pass on: reloads, revalidations, and requests that
// were here already.
func (p *Peer) mayUse(ctx context.Context, q *Question) bool {
	if p.TypeFor(q.host()) == conf.PeerSibling && (q.Reload || q.Loops > 0) {
		return false
	}
	return p.allows(ctx, q)
}

// allows is cache_peer_domain and cache_peer_access.
func (p *Peer) allows(ctx context.Context, q *Question) bool {
	use := true
	for _, d := range p.Domains {
		if domainMatches(q.host(), d.Domain) {
			use = !d.Negate
			break
		}
		use = d.Negate
	}
	if !use || p.access == nil {
		return use
	}
	return p.access.Check(ctx, q.Facts).Allowed()
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
