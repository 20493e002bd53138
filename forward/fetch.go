package forward

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/origin"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// Pauses before another attempt, so that a server that restarts has a moment.
const (
	pauseDirect = 50 * time.Millisecond
	pausePeer   = 5 * time.Millisecond
)

// Bounds on what an origin may send before its answer: bytes of white space on a
// kept connection, and 1xx replies.
const (
	maxBlanks   = 1 << 10
	maxInterims = 100
)

// fetch sends the request along the ways until one gives a reply head, which is
// then in x.rep. The rules of trying again are 2.6's: see mayRetry and
// nextAfterReply.
func (x *transaction) fetch() *failure {
	giveUp := x.now.Add(x.p.cfg.ForwardTimeout)
	for {
		x.way = &x.ways[0]
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
	if x.way.peer == nil {
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
	if len(x.ways) > 1 {
		first := x.ways[0]
		copy(x.ways, x.ways[1:])
		x.ways = x.ways[:len(x.ways)-1]
		// Parents take turns as long as nothing but parents is left; the origin,
		// once reached, is the last resort.
		if x.ways[len(x.ways)-1].peer != nil {
			x.ways = append(x.ways, first)
		}
	}
	return true
}

// pause waits a moment between attempts; false when the client left meanwhile.
func (x *transaction) pause() bool {
	d := pauseDirect
	if x.ways[0].peer != nil {
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

// nextAfterReply tells whether the reply is one for which the next way, if
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
	if len(x.ways) < 2 || x.bodySent || x.tries.all >= maxTries || x.tries.direct > 1 || x.rep.Major < 1 {
		return false
	}
	x.ways = append(x.ways[:0], x.ways[1:]...)
	return true
}

// connect gets a connection for x.way: one that is kept, or a new one.
func (x *transaction) connect(giveUp time.Time) *failure {
	w := x.way
	if w.pinned {
		x.hier, x.hierHost = "", x.hierHost[:0]
		x.takePinned()
		return nil
	}
	host, port, timeout := view(x.url.Host), x.url.Port, x.p.cfg.ConnectTimeout
	if w.peer != nil {
		host, port = w.peer.Host, w.peer.HTTPPort
		timeout = w.peer.patience(x.p.cfg.PeerConnectTimeout)
		x.note(w.code, w.peer.Name)
	} else {
		x.note(w.code, host)
	}
	addrs, f := x.addresses(host)
	if f != nil {
		return f
	}
	if addrs.only.IsValid() {
		port = x.cl.meant.Port()
	}
	reuse := x.req.Method.Idempotent() && x.body.Framing == http1.NoBody
	for i := 0; i < addrs.Len() && i < 8; i++ {
		c := x.srv.pool.Get(x.key(netip.AddrPortFrom(addrs.At(i), port)))
		switch {
		case c == nil:
			continue
		case reuse:
			x.take(c)
			return nil
		}
		c.Close() // as in 2.6: opening another is not to make ever more of them
		break
	}
	return x.dial(host, addrs, port, min(timeout, max(giveUp.Sub(x.clock()), 5*time.Second)), giveUp)
}

// key says which kept connections the request may use. A connection opened as
// one client never serves another.
func (x *transaction) key(to netip.AddrPort) origin.Key {
	k := origin.Key{To: to}
	if x.way.peer != nil {
		k.Peer = x.way.peer.Name
	}
	if x.way.peer == nil || x.way.peer.OriginServer {
		k.Host = view(x.url.Host)
	}
	if x.spoofs() {
		k.As = x.cl.remote.Addr()
	} else {
		k.From = x.p.lists.OutgoingAddress(x.context(), &x.facts, to.Addr().Is6())
	}
	k.TOS = x.p.lists.OutgoingTOS(x.context(), &x.facts)
	return k
}

// localPorts is tproxy_client_port: a connection in the client's name uses the
// client's port too. Without the directive it does so only when no other port is
// left towards the destination.
func (x *transaction) localPorts() origin.LocalPorts {
	if !x.spoofs() {
		return origin.LocalPorts{}
	}
	port := x.cl.remote.Port()
	if x.p.cfg.TProxyClientPort {
		return origin.LocalPorts{First: port}
	}
	return origin.LocalPorts{Last: port}
}

// spoofs tells whether the client's own address is used towards the origin:
// for intercepted clients of a tproxy port, on the direct way only.
func (x *transaction) spoofs() bool {
	return x.port.TProxy && x.cl.intercepted && x.way.peer == nil && !x.own
}

// dial opens a connection, trying the addresses in turn.
func (x *transaction) dial(host string, addrs addresses, port uint16, timeout time.Duration, giveUp time.Time) *failure {
	// Several addresses have one attempt each, and the first of them another, by
	// which time the fault may have passed.
	tries := addrs.Len() + 1
	if addrs.Len() == 1 {
		tries = max(1, min(10, x.p.cfg.MaximumSingleAddrTries))
	}
	var last *failure
	for i := 0; i < tries; i++ {
		addr := addrs.At(i % addrs.Len())
		to := netip.AddrPortFrom(addr, port)
		x.noteAddress(addr)
		c, err := x.srv.dialer.Open(x.context(), x.key(to), x.localPorts(), timeout, int(x.p.cfg.TCPRecvBufsize))
		if err == nil {
			if x.way.peer == nil {
				x.srv.names.MarkGood(host, addr)
			} else {
				x.srv.answers(x.way.peer)
				c.CountIn(&x.way.peer.open)
			}
			x.take(c)
			return nil
		}
		last = x.dialFailure(err)
		if x.cl.gone.Load() || last.page == errpage.SocketFailure {
			return last
		}
		if x.way.peer == nil {
			x.srv.names.MarkBad(host, addr)
		}
		if last.errno == syscall.EADDRNOTAVAIL && i == 0 {
			x.srv.parts.Log.Info("cannot connect to " + to.String() + ": " + err.Error())
		}
		if last.errno == syscall.ETIMEDOUT && i+1 >= addrs.Len() || !x.clock().Before(giveUp) {
			break
		}
	}
	if p := x.way.peer; p != nil {
		x.srv.fails(p)
	}
	return last
}

func (x *transaction) dialFailure(err error) *failure {
	if call := (*os.SyscallError)(nil); errors.As(err, &call) && !x.spoofs() && (call.Syscall == "socket" || call.Syscall == "bind") {
		// No socket, or none with the address of tcp_outgoing_address: the fault
		// is here, and no other try is better. 2.6 notes no way out then.
		x.hier, x.hierHost = "", x.hierHost[:0]
		return finalFailure(errpage.SocketFailure, 500).because(err, sock.Errno(err))
	}
	f := newFailure(errpage.ConnectFail, 503).because(err, 0)
	var de *origin.DialError
	if errors.As(err, &de) {
		f.errno = de.Errno
		if de.Timeout && x.req.Method != http1.CONNECT {
			f.status = 504
		}
	} else if errors.Is(err, context.Canceled) {
		f.final = true
	}
	return f
}

// take makes c the transaction's connection and lets a hang-up of the client
// end it.
func (x *transaction) take(c *origin.Conn) {
	c.Uses++
	x.conn = c
	x.noteAddress(c.Key.To.Addr())
	x.cl.attach(c)
	x.letNextBegin()
}

// dropOrigin closes the connection to the origin, if there is one.
func (x *transaction) dropOrigin() {
	if x.conn == nil {
		return
	}
	x.endUpload()
	x.cl.detach(x.conn)
	x.conn.Close()
	x.conn = nil
}

// exchange sends the request and reads the head of the reply.
func (x *transaction) exchange() *failure {
	x.out = x.requestHead(x.out[:0])
	c := x.conn
	patience := x.patience()
	c.ReadUntil(patience)
	c.WriteUntil(patience)
	x.answer = x.answer[:0]
	var n int
	var err error
	switch {
	case x.body.Framing == http1.NoBody:
		_, n, err = c.Exchange(x.out, x.answer[:cap(x.answer)])
	default:
		n, err = x.sendWithBody()
	}
	blanks, interims := 0, 0
	for {
		x.answer = x.answer[:len(x.answer)+n]
		if c.Uses > 1 && err == nil {
			// What a sloppy origin sent behind its last answer.
			skip := http1.SkipSpace(x.answer)
			x.answer = x.answer[:copy(x.answer, x.answer[skip:])]
			if blanks += skip; blanks > maxBlanks {
				return finalFailure(errpage.InvalidReply, 502)
			}
		}
		if err == sock.ErrTimeout && x.uploadMoves() {
			c.ReadUntil(x.patience())
			n, err = c.Read(x.answer[len(x.answer):cap(x.answer)])
			continue
		}
		if err != nil && err != io.EOF {
			return x.exchangeFailure(err)
		}
		if err == io.EOF && len(x.answer) == 0 {
			f := newFailure(errpage.ZeroSizeObject, 502).because(err, 0)
			f.asked = true
			return f
		}
		x.rep.Reset()
		used, state := x.rep.Parse(x.answer, err == io.EOF, &x.p.reply)
		switch {
		case state == http1.Failed && x.rep.Fault == http1.ReplyTooLarge:
			return finalFailure(errpage.TooBig, 502)
		case state == http1.Failed:
			return finalFailure(errpage.InvalidReply, 502)
		case state == http1.Complete && c.Uses > 1 && x.rep.LineLen == 0:
			// The rest of an earlier answer, longer than it was said to be: only a
			// fresh connection's first bytes can be an answer without a head.
			f := newFailure(errpage.InvalidReply, 502)
			f.asked = true
			return f
		case state == http1.Complete && x.interim():
			if interims++; interims > maxInterims {
				return finalFailure(errpage.InvalidReply, 502)
			}
			if !x.passInterim() {
				return finalFailure(errpage.WriteError, 502)
			}
			x.answer = append(x.answer[:0], x.answer[used:]...)
			if len(x.answer) > 0 {
				n = 0
				continue
			}
		case state == http1.Complete:
			x.repHead = used
			return nil
		}
		if len(x.answer) == cap(x.answer) {
			x.answer = append(make([]byte, 0, 2*cap(x.answer)), x.answer...)
		}
		c.ReadUntil(x.patience())
		n, err = c.Read(x.answer[len(x.answer):cap(x.answer)])
	}
}

func (x *transaction) exchangeFailure(err error) *failure {
	var f *failure
	switch {
	case err == sock.ErrTimeout && !x.clock().Before(x.p.lifetime(x.now)):
		x.cl.finish() // client_lifetime is over: no page, no further attempt
		f = finalFailure(errpage.LifetimeExpired, 504)
	case err == sock.ErrTimeout:
		f = newFailure(errpage.ReadTimeout, 504).because(err, 0)
	case err == sock.ErrAborted:
		if x.endUpload(); x.badBody {
			f = refusal(errpage.InvalidRequest, 400)
			f.final = true
			return f
		}
		f = finalFailure(errpage.ReadError, 502)
	default:
		f = newFailure(errpage.ReadError, 502).because(err, sock.Errno(err))
	}
	f.asked = true
	return f
}

// patience is until when the origin may stay silent: read_timeout, and the end
// of client_lifetime in any case.
func (x *transaction) patience() time.Time {
	end := x.p.lifetime(x.now)
	if t := x.clock().Add(x.p.cfg.ReadTimeout); t.Before(end) {
		return t
	}
	return end
}
