package fetch

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/origin"
	"github.com/cuttle-proxy/cuttle/forward/peer"
)

// Sizes of a fetch's buffers, in bytes: a small reply with its head, and a request
// head, fit without growing. keptBuffer is the largest a buffer may have grown and
// still be kept for the next fetch.
const (
	ReplyBuffer   = 16 << 10
	requestBuffer = 4 << 10
	keptBuffer    = 64 << 10
)

// Fetch is the origin side of one request. Make one with New, or embed it in what
// asks and call Init; use it again after Reset.
type Fetch struct {
	// Reply is the head of the reply, once Head has succeeded.
	Reply http1.Reply

	// Storage that is kept from one fetch to the next.
	answer []byte // bytes read from the next hop; answer[:head] is the reply's head
	out    []byte
	target []byte // of the request line
	host   []byte // what the log calls the next hop
	fields http1.Outgoing
	hops   []peer.Hop
	fit    []netip.Addr // addresses that may be connected to

	mu sync.Mutex // guards state.conn against Abort

	state
}

// state is what belongs to one request; Reset clears it as a whole.
type state struct {
	env    *Env
	policy *Policy
	ctx    context.Context
	req    *Request

	choice  peer.Choice
	hop     *peer.Hop
	dialled *acl.Facts // those of req, about one address; made for who asks
	code    string     // hierarchy code, for the log
	conn    *origin.Conn
	tries   tries
	alone   bool // the next attempt takes no kept connection
	tunnel  bool // the connection is to be joined to the client's

	askedToStay bool // the hop was asked to keep the connection

	upload     *upload
	authorized bool // Authorization went out, the client's or that of login=
	sent       bool // some of the request's body went out
	continued  bool // the client was told to go on
	badBody    bool // the request's body was malformed
	// What BodyRead tells.
	used   int
	rest   []byte
	unread int64

	head     int // of answer
	framing  http1.Body
	chunked  http1.Chunked
	at       int    // of answer: the body up to here is read
	piece    []byte // decoded, not yet given out
	left     int64  // of a body of known length; of others what was read, below zero
	excess   bool   // more came at once with the head than the reply was to have
	reusable bool   // the connection may serve another request once the body is read
	complete bool   // the body was read to its end
	there    bool   // Head has succeeded
	over     bool   // Leave was called
}

// Init gives a fetch its buffers.
func (f *Fetch) Init() {
	f.answer, f.out = make([]byte, 0, ReplyBuffer), make([]byte, 0, requestBuffer)
}

// Oversized reports whether a buffer has grown too large to be kept.
func (f *Fetch) Oversized() bool { return cap(f.answer) > keptBuffer || cap(f.out) > keptBuffer }

// Reset forgets the request and keeps the storage.
func (f *Fetch) Reset() {
	f.state = state{}
	f.Reply.Reset()
	f.answer, f.out, f.target, f.host = f.answer[:0], f.out[:0], f.target[:0], f.host[:0]
	f.fields.Reset()
	clear(f.hops[:cap(f.hops)])
	f.hops, f.fit = f.hops[:0], f.fit[:0]
}

// Begin says what is to be fetched. What ctx ends is given up; req is viewed until
// Leave.
func (f *Fetch) Begin(ctx context.Context, env *Env, p *Policy, req *Request) {
	f.ctx, f.env, f.policy, f.req = ctx, env, p, req
}

// Asked is what is fetched, nil before Begin.
func (f *Fetch) Asked() *Request { return f.req }

// Answered reports whether Head has succeeded.
func (f *Fetch) Answered() bool { return f.there }

// Begun reports whether Begin was called.
func (f *Fetch) Begun() bool { return f.req != nil }

// Pauses before another attempt, so that a server that restarts has a moment.
const (
	pauseDirect = 50 * time.Millisecond
	pausePeer   = 5 * time.Millisecond
)

// Bounds on attempts, 2.6's own.
const (
	maxTries       = 10
	maxDirectTries = 3
)

// tries counts attempts, as forwarding is given up after a number of them.
type tries struct{ all, direct int }

