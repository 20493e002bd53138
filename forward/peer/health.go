package peer

import (
	"context"
	"net/netip"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// Bounds of a parent's health.
const (
	// downAfter failed connections in a row make a parent down.
	downAfter = 10
	// probePause is the least time between two probes of one that is down.
	probePause = time.Second
)

// Patience is how long a connection to the peer may take; general is
// peer_connect_timeout.
func (p *Peer) Patience(general time.Duration) time.Duration {
	if p.ConnectTimeout > 0 {
		return p.ConnectTimeout
	}
	return general
}

// persistence is whether the peer keeps connections that it is asked to keep.
type persistence struct{ asked, kept atomic.Int64 }

// staysAfter is how many requests a peer is asked at least to keep its connection
// for, before it is looked whether it does (fact "After ten requests whose replies
// closed the connection").
const staysAfter = 10

// AsksToStay reports whether the peer is asked to keep the connection: at first, and
// for as long as it does more often than not.
func (p *Peer) AsksToStay() bool {
	asked := p.persistence.asked.Load()
	return asked < staysAfter || 2*p.persistence.kept.Load() > asked
}

// AskedToStay counts a reply to a request that asked for it, Stays one that granted it.
func (p *Peer) AskedToStay() { p.persistence.asked.Add(1) }

// Stays counts a reply behind which the peer keeps the connection.
func (p *Peer) Stays() { p.persistence.kept.Add(1) }

// probe connects to a peer that is down, in the background, and reports whether it
// began to: there is one probe at a time, and a pause between two.
func (p *Peer) probe(timeout time.Duration) bool {
	now := time.Now().UnixNano()
	if now-p.probed.Load() < int64(probePause) || !p.probing.CompareAndSwap(false, true) {
		return false
	}
	p.probed.Store(now)
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	go func() {
		select {
		case <-p.env.Over:
			cancel()
		case <-ctx.Done():
		}
	}()
	go func() {
		defer p.probing.Store(false)
		defer cancel()
		addrs, err := p.env.Names.Addrs(ctx, p.Host)
		if err != nil || addrs.Len() == 0 {
			return
		}
		if p.env.Connect(ctx, netip.AddrPortFrom(addrs.At(0), p.HTTPPort)) == nil {
			p.Answered()
		}
	}()
	return true
}

// Failed and Answered keep the peer's health after an attempt to connect, and
// report changes.
func (p *Peer) Failed() {
	p.env.Log.Info("TCP connection to {peer}/{port} failed", zap.String("peer", p.Host), zap.Uint16("port", p.HTTPPort))
	if p.failures.Add(1) == downAfter {
		p.tell(true)
	}
}

// Answered says that a connection to the peer was made.
func (p *Peer) Answered() {
	if p.failures.Load() > 0 && p.failures.Swap(0) >= downAfter {
		p.tell(false)
	}
}

// tell writes that the peer is dead, or no longer, to cache.log: once for each
// change, however it was noticed.
func (p *Peer) tell(dead bool) {
	p.mu.Lock()
	changed := p.life.told != dead
	p.life.told = dead
	p.mu.Unlock()
	switch {
	case changed && dead:
		p.env.Log.Info("Detected DEAD "+p.kind()+": {peer}", zap.String("peer", p.Name))
	case changed:
		p.rota.restart.Store(true)
		p.env.Log.Info("Detected REVIVED "+p.kind()+": {peer}", zap.String("peer", p.Name))
	}
}
