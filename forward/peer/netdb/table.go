package netdb

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of one network.
const (
	mostPeers = 5 // the nearest neighbours kept
	mostHosts = 64
	// pings is how many measurements an average has weight of.
	pings = 20
)

// Table is what is known of networks. Its methods are safe for concurrent use.
type Table struct {
	mu       sync.Mutex
	low      int // netdb_low: so many networks are left when there are more than high
	high     int // netdb_high
	networks map[netip.Addr]*network
	hosts    map[string]*network

	// Numbers of networks, changed under mu and asked for without it by every request:
	// all of them, and those that were measured from here.
	known, measured atomic.Int64
}

// network is the measurements of 256 addresses.
type network struct {
	addr           netip.Addr
	sent, received int
	rtt, hops      float64
	next, used     time.Time
	hosts          []string
	peers          []path // nearest first
}

// path is a neighbour's distance to a network, as it told.
type path struct {
	peer      string // its name
	rtt, hops float64
	till      time.Time
}

// pathLife is how long a neighbour's word is believed.
const pathLife = time.Hour

// New makes an empty table of at most high networks.
func New(low, high int) *Table {
	t := &Table{networks: map[netip.Addr]*network{}, hosts: map[string]*network{}}
	t.SetBounds(low, high)
	return t
}

// SetBounds is netdb_low and netdb_high.
func (t *Table) SetBounds(low, high int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.high = max(1, high)
	t.low = min(max(1, low), t.high) // the one just used stays
	t.purge()
}

// Network is the network an address is in; IPv6 has none here, as in 2.6.
func Network(a netip.Addr) (netip.Addr, bool) {
	if a = a.Unmap(); !a.Is4() {
		return netip.Addr{}, false
	}
	b := a.As4()
	b[3] = 0
	return netip.AddrFrom4(b), true
}

// Name says that a host has an address: what is known of its network is known of
// the host from now on.
func (t *Table) Name(host string, addr netip.Addr, now time.Time) {
	a, ok := Network(addr)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.network(a, now)
	if t.hosts[host] != n {
		t.name(host, n)
	}
}

// name makes n the network of a host.
func (t *Table) name(host string, n *network) {
	if old := t.hosts[host]; old != nil {
		old.hosts = slices.DeleteFunc(old.hosts, func(h string) bool { return h == host })
	}
	if len(n.hosts) >= mostHosts {
		delete(t.hosts, n.hosts[0])
		n.hosts = slices.Delete(n.hosts, 0, 1)
	}
	n.hosts = append(n.hosts, host)
	t.hosts[host] = n
}

// network gives the entry of a network, a new one where there is none.
func (t *Table) network(a netip.Addr, now time.Time) *network {
	n := t.networks[a]
	if n == nil {
		n = &network{addr: a}
		t.networks[a] = n
		t.known.Add(1)
	}
	n.used = now
	if len(t.networks) > t.high {
		t.purge()
	}
	return n
}

// purge drops those that were used longest ago, down to the lower bound, when
// there are more than the upper one.
func (t *Table) purge() {
	if len(t.networks) <= t.high {
		return
	}
	all := make([]*network, 0, len(t.networks))
	for _, n := range t.networks {
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b *network) int {
		return cmp.Or(a.used.Compare(b.used), a.addr.Compare(b.addr))
	})
	for _, n := range all[:len(all)-t.low] {
		delete(t.networks, n.addr)
		t.known.Add(-1)
		if n.received > 0 {
			t.measured.Add(-1)
		}
		for _, h := range n.hosts {
			delete(t.hosts, h)
		}
	}
}

// Wants reports whether something is to be done about a host: it is not known which
// network it is in or, where distances are measured, that is due again.
func (t *Table) Wants(host string, measured bool, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.hosts[host]
	return n == nil || measured && !now.Before(n.next)
}

// Measures reports whether anything was measured from here.
func (t *Table) Measures() bool { return t.measured.Load() > 0 }

// Host is the measured way to a host, ok is false for one that was never measured
// from here.
func (t *Table) Host(host string, now time.Time) (rtt, hops float64, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.hosts[host]
	if n == nil || n.received == 0 {
		return 0, 0, false
	}
	n.used = now
	return n.rtt, n.hops, true
}

// Due reports whether the network of an address wants to be measured again, and if
// so counts the measurement as begun; period is netdb_ping_period.
func (t *Table) Due(addr netip.Addr, period time.Duration, now time.Time) bool {
	a, ok := Network(addr)
	if !ok {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.network(a, now)
	if now.Before(n.next) {
		return false
	}
	n.next = now.Add(period)
	n.sent++
	return true
}

// Measured is the outcome of a measurement.
func (t *Table) Measured(addr netip.Addr, rtt time.Duration, hops int, now time.Time) {
	a, ok := Network(addr)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.network(a, now)
	if n.received++; n.received == 1 && t.networks[a] == n { // of equal age, it may have gone already
		t.measured.Add(1)
	}
	weight := float64(min(n.received, pings))
	ms := max(1, float64(rtt)/float64(time.Millisecond))
	n.rtt += (ms - n.rtt) / weight
	n.hops += (float64(hops) - n.hops) / weight
}

// Learn is what a neighbour told of the way from it to a host (in an answer) or
// to a network (in the exchange).
func (t *Table) Learn(peer string, a netip.Addr, rtt, hops float64, now time.Time) {
	a, ok := Network(a)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.learn(t.network(a, now), peer, rtt, hops, now)
}

// LearnHost is Learn for the network of a host, where that is known.
func (t *Table) LearnHost(peer, host string, rtt, hops float64, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := t.hosts[host]; n != nil {
		t.learn(n, peer, rtt, hops, now)
	}
}

func (t *Table) learn(n *network, peer string, rtt, hops float64, now time.Time) {
	i := slices.IndexFunc(n.peers, func(p path) bool { return p.peer == peer })
	if i < 0 {
		n.peers = append(n.peers, path{peer: peer})
		i = len(n.peers) - 1
	}
	p := &n.peers[i]
	p.rtt, p.hops, p.till = rtt, hops, now.Add(pathLife)
	slices.SortStableFunc(n.peers, func(a, b path) int { return cmp.Compare(a.rtt, b.rtt) })
	if len(n.peers) > mostPeers {
		n.peers = n.peers[:mostPeers]
	}
}

// Nearer gives the neighbours nearer to a host than this cache, the nearest first,
// appended to dst. When nothing is known of the host, its addresses count.
func (t *Table) Nearer(dst []string, host string, addr netip.Addr, now time.Time) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.hosts[host]
	if n == nil {
		a, ok := Network(addr)
		if !ok {
			return dst
		}
		if n = t.networks[a]; n == nil {
			return dst
		}
	}
	n.used = now
	for i := range n.peers {
		if p := &n.peers[i]; now.Before(p.till) && (n.rtt == 0 || p.rtt <= n.rtt) {
			dst = append(dst, p.peer)
		}
	}
	return dst
}

// Tell appends the exchange document: what was measured from here.
func (t *Table) Tell(dst []byte) []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, n := range t.sorted() {
		dst = AppendTold(dst, Told{Network: n.addr, RTT: n.rtt, Hops: n.hops})
	}
	return dst
}

// sorted gives the networks in no particular, but always the same order.
func (t *Table) sorted() []*network {
	all := make([]*network, 0, len(t.networks))
	for _, n := range t.networks {
		all = append(all, n)
	}
	slices.SortFunc(all, func(a, b *network) int { return b.addr.Compare(a.addr) })
	return all
}

// Len is the number of networks.
func (t *Table) Len() int { return int(t.known.Load()) }
