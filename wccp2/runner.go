package wccp2

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// Runner runs an [Engine] on the network: one UDP socket for all routers and
// services, the real clock, the log. Its methods may be called from any goroutine.
type Runner struct {
	log      *zap.Logger
	settings Settings

	mu     sync.Mutex
	engine *Engine
	sock   *socket
	closed bool
	left   chan struct{} // closed when leaving is over

	done chan struct{} // closed when the loop has ended
}

// Settings are what a Runner needs beyond the directives.
type Settings struct {
	// Hold is a reason to announce nothing yet; empty to begin at once. It is
	// taken back by Release.
	Hold string
	// Transfers counts the client transfers under way, for the log; see
	// [Config.Transfers]. nil where nobody counts.
	Transfers func() int
	// Moved is told when buckets have moved away; see [Config.Moved].
	Moved func()
}

// Start opens the socket and begins to announce. It returns nil, nil when the
// configuration names no router.
func Start(c *conf.WCCP, s Settings, log *zap.Logger) (*Runner, error) {
	if !v1Enabled(c) {
		log.Info("WCCP Disabled.")
	}
	if !Enabled(c) {
		return nil, nil
	}
	sock, err := openSocket(bindAddress(c), reachesIPv6(c))
	if err != nil {
		//lint:ignore ST1005 2.6's words
		return nil, fmt.Errorf("Cannot open WCCP Port: %w", err)
	}
	cfg, notes := FromConf(c)
	cfg.Local, cfg.Transfers, cfg.Moved = sock.localTo, s.Transfers, s.Moved
	engine, err := New(cfg, time.Now())
	if err != nil {
		sock.Close()
		return nil, err
	}
	r := &Runner{log: log, settings: s, engine: engine, sock: sock, left: make(chan struct{}), done: make(chan struct{})}
	r.greet(c)
	for _, n := range notes {
		log.Warn("WARNING: {note}", zap.String("note", n))
	}
	if s.Hold != "" {
		r.Hold(s.Hold)
	}
	go r.loop()
	return r, nil
}

// greet logs what 2.6 logs when it opens its sockets.
func (r *Runner) greet(c *conf.WCCP) {
	if v1Enabled(c) {
		r.log.Info("Accepting WCCP messages on port {port}, FD {fd}.", zap.Int("port", wire.Port), zap.Int("fd", r.sock.fd))
	}
	if len(c.V2Routers) > 0 {
		r.log.Info("Accepting WCCPv2 messages on port {port}, FD {fd}.", zap.Int("port", wire.Port), zap.Int("fd", r.sock.fd))
		r.log.Info("Initialising all WCCPv2 lists")
	}
}

// loop waits for packets until the next timer, for ever.
func (r *Runner) loop() {
	defer close(r.done)
	buf := make([]byte, 0xFFFF+1)
	for {
		sock, ok := r.arm()
		if !ok {
			return
		}
		n, from, err := sock.read(buf)
		now := time.Now()
		r.mu.Lock()
		switch {
		case err == nil:
			trace(r.log, "received from", from, buf[:n])
			r.engine.Packet(now, from, buf[:n])
		case errors.Is(err, os.ErrDeadlineExceeded):
		case r.closed || sock != r.sock:
			r.mu.Unlock()
			continue
		default:
			// The error of an earlier send, or of the network; nothing is lost by
			// waiting a little before the next read.
			r.engine.complain(now, netip.Addr{}, unsendable, "WCCP: reading packets: {error}", zap.String("error", err.Error()))
			time.AfterFunc(time.Second, r.wake)
		}
		r.engine.Tick(now)
		r.act()
		r.mu.Unlock()
	}
}

// arm sets the socket's deadline to the next timer.
func (r *Runner) arm() (*socket, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, false
	}
	r.sock.SetReadDeadline(r.engine.Next())
	return r.sock, true
}

