package forward

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/auth"
	"github.com/cuttle-proxy/cuttle/forward/clients"
	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/hitmark"
	"github.com/cuttle-proxy/cuttle/forward/ports"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"go.uber.org/zap"
)

// stay is how long a client's goroutine, its stack grown by the last
// transaction, waits for the next request before a fresh one takes its place:
// once for each request served, up to mostStays. Who has asked often asks again
// soon, and the timer that ends the stay fires the less often.
const (
	stay      = 50 * time.Millisecond
	mostStays = 40
)

// client is one client connection. While it is idle nothing else belongs to it:
// no buffer, no transaction, and after a short stay only a small goroutine.
type client struct {
	srv *Server
	ln  *ports.Listener
	c   *sock.Conn

	clients.Link[*client]
	// local is the proxy's own socket that the client was handed to.
	remote, local netip.AddrPort
	// meant is where an intercepted client wanted to connect to.
	meant       netip.AddrPort
	intercepted bool
	sniffing    bool                          // what the client speaks is not known yet
	passes      bool                          // its port reads a ClientHello and passes TLS on
	user        atomic.Pointer[string]        // what its host's ident server said; nil when never asked
	asking      atomic.Pointer[chan struct{}] // closed when it has answered; nil when it is not being asked

	// since is when the connection was accepted or its last answer finished.
	since  time.Time
	served int
	// piped is the request's place behind one that it came with; 0 for that one.
	piped atomic.Int32
	small bool // this goroutine has not served yet: its stack is small

	pin   fetch.Pin // an origin connection this client has authenticated
	mark  hitmark.Socket
	login auth.Conn    // whom the connection belongs to, by NTLM or Negotiate
	x     *transaction // the request being read or served
	said  *beginning   // of the next request, while x is nil
	turns sock.Turn
	turn  *sock.Turn // set while serving inside Turns
	next  step
	// tunnel is what is left of the last request, whose transaction has gone.
	tunnel *joined

	// gone: nobody is there to answer to. busy: a request is being served.
	gone, busy atomic.Bool
	// kept: it has been served and waits for more.
	kept atomic.Bool
	// evicted: descriptors are short, and this one may go. leaving: end is at work.
	evicted, leaving atomic.Bool
	// dismissed: the connection ends as soon as nothing of a request is there.
	dismissed atomic.Bool

	mu      sync.Mutex
	watched bool       // see watch
	fetches [2]aborter // what a hang-up has to end; two with pipeline_prefetch
	// ctx, with its cancel, ends when the client has gone; see life.
	ctx    context.Context
	cancel context.CancelFunc
}

// beginning is what a client has sent of a request, or of a ClientHello, that has not come
// whole within a short stay. Who says half a sentence and no more costs what was said, and
// an idle client, not a transaction.
type beginning struct {
	in    []byte
	began time.Time
}

// step is what follows when Turns returns.
type step uint8

const (
	leave   step = iota // close the connection
	outside             // serve the request in cl.x, which reads from the client
)

// hangUpGrace is how long an answer may still come when the client has gone: a
// request that is all but answered is finished and logged with its status.
const hangUpGrace = 20 * time.Millisecond

// pipedGrace is the same for a request that was here before the client was heard
// to be gone: 2.6, which sends requests in line on without looking, serves it.
const pipedGrace = time.Second

// silentGrace is how long a client may say nothing while descriptors are short.
const silentGrace = 3 * time.Second

// HungUp is the watcher's word that the client closed its side or is gone. A
// client that only closed its side is still answered, unless
// half_closed_clients is off. One that is idle reads the news.
func (cl *client) HungUp(_ *sock.Conn, reset bool) {
	if !cl.busy.Load() {
		cl.c.Wake()
	} else {
		cl.letGo(reset, cl.grace())
	}
}

// grace is how long the answer may still come when the client has gone.
func (cl *client) grace() time.Duration {
	if cl.piped.Load() > 0 {
		return pipedGrace
	}
	return hangUpGrace
}

