package forward

import (
	"time"

	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"github.com/cuttle-proxy/cuttle/forward/tunnel"
	"golang.org/x/sys/unix"
)

// serve reads and answers requests until the connection ends. It is run in a
// goroutine of its own.
func (cl *client) serve() {
	defer cl.recover()
	for {
		cl.next = leave
		cl.wait()
		err := cl.c.Turns(&cl.turns, cl)
		switch {
		case err == nil && cl.next == outside:
			if !cl.serveOutside() {
				cl.end()
				return
			}
		case err == sock.ErrTimeout && cl.idles():
			if cl.x != nil {
				cl.putAside()
			}
			go cl.serveSmall()
			return
		case err == sock.ErrTimeout && cl.silent():
			cl.answer() // by a tunnel, which is the last of the connection
			cl.end()
			return
		default:
			cl.end()
			return
		}
	}
}

// serveNew serves a connection that was just accepted.
func (cl *client) serveNew() {
	growStack(false)
	cl.serve()
}

// growStack makes the stack as large as serving a request needs, while there is next to
// nothing on it: to grow in the midst of that, and twice, costs a tenth of a request on
// a new connection.
//
//go:noinline
func growStack(fill bool) {
	if fill { // the frame has the size of room either way
		var room [servingStack]byte
		fillStack(&room)
	}
}

//go:noinline
func fillStack(room *[servingStack]byte) { clear(room[:]) }

// servingStack is somewhat less than the stack of a request, in bytes.
const servingStack = 5 << 10

// serveSmall goes on waiting with a fresh stack.
func (cl *client) serveSmall() {
	cl.small = true
	cl.serve()
}

// idles reports whether the wait ended because the short stay is over, and not
// the client's time.
func (cl *client) idles() bool {
	return !cl.small && time.Now().Before(cl.deadline()) && !cl.c.Aborted()
}

// deadline is until when the client may take to send its next request.
func (cl *client) deadline() time.Time {
	cfg := cl.srv.current.Load().cfg
	if cl.served == 0 {
		if end := cl.sniffEnd(); !end.IsZero() {
			return end
		}
		return cl.since.Add(cfg.RequestTimeout)
	}
	return cl.since.Add(cfg.PersistentRequestTimeout)
}

// wait sets the time until which the next bytes must come.
func (cl *client) wait() {
	end := cl.deadline()
	if !cl.small {
		from := cl.since
		if cl.x != nil { // the rest of what has begun
			from = time.Now()
		}
		if t := from.Add(time.Duration(min(max(cl.served, 1), mostStays)) * stay); t.Before(end) {
			end = t
		}
	}
	cl.c.ReadUntil(end)
}

// TakeTurn implements sock.Taker: it reads what is there and serves every request complete in it.
func (cl *client) TakeTurn(turn *sock.Turn) (done bool) {
	for came := false; ; came = true {
		if cl.x == nil {
			cl.take()
		}
		x := cl.x
		n, err := turn.Read(x.room())
		if err == unix.EAGAIN {
			switch {
			case len(x.in) == 0:
				cl.drop()
				if cl.dismissed.Load() || cl.evicted.Load() {
					return true
				}
			case cl.mayGo():
				return true
			case cl.small: // nothing came but what was put aside
				cl.putAside()
			case !came: // a timer that stood too early: the stay is not longer for that
				return false
			}
			cl.wait()
			return false
		}
		if err != nil {
			return true
		}
		if cl.small {
			cl.small = false
			growStack(false)
		}
		if cl.served == 1 {
			cl.hear() // who has asked twice stays
		}
		x.in = x.in[:len(x.in)+n]
		cl.turn = turn
		done := cl.serveReceived()
		cl.turn = nil
		if done {
			return true
		}
		if turn.Empty() {
			cl.wait()
			return false
		}
	}
}

// serveReceived serves the requests that are complete in cl.x.in. It returns
// true when Turns must be left, with cl.next saying why.
func (cl *client) serveReceived() (done bool) {
	for {
		x := cl.x
		switch cl.sniff() {
		case tunnel.TooFew:
			if len(x.in) == 0 {
				cl.drop()
			}
			return false
		case tunnel.Other:
			x.first.other = true
			cl.next = outside
			return true
		}
		if cl.passes {
			return cl.readHello()
		}
		switch x.parse() {
		case http1.NeedMore:
			if len(x.in) == 0 {
				cl.drop()
			}
			return false
		case http1.Complete:
			if x.readsClient() {
				cl.next = outside
				return true
			}
		}
		if !cl.answer() {
			return true
		}
		if cl.x == nil {
			return false
		}
	}
}

// serveOutside serves a request that itself reads from the client.
func (cl *client) serveOutside() bool {
	if !cl.answer() {
		return false
	}
	if cl.x == nil {
		return true
	}
	// What is already here behind the request is served before waiting.
	cl.next = leave
	if cl.serveReceived() {
		if cl.next == outside {
			return cl.serveOutside()
		}
		return false
	}
	return true
}

// answer runs the transaction in cl.x. It leaves behind in cl.x what came after
// the request, or nil, and reports whether the connection goes on.
func (cl *client) answer() bool {
	x := cl.x
	cl.busy.Store(true)
	if cl.c.PeerClosed() { // the watcher told us while we were idle
		cl.letGo(cl.c.PeerReset(), cl.grace())
	}
	next := x.prefetch()
	keep := cl.carry(x)
	if next != nil {
		x.entry.Pending.Wait()
		keep = cl.follow(next, keep)
		x = cl.x
	}
	if cl.pin.Lost() {
		keep = false
	}
	cl.busy.Store(false)
	if cl.served++; cl.served == 1 {
		cl.kept.Store(true)
	}
	cl.since = x.now
	rest := x.rest()
	if !keep || cl.srv.stopping.Load() {
		return false
	}
	// The line in access.log is waited for without the transaction, which serves others
	// meanwhile: one that is still near the processor costs less than several.
	line := x.entry.Pending
	if len(rest) == 0 {
		cl.piped.Store(0)
		cl.drop()
		line.Wait()
		return !cl.dismissed.Load()
	}
	// The same bytes go on as the beginning of the next request.
	cl.piped.Add(1)
	line.Wait()
	n := copy(x.in[:cap(x.in)], rest)
	x.release()
	x.reset()
	x.begin(cl)
	x.in = x.in[:n]
	return true
}