// Head sends the request along the hops that Choose found until one gives a reply
// head, which is then in f.Reply, with its body ready to be read. The rules of
// trying again are 2.6's: see mayRetry and nextAfterReply.
func (f *Fetch) Head() *failure.Failure {
	giveUp := f.req.Began.Add(f.policy.Config.ForwardTimeout)
	for {
		f.hop = &f.hops[0]
		why := f.attempt(giveUp)
		if why == nil {
			if f.nextAfterReply() {
				f.drop()
				continue
			}
			if why = f.frame(); why == nil || why.Repeat == failure.Never {
				f.there = why == nil
				return why
			}
		}
		f.drop()
		f.alone = f.alone || why.Kept
		again := f.mayRetry(why, giveUp)
		f.sayFailed(why, again)
		if !again || !f.pause() {
			return why
		}
	}
}

// attempt connects, sends, and reads the head of the reply.
func (f *Fetch) attempt(giveUp time.Time) *failure.Failure {
	f.tries.all++
	if f.hop.Peer == nil {
		f.tries.direct++
	}
	if why := f.connect(giveUp); why != nil {
		return why
	}
	if why := f.speaks(); why != nil {
		return why
	}
	return f.exchange()
}

// mayRetry decides about another attempt after a failure without a reply: not
// when nobody waits any more, not after part of a body went out, at most
// maxDirectTries at the origin, and not for a request that would do harm twice.
func (f *Fetch) mayRetry(why *failure.Failure, giveUp time.Time) bool {
	switch {
	case why.Repeat == failure.Never, f.ctx.Err() != nil, f.sent:
		return false
	case f.tries.all > maxTries, f.tries.direct >= maxDirectTries, len(f.hops) == 1 && f.hops[0].Pinned:
		return false
	case why.Repeat == failure.IfRepeatable && !f.req.Method.Repeatable():
		return false
	case !time.Now().Before(giveUp):
		return false
	}
	if len(f.hops) > 1 {
		first := f.hops[0]
		copy(f.hops, f.hops[1:])
		f.hops = f.hops[:len(f.hops)-1]
		// Parents take turns as long as nothing but parents is left; the origin,
		// once reached, is the last resort. The client's own connection is gone.
		if f.hops[len(f.hops)-1].Peer != nil && !first.Pinned {
			f.hops = append(f.hops, first)
		}
	}
	return true
}

// pause waits a moment between attempts; false when nobody waits any more.
func (f *Fetch) pause() bool {
	d := pauseDirect
	if f.hops[0].Peer != nil {
		d = pausePeer
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-f.ctx.Done():
		return false
	}
}

// lastsOnPurpose reports whether the reply says how long it lasts, or how to ask whether it
// is still the same: so speak origins, not gateways that did not reach one.
func (f *Fetch) lastsOnPurpose() bool {
	rep := &f.Reply
	return rep.Has(http1.CacheControlName) || rep.Has(http1.Expires) || rep.Has(http1.LastModified) || rep.Has(http1.ETag)
}

// sameHops reports whether all hops are one peer: it would be asked the same again.
func (f *Fetch) sameHops() bool {
	for i := range f.hops {
		if p := f.hops[i].Peer; p == nil || p != f.hops[0].Peer {
			return false
		}
	}
	return true
}

// nextAfterReply reports whether the reply is one for which the next hop, if
// there is one, is tried: 502 and 504, and others with retry_on_error (fact
// "504 and a close without bytes move on, 503 and 403 do not"). A request that passed here
// before is sent on once: in a circle each turn would multiply those of the one before it,
// and 2.6's did.
func (f *Fetch) nextAfterReply() bool {
	if f.req.Loops > 0 {
		return false
	}
	switch f.Reply.Status {
	case 502, 504:
		if f.policy.Config.RFC9111Rules && (f.lastsOnPurpose() || f.sameHops()) {
			return false
		}
	case 403, 500, 501, 503:
		if !f.policy.Config.RetryOnError {
			return false
		}
	default:
		return false
	}
	if len(f.hops) < 2 || f.sent || f.tries.all >= maxTries || f.tries.direct > 1 || f.Reply.Major < 1 {
		return false
	}
	f.hops = append(f.hops[:0], f.hops[1:]...)
	return true
}
