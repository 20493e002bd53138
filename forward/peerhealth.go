package forward

import (
	"context"
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/origin"
)

// Bounds of a parent's health.
const (
	// peerDownAfter failed connections in a row make a parent down.
	peerDownAfter = 10
	// peerProbePause is the least time between two probes of one that is down.
	peerProbePause = time.Second
)

// up reports whether the peer is thought to answer. A request that would have used
// one that is down does without it and has it probed, so that its return is
// noticed.
func (p *peer) up(x *transaction) bool {
	if _, err := x.srv.names.Addrs(x.context(), p.Host); err != nil {
		return false // without an address it is no use, and not asked in vain
	}
	if p.failures.Load() < peerDownAfter {
		return true
	}
	x.probed = x.srv.probe(p, p.patience(x.p.cfg.PeerConnectTimeout)) || x.probed
	return false
}

// patience is how long a connection to the peer may take; general is
// peer_connect_timeout.
func (p *peer) patience(general time.Duration) time.Duration {
	if p.ConnectTimeout > 0 {
		return p.ConnectTimeout
	}
	return general
}

// probe connects to a peer that is down, in the background, and reports whether it
// began to: there is one probe at a time, and a pause between two.
func (s *Server) probe(p *peer, timeout time.Duration) bool {
	now := time.Now().UnixNano()
	if now-p.probed.Load() < int64(peerProbePause) || !p.probing.CompareAndSwap(false, true) {
		return false
	}
	p.probed.Store(now)
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	go func() {
		select {
		case <-s.over:
			cancel()
		case <-ctx.Done():
		}
	}()
	go func() {
		defer p.probing.Store(false)
		defer cancel()
		addrs, err := s.names.Addrs(ctx, p.Host)
		if err != nil || addrs.Len() == 0 {
			return
		}
		c, err := s.dial(ctx, origin.Key{To: netip.AddrPortFrom(addrs.At(0), p.HTTPPort)}, origin.LocalPorts{})
		if err != nil {
			return
		}
		c.Close()
		s.answers(p)
	}()
	return true
}

// fails and answers keep the peer's health after an attempt to connect, and
// report changes.
func (s *Server) fails(p *peer) {
	if p.failures.Add(1) == peerDownAfter {
		s.parts.Log.Info("Detected DEAD Parent: " + p.Name)
	}
}

func (s *Server) answers(p *peer) {
	if p.failures.Load() > 0 && p.failures.Swap(0) >= peerDownAfter {
		s.parts.Log.Info("Detected REVIVED Parent: " + p.Name)
	}
}
