package peer

import (
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/peer/icp"
	"go.uber.org/zap"
)

// Bounds of what is made of answers.
const (
	// rttWeight is how many answers the average round trip has the weight of.
	rttWeight = 50
	// longestRTT is the longest round trip that counts.
	longestRTT = 10 * time.Second
	// A peer that refused more than deniedShare percent of more than deniedLeast
	// questions is asked no more.
	deniedLeast = 100
	deniedShare = 95
)

// liveness is what questions and answers show of a peer. Peer.mu guards it.
type liveness struct {
	asked  time.Time // the last question
	silent time.Time // the first question since the last answer; zero when there is none
	heard  time.Time // the last answer
	told   bool      // cache.log says that it is dead
	rtt    time.Duration

	questions, answers, ignored uint64
	// opcodes counts answers by what they said.
	opcodes map[icp.Opcode]uint64
}

// averageRTT is how long the peer takes to answer.
func (p *Peer) averageRTT() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.life.rtt
}

// silentFor reports whether the peer has been asked and silent for longer than
// dead_peer_timeout.
func (l *liveness) silentFor(d time.Duration, now time.Time) bool {
	return !l.silent.IsZero() && now.Sub(l.silent) > d
}

// asksAtAll reports whether the peer is asked by ICP or HTCP at all.
func (p *Peer) asksAtAll() bool {
	return !p.NoQuery && !p.MulticastResponder && p.ICPPort != 0
}

// removed reports whether the peer refuses so often that it is asked no more.
func (p *Peer) removed() bool { return p.refuses.Load() }

// upAt reports whether the peer is thought to answer: connections to it do not
// fail, its monitor is content, and it is not silent.
func (p *Peer) upAt(now time.Time) bool {
	if p.failures.Load() >= downAfter || p.unwell.Load() {
		return false
	}
	if !p.asksAtAll() || p.Type == conf.PeerMulticast {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.life.silentFor(p.cfg.DeadPeerTimeout, now)
}

// noteQuestion keeps that the peer is being asked; up is what upAt said.
func (p *Peer) noteQuestion(up bool, now time.Time) {
	p.mu.Lock()
	p.life.asked = now
	p.life.questions++
	if p.life.silent.IsZero() {
		p.life.silent = now
	}
	p.mu.Unlock()
	if !up {
		p.tell(true)
	}
}

// noteAnswer keeps that the peer was heard of.
func (p *Peer) noteAnswer(what icp.Opcode, now time.Time) {
	p.mu.Lock()
	p.life.heard, p.life.silent = now, time.Time{}
	p.life.answers++
	if p.life.opcodes == nil {
		p.life.opcodes = map[icp.Opcode]uint64{}
	}
	p.life.opcodes[what]++
	remove := false
	if what == icp.Denied && p.life.answers > deniedLeast && 100*p.life.opcodes[icp.Denied] > deniedShare*p.life.answers {
		remove = p.refuses.CompareAndSwap(false, true)
	}
	p.mu.Unlock()
	if p.failures.Load() < downAfter {
		p.tell(false)
	}
	if remove {
		p.env.Log.Info("95% of replies from '{peer}' are UDP_DENIED", zap.String("peer", p.Name))
		p.env.Log.Info("Disabling '{peer}', please check your configuration.", zap.String("peer", p.Name))
	}
}

// noteRTT keeps how long an answer took.
func (p *Peer) noteRTT(rtt time.Duration) {
	if rtt <= 0 || rtt > longestRTT {
		return
	}
	p.mu.Lock()
	n := time.Duration(max(1, min(p.life.answers, rttWeight)))
	p.life.rtt = (p.life.rtt*(n-1) + rtt) / n
	p.mu.Unlock()
}

// noteIgnored counts an answer of which nothing is made.
func (p *Peer) noteIgnored() {
	p.mu.Lock()
	p.life.ignored++
	p.mu.Unlock()
}

// kind is the word cache.log has for the peer's type.
func (p *Peer) kind() string {
	switch p.Type {
	case conf.PeerParent:
		return "Parent"
	case conf.PeerMulticast:
		return "Multicast Group"
	}
	return "Sibling"
}