// letGo gives up what is being done for a client that hung up, after a grace. A request
// behind that one, begun meanwhile, has a grace of its own.
func (cl *client) letGo(reset bool, grace time.Duration) {
	if reset || !cl.srv.current.Load().cfg.HalfClosedClients {
		about := cl.piped.Load()
		time.AfterFunc(grace, func() {
			if cl.piped.Load() == about {
				cl.abandon()
			}
		})
	}
}

// heedHangUp ends a client that left before its first request was served: HungUp
// took it for an idle one then. Later requests are served as 2.6 does, which
// learns of the end of the connection by writing to it.
func (cl *client) heedHangUp() {
	if cl.served > 0 {
		return
	}
	if cl.c.PeerReset() || cl.c.PeerClosed() && !cl.srv.current.Load().cfg.HalfClosedClients {
		cl.finish()
	}
}

// hasLeft reports whether the client has left while helpers were asked about its request,
// when nobody watched. 2.6 goes no further with it then, and logs nothing.
func (cl *client) hasLeft(began time.Time) bool {
	if time.Since(began) < hangUpGrace {
		return false
	}
	closed, reset := cl.c.Look()
	if reset || closed && !cl.srv.current.Load().cfg.HalfClosedClients {
		cl.finish()
	}
	return cl.gone.Load()
}

// abandon ends what is being done for the client.
func (cl *client) abandon() {
	cl.finish()
	cl.abortFetches()
}

// cut ends the connection from our side, at once.
func (cl *client) cut() {
	cl.finish()
	cl.abortFetches()
	cl.c.Abort()
}

// dismiss ends the connection, after its answer if one is on its way.
func (cl *client) dismiss() {
	cl.dismissed.Store(true)
	if !cl.busy.Load() { // else it will look when the answer is out
		cl.c.Wake()
	}
}

// use is what the connection is in use for.
func (cl *client) use() clients.Use {
	switch {
	case cl.busy.Load() || cl.dismissed.Load() || cl.evicted.Load():
		return clients.Busy
	case cl.kept.Load():
		return clients.Kept
	}
	return clients.New
}

// drop gives the transaction back: nothing of a request is there.
func (cl *client) drop() {
	cl.x.free()
	cl.x = nil
}

// end closes the connection. When the client may still be sending what we do
// not want to read, our answer would be destroyed by the reset that follows a
// close; so that is read away first.
func (cl *client) end() {
	if x := cl.x; x != nil {
		unread := x.unread
		if unread == 0 && len(x.rest()) > 0 {
			unread = unreadRest
		}
		until, line := x.began.Add(x.p.cfg.ClientLifetime), x.entry.Pending
		x.free()
		cl.x = nil
		line.Wait()
		if cl.tunnel != nil {
			cl.busy.Store(true)
			cl.tunnel.goOn()
			return
		}
		cl.leaving.Store(true)
		if cl.served > 0 && unread != 0 && !cl.gone.Load() && !cl.c.Aborted() && !cl.evicted.Load() {
			if unread < 0 || cl.c.ReadAway(unread, until) {
				cl.c.Linger()
			}
		}
	}
	if say := cl.srv.say.Comm; say.On(3) {
		say.Say(3, "closing {client} after {requests} requests", zap.Stringer("client", cl.remote), zap.Int("requests", cl.served))
	}
	cl.pin.Drop()
	cl.login.Close()
	cl.c.Close()
	cl.finish()
	cl.srv.clients.Remove(&cl.Link, cl.remote.Addr())
}

// facing is the address the client takes itself to be connected to.
func (cl *client) facing() netip.AddrPort {
	if cl.intercepted {
		return cl.meant
	}
	return cl.local
}

// own is the proxy's socket that the client was handed to, for ACLs and logs. The
// socket of a TPROXY connection bears the address the client dialled; its own are
// those of the http_port line, and where that names no address the one the host has
// towards the client, which costs a socket and is found out only when somebody asks.
func (cl *client) own(p *policy) netip.AddrPort {
	if !p.asksOwn || !cl.local.Addr().IsUnspecified() {
		return cl.local
	}
	if addr := towards(cl.remote); addr.IsValid() {
		cl.local = netip.AddrPortFrom(addr, cl.local.Port())
	}
	return cl.local
}

// towards is the address this host would use towards another one.
func towards(remote netip.AddrPort) netip.Addr {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(remote)) // sends nothing
	if err != nil {
		return netip.Addr{}
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}

