package forward

import (
	"time"
)

// Pauses before another attempt, so that a server that restarts has a moment.
const (
	pauseDirect = 50 * time.Millisecond
	pausePeer   = 5 * time.Millisecond
)

// fetch sends the request to one next hop after the other until one gives a reply head, which is
// then in x.rep. The rules of trying again are 2.6's: see mayRetry and
// nextAfterReply.
func (x *transaction) fetch() *failure {
	giveUp := x.now.Add(x.p.cfg.ForwardTimeout)
	for {
		x.hop = &x.hops[0]
		f := x.attempt(giveUp)
		if f == nil {
			if !x.nextAfterReply() {
				return nil
			}
			x.dropOrigin()
			continue
		}
		x.dropOrigin()
		if !x.mayRetry(f, giveUp) || !x.pause() {
			return f
		}
	}
}

// attempt connects, sends, and reads the head of the reply.
func (x *transaction) attempt(giveUp time.Time) *failure {
	x.tries.all++
	if x.hop.Peer == nil {
		x.tries.direct++
	}
	if f := x.connect(giveUp); f != nil {
		return f
	}
	if f := x.speaks(); f != nil {
		return f
	}
	if f := x.exchange(); f != nil {
		return f
	}
	return nil
}

// mayRetry decides about another attempt after a failure without a reply: not
// when the client left, not after part of a body went out, at most
// maxDirectTries at the origin, and not for a request that would do harm twice.
func (x *transaction) mayRetry(f *failure, giveUp time.Time) bool {
	switch {
	case f.final, x.cl.gone.Load(), x.bodySent:
		return false
	case x.tries.all > maxTries, x.tries.direct >= maxDirectTries:
		return false
	case f.asked && !x.req.Method.Repeatable():
		return false
	case !x.clock().Before(giveUp):
		return false
	}
	if len(x.hops) > 1 {
		first := x.hops[0]
		copy(x.hops, x.hops[1:])
		x.hops = x.hops[:len(x.hops)-1]
		// Parents take turns as long as nothing but parents is left; the origin,
		// once reached, is the last resort.
		if x.hops[len(x.hops)-1].Peer != nil {
			x.hops = append(x.hops, first)
		}
	}
	return true
}

// pause waits a moment between attempts; false when the client left meanwhile.
func (x *transaction) pause() bool {
	d := pauseDirect
	if x.hops[0].Peer != nil {
		d = pausePeer
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-x.context().Done():
		return false
	}
}

// nextAfterReply reports whether the reply is one for which the next hop behind, if
// there is one, is tried: 502 and 504, and others with retry_on_error (fact
// "504 and a close without bytes move on, 503 and 403 do not").
func (x *transaction) nextAfterReply() bool {
	switch x.rep.Status {
	case 502, 504:
	case 403, 500, 501, 503:
		if !x.p.cfg.RetryOnError {
			return false
		}
	default:
		return false
	}
	if len(x.hops) < 2 || x.bodySent || x.tries.all >= maxTries || x.tries.direct > 1 || x.rep.Major < 1 {
		return false
	}
	x.hops = append(x.hops[:0], x.hops[1:]...)
	return true
}
