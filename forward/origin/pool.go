package origin

import (
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// Key says what a kept connection can be used for.
type Key struct {
	// As is the spoofed address the connection was opened with; the zero value
	// for a connection in the proxy's own name.
	As netip.Addr
	// From is the proxy's own address chosen by tcp_outgoing_address, zero for
	// the system's choice.
	From netip.Addr
	// To is the origin's or peer's address.
	To netip.AddrPort
	// Peer is the cache_peer's name, "" for a direct connection.
	Peer string
	// Host is the origin's name as it was asked for, since 2.6 keeps a
	// connection for one host alone; "" towards a parent, which serves all.
	Host string
	// TOS is the type of service the connection was opened with.
	TOS uint8
}

// Limits of a pool, when PoolOptions leaves them zero.
const (
	DefaultPerKey = 256
	DefaultTotal  = 8192
)

// HardlyIdle is how long a connection may have been idle and be used again without a
// look whether something has come meanwhile. That look costs a system call, 4 % of a
// small request. What an origin sends behind the end of its reply is found out either
// way: most of it when it comes with that reply or the next, which is then asked for
// again (failure.NotTheReply), and nothing tells what comes while the next reply is
// waited for, which takes longer than this.
const HardlyIdle = 5 * time.Millisecond

// PoolOptions bound a Pool.
type PoolOptions struct {
	// PerKey and Total are the most connections kept; zero means the defaults.
	PerKey, Total int
	// Timeout is pconn_timeout: how long a connection waits for its next use;
	// zero keeps none.
	Timeout time.Duration
}

// Conn is a connection to an origin or peer.
type Conn struct {
	*sock.Conn
	// Key is what it was opened for.
	Key Key
	// Uses counts the requests sent on it.
	Uses int

	pool     *Pool
	watcher  *sock.Watcher // until it watches this connection
	idleList *idleList     // set while idle
	since    time.Time
	open     atomic.Pointer[atomic.Int32] // counts c until it is closed
}

// CountIn makes c, idle or in use, one of the open connections that n counts,
// until it is closed.
func (c *Conn) CountIn(n *atomic.Int32) {
	n.Add(1)
	c.open.Store(n)
}

// Close closes the connection.
func (c *Conn) Close() error {
	if n := c.open.Swap(nil); n != nil {
		n.Add(-1)
	}
	return c.Conn.Close()
}

// HungUp is the watcher's word that the origin has closed the connection: an
// idle one leaves the pool.
func (c *Conn) HungUp(*sock.Conn, bool) { c.pool.drop(c) }

// Pool holds idle connections to origins and peers, most recently used first.
type Pool struct {
	mu     sync.Mutex
	opts   PoolOptions
	byKey  map[Key]*idleList
	idle   int
	closed bool
	wake   *time.Timer
}

// idleList holds the idle connections of one key, oldest first.
type idleList struct{ conns []*Conn }

// NewPool makes an empty pool.
func NewPool(opts PoolOptions) *Pool {
	p := &Pool{byKey: make(map[Key]*idleList)}
	p.SetOptions(opts)
	return p
}

// SetOptions changes the bounds; connections beyond them are closed as they age.
func (p *Pool) SetOptions(opts PoolOptions) {
	if opts.PerKey <= 0 {
		opts.PerKey = DefaultPerKey
	}
	if opts.Total <= 0 {
		opts.Total = DefaultTotal
	}
	p.mu.Lock()
	p.opts = opts
	p.mu.Unlock()
}

// Get takes out a connection for k that is open and has nothing to read; nil
// when there is none.
func (p *Pool) Get(k Key) *Conn {
	for {
		p.mu.Lock()
		s := p.byKey[k]
		if s == nil || len(s.conns) == 0 {
			p.mu.Unlock()
			return nil
		}
		last := len(s.conns) - 1
		c := s.conns[last]
		s.conns[last] = nil
		s.conns = s.conns[:last]
		c.idleList = nil
		p.idle--
		p.mu.Unlock()
		if !c.PeerClosed() && (time.Since(c.since) < HardlyIdle || c.Clean()) {
			return c
		}
		c.Close()
	}
}

// Put keeps c, idle from now on, for later use, or closes it when the pool is full, c is no longer
// open, or connections are not to be kept.
func (p *Pool) Put(c *Conn, now time.Time) {
	// Whoever uses a connection reads its end himself; one that never comes here
	// saves the Watcher's system calls.
	if c.watcher != nil && c.watcher.Watch(c.Conn, c) != nil {
		c.Close()
		return
	}
	c.watcher = nil
	p.mu.Lock()
	s := p.byKey[c.Key]
	if p.closed || p.opts.Timeout <= 0 || p.idle >= p.opts.Total || (s != nil && len(s.conns) >= p.opts.PerKey) {
		p.mu.Unlock()
		c.Close()
		return
	}
	if s == nil {
		s = new(idleList)
		p.byKey[c.Key] = s
	}
	s.conns = append(s.conns, c)
	c.idleList, c.since = s, now
	p.idle++
	if p.wake == nil {
		p.wake = time.AfterFunc(p.opts.Timeout, p.sweep)
	}
	p.mu.Unlock()
	// The origin may have closed before c was in the pool: then the watcher's
	// word came too early.
	if c.PeerClosed() {
		p.drop(c)
	}
}

// drop closes c if it is idle.
func (p *Pool) drop(c *Conn) {
	p.mu.Lock()
	s := c.idleList
	if s == nil {
		p.mu.Unlock()
		return
	}
	c.idleList = nil
	p.idle--
	for i, have := range s.conns {
		if have == c {
			s.conns = append(s.conns[:i], s.conns[i+1:]...)
			break
		}
	}
	p.mu.Unlock()
	c.Close()
}

// sweep closes what has waited too long and forgets keys nobody uses.
func (p *Pool) sweep() {
	var old []*Conn
	p.mu.Lock()
	limit := time.Now().Add(-p.opts.Timeout)
	next := time.Time{}
	for k, s := range p.byKey {
		n := 0
		for n < len(s.conns) && !s.conns[n].since.After(limit) {
			s.conns[n].idleList = nil
			n++
		}
		old = append(old, s.conns[:n]...)
		p.idle -= n
		s.conns = append(s.conns[:0:0], s.conns[n:]...)
		if len(s.conns) == 0 {
			delete(p.byKey, k)
		} else if next.IsZero() || s.conns[0].since.Before(next) {
			next = s.conns[0].since
		}
	}
	if next.IsZero() || p.closed {
		p.wake = nil
	} else {
		// At most ten sweeps a second, however many ages there are.
		p.wake = time.AfterFunc(max(next.Sub(limit), 100*time.Millisecond), p.sweep)
	}
	p.mu.Unlock()
	for _, c := range old {
		c.Close()
	}
}

// DropIdle closes all kept connections; later ones are kept as before.
func (p *Pool) DropIdle() {
	p.mu.Lock()
	all := p.takeAll()
	p.mu.Unlock()
	for _, c := range all {
		c.Close()
	}
}

// Len is the number of connections kept.
func (p *Pool) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.idle
}

// Close closes all kept connections; later ones are closed at once.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	all := p.takeAll()
	if p.wake != nil {
		p.wake.Stop()
		p.wake = nil
	}
	p.mu.Unlock()
	for _, c := range all {
		c.Close()
	}
}

// takeAll empties the pool; the lock is held.
func (p *Pool) takeAll() []*Conn {
	var all []*Conn
	for _, s := range p.byKey {
		for _, c := range s.conns {
			c.idleList = nil
			all = append(all, c)
		}
	}
	clear(p.byKey)
	p.idle = 0
	return all
}
