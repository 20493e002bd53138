package forward

import (
	"time"

	"github.com/cuttle-proxy/cuttle/forward/caching"
	"github.com/cuttle-proxy/cuttle/forward/delay"
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/tunnel"
)

// forward has the request fetched: when it returns nil the head of the reply is in
// x.fetch.Reply. The fetch is the client's own, made in its goroutine, and views the
// transaction.
func (x *transaction) forward() *failure.Failure {
	if f := x.mayBegin(); f != nil {
		return f
	}
	x.beginFetch()
	x.cl.hear()
	if f := x.fetch.Choose(); f != nil {
		return f
	}
	if f := x.collect(); f != nil {
		return f
	}
	if f := x.fetch.Head(); f != nil {
		return f
	}
	x.facts.To = x.fetch.To() // what follows judges by the address that answered
	return nil
}

// mayBegin refuses what would have to be fetched while the proxy is stopping, and
// fetches nothing for a client that is known to have left.
func (x *transaction) mayBegin() *failure.Failure {
	x.cl.heedHangUp()
	if x.cl.srv.stopping.Load() {
		return failure.ShuttingDown()
	}
	return nil
}

// describeRequest tells what to get for whom.
func (x *transaction) describeRequest(r *fetch.Request) {
	cl := x.cl
	r.Method, r.MethodText, r.Major, r.Minor = x.req.Method, x.req.MethodText, x.req.Major, x.req.Minor
	r.Fields, r.URL, r.CanonicalURL, r.Facts, r.Began = &x.req.Fields, &x.url, x.canonicalURL, &x.facts, x.now
	r.Logged = x.logURL
	r.Control, r.Loops = x.asks.Control, x.asks.Loops
	r.Client, r.Dialled = cl.remote, cl.meant
	r.Claimed, r.HostPort = x.claims(), x.form.HostPort
	r.Waiting = x
	if !x.port.NoConnectionAuth && !x.p.cfg.PipelinePrefetch {
		r.Pin = &cl.pin // else requests of others may overtake this one on the connection
	}
	r.Rewritten = x.form.Rewritten
	if len(x.cached.StoreURL) > 0 {
		r.StoreURL = x.cached.StoreURL
	}
	r.KeepHost = x.form.Rewritten && !x.p.cfg.URLRewriteHostHeader
	r.Spoof = x.port.TProxy && cl.intercepted
	r.Accelerated = x.form.Accelerated
	r.HTTP11, r.Client11, r.Upgrade = x.port.HTTP11, x.client11(), x.mayUpgrade()
}

// beginFetch begins the client's own fetch. That the client hangs up is told while the
// connection is waited for, through the context; who then waits for the origin without
// reading from the client has it told of all the time.
func (x *transaction) beginFetch() {
	r, cl := &x.asks, x.cl
	x.describeRequest(r)
	r.Body, r.Have, r.Source = x.body, x.in[x.head:], cl.c
	x.fetch.Begin(x.context(), &cl.srv.fetching, &x.p.fetch, r)
	cl.holdUnwatched(&x.fetch)
}

// leave ends the fetch, and takes over what it did with the request's body.
func (x *transaction) leave() {
	if !x.fetch.Leave(x.now) {
		return
	}
	x.cl.release(&x.fetch)
	if !x.cached.StoredWhole() {
		x.entry.Pending = x.entry.Pending.And(caching.ReleasedFetch(x.p.logs, &x.fetch, x.now))
	}
	used, behind, unread := x.fetch.BodyRead()
	switch {
	case behind != nil:
		x.in, x.bodyUsed = append(x.in[:x.head], behind...), 0
	case used > 0:
		x.bodyUsed = used
	}
	if unread != 0 {
		x.unread, x.reply.Keep = unread, false
	}
}

