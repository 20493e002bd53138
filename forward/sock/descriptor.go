package sock

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Descriptor is a connected socket that a Watcher waits for, and not the runtime's
// poller. The kernel is told of it when there is something to wait for and not before;
// that it forgets the socket needs no call, for a close does it.
type Descriptor struct {
	fd int
	w  *Watcher

	users  atomic.Int32 // those who use fd, and one until Close
	closed atomic.Bool
	seen   atomic.Bool // the end or urgent data has come, and a short read may leave it

	in, out gate
	// news: something has come, or ended, since it was last waited for. left: the last read
	// may have left something; only who reads knows it.
	news atomic.Bool
	left bool

	mu      sync.Mutex
	events  uint32      // what the kernel tells of; 0 before it knows the socket
	token   uint64      // see slot
	timer   *time.Timer // for the earlier deadline of those who wait, unless it is near
	armed   int64       // when fire is going to be called, 0 for not at all
	conn    *Conn       // set by Wrap
	watched bool        // conn hears of hang-ups
	arrival Arrival     // of the next bytes, see Watcher.Await
}

// gate is where one waits for one direction of a Descriptor.
type gate struct {
	// wake holds something when there is news since it was last emptied. That of the
	// direction out is made when somebody waits for it. Only who waits changes it, and
	// with the Descriptor's mutex, which guards all that follows.
	wake    chan struct{}
	until   int64 // an instant; 0 for no end
	waited  bool  // until is the timer's concern
	expired atomic.Bool
}

// tell leaves news.
func tell(wake chan struct{}) {
	select {
	case wake <- struct{}{}:
	default: // there is some already
	}
}

// forget takes old news away.
func (g *gate) forget() {
	select {
	case <-g.wake:
	default:
	}
}

// NewDescriptor takes over a connected socket, or one that begins to connect, which does
// not wait.
func (w *Watcher) NewDescriptor(fd int) *Descriptor {
	d := &Descriptor{fd: fd, w: w}
	d.in.wake = make(chan struct{}, 1)
	d.users.Store(1)
	return d
}

// hold keeps fd from being closed, and with it from being another socket's.
func (d *Descriptor) hold() bool {
	if d.closed.Load() {
		return false
	}
	for {
		n := d.users.Load()
		if n == 0 {
			return false
		}
		if d.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (d *Descriptor) release() {
	if d.users.Add(-1) == 0 {
		syscall.RawSyscall(unix.SYS_CLOSE, uintptr(d.fd), 0, 0)
	}
}

// Close implements Socket: it wakes whoever waits.
func (d *Descriptor) Close() error {
	if d.closed.Swap(true) {
		return net.ErrClosed
	}
	d.mu.Lock()
	if d.timer != nil {
		d.timer.Stop()
	}
	if d.events != 0 {
		d.w.leave(d.token)
	}
	in, out := d.in.wake, d.out.wake
	d.mu.Unlock()
	tell(in)
	tell(out) // which may be nil, where nobody waits
	d.release()
	return nil
}

// trouble is why nobody may wait at a gate any more.
func (d *Descriptor) trouble(g *gate) error {
	switch {
	case d.closed.Load():
		return net.ErrClosed
	case g.expired.Load():
		return os.ErrDeadlineExceeded
	}
	return nil
}

// wait waits for news at a gate, which one of the events brings.
func (d *Descriptor) wait(g *gate, event uint32) error {
	d.mu.Lock()
	if err := d.trouble(g); err != nil {
		d.mu.Unlock()
		return err
	}
	if d.events&event == 0 {
		if g.wake == nil {
			g.wake = make(chan struct{}, 1)
		}
		if err := d.register(unix.EPOLLIN | event); err != nil { // it is going to be read too
			d.mu.Unlock()
			return err
		}
	}
	if g.until != 0 {
		g.waited = true
		d.arm(g.until)
	}
	d.mu.Unlock()
	<-g.wake
	err := d.trouble(g)
	if g == &d.in && err == nil { // else nobody looks now, and await must know of it
		d.news.Store(false)
	}
	return err
}

// register has the kernel tell of an event as well; it tells at once of what is there.
func (d *Descriptor) register(event uint32) error {
	how := unix.EPOLL_CTL_MOD
	if d.events == 0 {
		how = unix.EPOLL_CTL_ADD
		d.token = d.w.enter(slot{d: d})
	}
	err := d.w.control(d.fd, how, d.events|event|unix.EPOLLPRI, d.token)
	switch {
	case err == nil:
		d.events |= event
	case d.events == 0:
		d.w.leave(d.token)
	}
	return err
}

// arm has fire called at an instant, unless it is going to be called earlier.
func (d *Descriptor) arm(at int64) {
	if d.armed != 0 && d.armed <= at {
		return
	}
	d.armed = at
	switch wait := time.Duration(at - instant(time.Now())); {
	case wait <= nearBy && d.events != 0:
		d.w.expireAt(d.token, at)
	case d.timer == nil:
		d.timer = time.AfterFunc(wait, d.fire)
	default:
		d.timer.Reset(wait)
	}
}

// fire is called when a deadline may have come.
func (d *Descriptor) fire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed.Load() {
		return
	}
	d.armed = 0
	now := instant(time.Now())
	for _, g := range [...]*gate{&d.in, &d.out} {
		switch {
		case !g.waited || g.until == 0:
		case now >= g.until:
			g.waited = false
			g.expired.Store(true)
			tell(g.wake)
		default:
			d.arm(g.until)
		}
	}
}

// happened is called by the Watcher.
func (d *Descriptor) happened(events uint32) {
	readable := events&(unix.EPOLLIN|unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0
	hang := hangBits(events)
	if hang != 0 || events&unix.EPOLLPRI != 0 {
		d.seen.Store(true)
	}
	d.mu.Lock()
	watched, in, out, arrival := d.watched, d.in.wake, d.out.wake, Arrival(nil)
	if readable {
		d.news.Store(true)
		arrival, d.arrival = d.arrival, nil
	}
	var c *Conn
	if watched || arrival != nil { // else Wrap may be setting it
		c = d.conn
	}
	d.mu.Unlock()
	if readable && arrival == nil {
		tell(in)
	}
	if events&(unix.EPOLLOUT|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		tell(out)
	}
	if watched {
		c.hungUp(hang)
	}
	if arrival != nil {
		arrival.Arrived(c)
	}
}

// watch is Watcher.Watch: what came before is told too.
func (d *Descriptor) watch() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed.Load() {
		return net.ErrClosed
	}
	d.watched = true
	if d.events&unix.EPOLLIN != 0 && !d.seen.Load() {
		return nil
	}
	return d.register(unix.EPOLLIN)
}

// await is Watcher.Await.
func (d *Descriptor) await(a Arrival) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed.Load() {
		return net.ErrClosed
	}
	d.arrival = a
	news := d.news.Swap(false) // came behind the last look
	d.in.forget()
	if d.events&unix.EPOLLIN != 0 && !news {
		return nil
	}
	err := d.register(unix.EPOLLIN)
	if err != nil {
		d.arrival = nil
	}
	return err
}