// evict ends the connection unless it is being served, or has just begun to ask.
func (cl *client) evict() {
	cl.evicted.Store(true)
	switch {
	case cl.leaving.Load(): // what it still sends is read away
		cl.c.Abort()
	case !cl.busy.Load():
		cl.c.Wake()
	}
}

// mayGo reports whether an evicted client that has sent half a request is let go.
func (cl *client) mayGo() bool {
	if !cl.evicted.Load() {
		return false
	}
	if time.Since(cl.since) > silentGrace {
		return true
	}
	cl.evicted.Store(false) // somebody asks again
	return false
}

// aborter is a fetch of the client's.
type aborter interface{ Abort() }

// watch hears from now on when the client hangs up. That takes a system call or two,
// which many a client is not worth that asks once and has its answer at once: it begins
// when something is done that a hang-up would end, and with the second request. The
// caller holds mu.
func (cl *client) watch() {
	if cl.watched {
		return
	}
	cl.watched = true
	if cl.srv.watcher.Watch(cl.c, cl) != nil {
		cl.gone.Store(true)
		cl.c.Abort()
	}
}

// hear begins to watch.
func (cl *client) hear() {
	cl.mu.Lock()
	cl.watch()
	cl.mu.Unlock()
}

// hold and release say which fetches a hang-up of the client ends.
func (cl *client) hold(f aborter) {
	cl.hear()
	cl.holdUnwatched(f)
}

func (cl *client) holdUnwatched(f aborter) {
	cl.mu.Lock()
	if cl.fetches[0] == nil {
		cl.fetches[0] = f
	} else {
		cl.fetches[1] = f
	}
	cl.mu.Unlock()
}

func (cl *client) release(f aborter) {
	cl.mu.Lock()
	for i := range cl.fetches {
		if cl.fetches[i] == f {
			cl.fetches[i] = nil
		}
	}
	cl.mu.Unlock()
}

func (cl *client) abortFetches() {
	cl.mu.Lock()
	for _, f := range cl.fetches {
		if f != nil {
			f.Abort()
		}
	}
	cl.mu.Unlock()
}

// life is the context that ends when the client has gone. It is made by the first
// who asks.
func (cl *client) life() context.Context {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.watch()
	if cl.ctx == nil {
		cl.ctx, cl.cancel = context.WithCancel(context.Background())
		if cl.gone.Load() {
			cl.cancel()
		}
	}
	return cl.ctx
}

// finish wakes whoever waits for the client's end.
func (cl *client) finish() {
	cl.gone.Store(true)
	cl.mu.Lock()
	cancel := cl.cancel
	cl.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// clientContext is the context of whatever is done for a client. It costs
// nothing until somebody waits on it.
type clientContext struct{ cl *client }

// Deadline implements context.Context.
func (clientContext) Deadline() (time.Time, bool) { return time.Time{}, false }

// Value implements context.Context. Package context asks it for the client's life,
// and then needs no goroutine to watch Done.
func (c clientContext) Value(key any) any {
	if key == dns.ClientKey {
		return &c.cl.remote
	}
	return c.cl.life().Value(key)
}

// Done implements context.Context.
func (c clientContext) Done() <-chan struct{} { return c.cl.life().Done() }

// Err implements context.Context.
func (c clientContext) Err() error {
	if c.cl.gone.Load() {
		return context.Canceled
	}
	return nil
}

// recover is deferred by every goroutine that serves the client.
func (cl *client) recover() { cl.recovered(recover()) }

// recovered ends one connection after a programming error e, and says so.
func (cl *client) recovered(e any) {
	if e == nil {
		return
	}
	cl.srv.panics.Add(1)
	cl.srv.parts.Log.Error("BUG: panic while serving {client}: {panic}\n{stack}",
		zap.Stringer("client", cl.remote), zap.String("panic", fmt.Sprint(e)), zap.ByteString("stack", debug.Stack()))
	cl.cut()
	cl.srv.current.Load().logs.Flush() // a line that nobody waits for any more
	cl.pin.Drop()
	cl.login.Close()
	cl.c.Close()
	cl.srv.clients.Remove(&cl.Link, cl.remote.Addr())
}