// collect reads a body in chunks to its end when it has to go on with a length:
// some hop does not speak HTTP/1.1. chunked_request_body_max_size bounds what is
// kept. The body takes the place of its chunks in x.in, and what the client sent
// behind it stays behind it.
func (x *transaction) collect() *failure.Failure {
	if x.body.Framing != http1.ByChunks || x.fetch.All11() {
		return nil
	}
	if !x.fetch.SayContinue() {
		return failure.ClientLeft()
	}
	most := x.p.cfg.ChunkedRequestBodyMaxSize
	if limit := x.p.cfg.RequestBodyMaxSize; limit > 0 {
		most = min(most, limit)
	}
	var d http1.Chunked
	end, raw := x.head, x.head // decoded up to end; undecoded from raw on
	for !d.Done() {
		data, took, err := d.Next(x.in[raw:])
		raw += took
		end += copy(x.in[end:], data)
		if err != nil {
			return failure.BodyInvalid()
		}
		if int64(end-x.head) > most {
			return failure.BodyTooLarge()
		}
		if took > 0 || d.Done() {
			continue
		}
		x.in = x.in[:end+copy(x.in[end:], x.in[raw:])]
		raw = end
		x.cl.c.ReadUntil(x.fetch.Patience())
		room := x.room()
		n, err := x.cl.c.Read(room)
		if err != nil {
			x.cl.gone.Store(true)
			return failure.BodyCut()
		}
		x.in = x.in[:len(x.in)+n]
	}
	x.in = x.in[:end+copy(x.in[end:], x.in[raw:])]
	x.body = http1.Body{Framing: http1.ByLength, Length: int64(end - x.head)}
	x.asks.Body, x.asks.Have = x.body, x.in[x.head:]
	return nil
}

// Connected implements fetch.Waiting: a prefetched request behind this one may begin.
func (x *transaction) Connected() { x.out.letNextBegin() }

// PassInterim implements fetch.Waiting.
func (x *transaction) PassInterim(rep *http1.Reply, blocksAuth bool) bool {
	return x.reply.Interim(rep, blocksAuth)
}

// SayContinue implements fetch.Waiting.
func (x *transaction) SayContinue() bool { return x.reply.Continue() }

// BodyCut implements fetch.Waiting.
func (x *transaction) BodyCut() { x.cl.gone.Store(true) }

// Recover implements fetch.Waiting.
func (x *transaction) Recover() { x.cl.recovered(recover()) }

// join sends what a tunnel's client said before it was one, and moves bytes both ways
// until one side ends. The tunnel of an intercepted client needs nothing of the
// transaction any more: there a side that has said all it had to say is still answered,
// and once the origin has been silent for a short stay the tunnel goes on by itself, and
// the transaction is free for others.
func (x *transaction) join(early []byte, intercepted bool) {
	conn := x.fetch.Conn()
	if len(early) > 0 {
		conn.WriteUntil(x.fetch.Patience())
		n, err := conn.Write(early)
		x.reply.Sent += int64(n)
		if err != nil {
			return
		}
	}
	ends := tunnel.Ends{Client: x.cl.c, Origin: conn, Patience: x.p.cfg.ReadTimeout, Halves: intercepted, Recover: x.cl.recover}
	if r := &x.reply; !x.p.delay.None() && !x.fetch.Undelayed() {
		if r.Pace = beginShare(x, time.Time{}); r.Pace != nil { // client_lifetime is not for tunnels
			ends.Pace = r.Pace
		}
	}
	if intercepted {
		ends.Watcher, ends.Stay, ends.Parking = x.cl.srv.watcher, stay, x.cl.hear
	}
	t := ends.Join()
	var j *joined
	if every := x.p.cfg.TunnelLogInterval; every > 0 {
		j = newJoined(x, t)
		j.repeat(every)
	}
	if t.Run() {
		if j != nil {
			j.stop()
			x.began, x.reply.Sent = j.began, x.reply.Sent-j.told
		}
		x.reply.Sent += t.Moved()
		return
	}
	if j == nil {
		j = newJoined(x, t)
	}
	j.ownAll()
	j.origin = x.fetch.GiveConn()
	j.p.Hold()
	if j.share, x.reply.Pace = x.reply.Pace, nil; j.share != nil {
		j.share.Tell(&j.facts)
	}
	x.cl.tunnel = j
}

// beginShare begins the transfer's part in its delay pool, nil when nothing limits it.
func beginShare(x *transaction, until time.Time) *delay.Share {
	return delay.Begin(x.context(), until, delay.Transfer{Present: x.cl.srv.delayPools, Facts: &x.facts, Client: x.cl.remote.Addr(), Indirect: x.client})
}

func newJoined(x *transaction, t *tunnel.Tunnel) *joined {
	return &joined{Tunnel: t, cl: x.cl, p: x.p, entry: entryOf(x).Copy(), facts: x.facts, early: x.reply.Sent, began: x.began}
}