// act does what the engine wants done. The lock is held: nothing here waits,
// UDP sends that cannot go at once are dropped by the kernel.
func (r *Runner) act() {
	for _, a := range r.engine.Take() {
		switch {
		case a.Datagram != nil:
			trace(r.log, "sent to", a.To, a.Datagram)
			if err := r.sock.write(a.Datagram, a.To); err != nil {
				r.engine.complain(time.Now(), a.To.Addr(), unsendable, fmt.Sprintf("WCCP: sending to %s: %v", a.To.Addr(), err))
			}
		case a.Loud:
			r.log.Warn(a.Line, a.Fields...)
		default:
			r.log.Info(a.Line, a.Fields...)
		}
	}
	for _, a := range r.engine.Take() { // complaints about the sends
		r.log.Info(a.Line, a.Fields...)
	}
	if r.engine.Left() {
		select {
		case <-r.left:
		default:
			close(r.left)
		}
	}
}

// wake makes the loop look at its timers again.
func (r *Runner) wake() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.sock.SetReadDeadline(time.Now())
	}
}

// with runs f on the engine and does what comes of it.
func (r *Runner) with(f func(e *Engine, now time.Time)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	f(r.engine, time.Now())
	r.act()
	r.sock.SetReadDeadline(time.Now())
}

// Status tells how things stand.
func (r *Runner) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.engine.Status(time.Now())
}

// Hold withholds all announcements for a reason; see [Engine.Hold].
func (r *Runner) Hold(reason string) {
	r.with(func(e *Engine, now time.Time) { e.Hold(reason, now) })
}

// Release takes a reason of Hold back.
func (r *Runner) Release(reason string) {
	r.with(func(e *Engine, now time.Time) { e.Release(reason, now) })
}

// Leave begins to leave all service groups gracefully. The channel is closed
// when no router sends anything any more, or when the wait has ended.
func (r *Runner) Leave() <-chan struct{} {
	r.with(func(e *Engine, now time.Time) { e.Leave(now) })
	return r.left
}

// Reconfigure goes over to another configuration. Services and routers in both
// go on undisturbed. An error leaves the old configuration in force.
func (r *Runner) Reconfigure(c *conf.WCCP) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	sock := r.sock
	if a, v6 := bindAddress(c), reachesIPv6(c); a != sock.bound || v6 != sock.v6 {
		var err error
		if sock, err = openSocket(a, v6); err != nil {
			//lint:ignore ST1005 2.6's words
			return fmt.Errorf("Cannot open WCCP Port: %w", err)
		}
	}
	cfg, notes := FromConf(c)
	cfg.Local, cfg.Transfers, cfg.Moved = sock.localTo, r.settings.Transfers, r.settings.Moved
	if err := r.engine.Reconfigure(cfg, time.Now()); err != nil {
		if sock != r.sock {
			sock.Close()
		}
		return err
	}
	for _, n := range notes {
		r.log.Warn("WARNING: {note}", zap.String("note", n))
	}
	if sock != r.sock {
		r.log.Info("FD {fd} Closing WCCP socket", zap.Int("fd", r.sock.fd))
		r.sock.Close()
		r.sock = sock
		r.greet(c)
	}
	r.sock.SetReadDeadline(time.Now())
	return nil
}

// Close ends it at once; nothing is said to routers.
func (r *Runner) Close() {
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return
	}
	r.closed = true
	r.log.Info("FD {fd} Closing WCCP socket", zap.Int("fd", r.sock.fd))
	r.sock.Close()
	r.mu.Unlock()
	<-r.done
}

// reachesIPv6 reports whether a router has an IPv6 address.
func reachesIPv6(c *conf.WCCP) bool { return slices.ContainsFunc(c.V2Routers, isIPv6) }

// bindAddress is wccp2_address, or wccp_address where only version 1 is
// configured. With both versions on different addresses the socket takes any.
func bindAddress(c *conf.WCCP) netip.Addr {
	v2, v1 := len(c.V2Routers) > 0, v1Enabled(c)
	switch {
	case v1 && v2 && c.Address != c.V2Address:
		return netip.IPv4Unspecified()
	case v2:
		return c.V2Address
	}
	return c.Address
}