// drained notes whether a read has taken all there is: one that has not filled its buffer
// has, and what comes later, the end too, is told of. Only the end, and urgent data, may
// have come behind what such a read takes.
func (d *Descriptor) drained(filled bool) bool {
	d.left = filled || d.seen.Load()
	return !d.left
}

// Read implements Socket.
func (d *Descriptor) Read(p []byte) (n int, err error) {
	over := d.reading(func(fd uintptr) bool {
		n, err = readNow(int(fd), p)
		return err != errAgain
	})
	if over != nil {
		return 0, over
	}
	return n, err
}

// Write implements Socket.
func (d *Descriptor) Write(p []byte) (n int, err error) {
	over := d.writing(func(fd uintptr) bool {
		m := 0
		m, err = writeNow(int(fd), p[n:])
		n += m
		return err != errAgain
	})
	if over != nil {
		return n, over
	}
	return n, err
}

// writeFirst writes what there is room for; EAGAIN with that when something is left, or
// somebody is to be told why it may not be written.
func (d *Descriptor) writeFirst(p []byte) (int, error) {
	if d.trouble(&d.out) != nil || !d.hold() {
		return 0, errAgain
	}
	defer d.release()
	return writeNow(d.fd, p)
}

var _ io.ReadWriteCloser = (*Descriptor)(nil)

func (d *Descriptor) reading(f func(fd uintptr) bool) error { return d.each(&d.in, unix.EPOLLIN, f) }

func (d *Descriptor) writing(f func(fd uintptr) bool) error {
	return d.each(&d.out, unix.EPOLLOUT, f)
}

// each calls f now and with each piece of news, until it returns true.
func (d *Descriptor) each(g *gate, event uint32, f func(fd uintptr) bool) error {
	if !d.hold() {
		return net.ErrClosed
	}
	defer d.release()
	if err := d.trouble(g); err != nil {
		return err
	}
	if g == &d.in {
		d.left = true // unless f knows better
		d.news.Store(false)
	}
	g.forget()
	for !f(uintptr(d.fd)) {
		if err := d.wait(g, event); err != nil {
			return err
		}
	}
	return nil
}

// SyscallConn implements Socket, as the runtime's sockets do.
func (d *Descriptor) SyscallConn() (syscall.RawConn, error) { return (*rawDescriptor)(d), nil }

// rawDescriptor is a Descriptor as a syscall.RawConn.
type rawDescriptor Descriptor

// Control implements syscall.RawConn.
func (r *rawDescriptor) Control(f func(fd uintptr)) error {
	d := (*Descriptor)(r)
	if !d.hold() {
		return net.ErrClosed
	}
	defer d.release()
	f(uintptr(d.fd))
	return nil
}

// Read implements syscall.RawConn.
func (r *rawDescriptor) Read(f func(fd uintptr) bool) error { return (*Descriptor)(r).reading(f) }

// Write implements syscall.RawConn.
func (r *rawDescriptor) Write(f func(fd uintptr) bool) error { return (*Descriptor)(r).writing(f) }

// SetDeadline implements Socket.
func (d *Descriptor) SetDeadline(t time.Time) error {
	if err := d.SetReadDeadline(t); err != nil {
		return err
	}
	return d.SetWriteDeadline(t)
}

// SetReadDeadline implements Socket.
func (d *Descriptor) SetReadDeadline(t time.Time) error { return d.limit(&d.in, t) }

// SetWriteDeadline implements Socket.
func (d *Descriptor) SetWriteDeadline(t time.Time) error { return d.limit(&d.out, t) }

// limit sets a deadline. One that is not in the past costs nothing before somebody waits
// for longer.
func (d *Descriptor) limit(g *gate, t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed.Load() {
		return net.ErrClosed
	}
	waits := g.waited
	g.until, g.waited = instant(t), false
	past := g.until == longAgo
	g.expired.Store(past)
	switch {
	case past:
		tell(g.wake)
	case waits && g.until != 0: // perhaps at this moment
		g.waited = true
		d.arm(g.until)
	}
	return nil
}

// longAgo is the instant of whatever was before the process.
const longAgo = 1
