package sock

import (
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// HangUp is told when the peer of a watched connection went away. It is called
// from the watcher's goroutine and must not wait.
type HangUp interface {
	// HungUp is called with reset false when the peer has closed its sending
	// side, and with reset true when the connection is dead.
	HungUp(c *Conn, reset bool)
}

const (
	hangClosed = 1 << iota // the peer will send nothing more
	hangReset              // the connection is dead
)

// Watcher reports hang-ups of the connections given to it. It registers each
// connection once, for EPOLLRDHUP alone and edge-triggered, so that data costs
// it nothing. For Descriptors it is what the runtime's poller is for other sockets.
type Watcher struct {
	file *os.File
	raw  syscall.RawConn
	done chan struct{}

	ep   int          // the descriptor of file, for who holds life
	life sync.RWMutex // until it is gone
	gone bool

	soon soon

	mu    sync.Mutex
	slots []slot
	free  uint32 // first free slot and one, 0 for none
	count int
}

// slot holds a watched connection. A token is a slot's number with its
// generation, so that a late event for one connection never reaches the next
// one in the slot.
type slot struct {
	c          *Conn       // of a socket that the runtime's poller waits for, or
	d          *Descriptor // one of ours
	generation uint32
	next       uint32 // of the free ones, see Watcher.free
}

// NewWatcher starts a watcher; Close ends it.
func NewWatcher() (*Watcher, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	// An epoll descriptor is itself pollable: waiting on it through the runtime
	// costs no thread.
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	w := &Watcher{
		file: os.NewFile(uintptr(fd), "hang-ups"),
		ep:   fd,
		done: make(chan struct{}),
	}
	if w.raw, err = w.file.SyscallConn(); err != nil {
		w.file.Close()
		return nil, err
	}
	go w.run()
	return w, nil
}

// Close stops reporting. Connections stay as they are.
func (w *Watcher) Close() {
	w.life.Lock()
	w.gone = true
	w.life.Unlock()
	w.soon.end()
	w.file.Close()
	<-w.done
}

// Arrival is told that there is something to read. It is called from the watcher's
// goroutine and must not wait.
type Arrival interface{ Arrived(c *Conn) }

// Await tells a, once, when c can be read or has ended. Nobody may be reading it meanwhile:
// this is for connections so quiet that a goroutine which waits for each costs too much.
// They need not have been given to Watch.
func (w *Watcher) Await(c *Conn, a Arrival) error {
	if c.own != nil {
		return c.own.await(a)
	}
	w.mu.Lock()
	how := unix.EPOLL_CTL_MOD
	if c.watch.Load() == nil {
		c.token = w.enterLocked(slot{c: c})
		c.watch.Store(w)
		how = unix.EPOLL_CTL_ADD
	}
	c.arrival = a
	w.mu.Unlock()
	err := w.register(c, how, unix.EPOLLIN|unix.EPOLLONESHOT)
	if err != nil {
		w.mu.Lock()
		c.arrival = nil
		w.mu.Unlock()
	}
	return err
}

// Watch reports c's hang-ups to h from now on, at most once each kind. The
// watcher forgets c when it is closed.
func (w *Watcher) Watch(c *Conn, h HangUp) error {
	if c.own != nil {
		c.onHang = h
		c.watch.Store(w)
		return c.own.watch()
	}
	w.mu.Lock()
	c.onHang = h
	c.token = w.enterLocked(slot{c: c})
	w.mu.Unlock()
	c.watch.Store(w)

	err := w.register(c, unix.EPOLL_CTL_ADD, 0)
	if err != nil || c.closed.Load() { // by somebody who did not see the watcher yet
		w.forget(c)
	}
	return err
}

// register tells the kernel what to report of c beside hang-ups.
func (w *Watcher) register(c *Conn, how int, events uint32) (err error) {
	closed := c.raw.Control(func(fd uintptr) { err = w.control(int(fd), how, events, c.token) })
	if closed != nil {
		return closed
	}
	return err
}

// control tells the kernel what to report of a socket beside hang-ups.
func (w *Watcher) control(fd, how int, events uint32, token uint64) error {
	ev := unix.EpollEvent{Events: unix.EPOLLRDHUP | events | uint32(unix.EPOLLET&0xffffffff),
		Fd: int32(uint32(token)), Pad: int32(uint32(token >> 32))}
	w.life.RLock()
	defer w.life.RUnlock()
	if w.gone {
		return net.ErrClosed
	}
	return unix.EpollCtl(w.ep, how, fd, &ev)
}

// enter puts a connection into a free slot and gives its token.
func (w *Watcher) enter(what slot) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.enterLocked(what)
}

func (w *Watcher) enterLocked(what slot) uint64 {
	n := w.free
	if n == 0 {
		w.slots = append(w.slots, slot{})
		n = uint32(len(w.slots))
	} else {
		w.free = w.slots[n-1].next
	}
	s := &w.slots[n-1]
	s.c, s.d = what.c, what.d
	s.generation++
	w.count++
	return uint64(s.generation)<<32 | uint64(n-1)
}

// find gives the slot of a token, nil when it was left.
func (w *Watcher) find(token uint64) *slot {
	n := uint32(token)
	if int(n) >= len(w.slots) {
		return nil
	}
	if s := &w.slots[n]; s.generation == uint32(token>>32) && (s.c != nil || s.d != nil) {
		return s
	}
	return nil
}

func (w *Watcher) forget(c *Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s := w.find(c.token); s != nil && s.c == c {
		w.leaveLocked(c.token)
	}
}

// leave gives a slot back.
func (w *Watcher) leave(token uint64) {
	w.mu.Lock()
	w.leaveLocked(token)
	w.mu.Unlock()
}

func (w *Watcher) leaveLocked(token uint64) {
	s, n := w.find(token), uint32(token)
	s.c, s.d, s.next = nil, nil, w.free
	w.free = n + 1
	w.count--
}

// run reads events until the descriptor is closed.
func (w *Watcher) run() {
	defer close(w.done)
	var events [64]unix.EpollEvent
	w.raw.Read(func(ep uintptr) bool {
		for {
			n, err := unix.EpollWait(int(ep), events[:], 0)
			if err == unix.EINTR {
				continue
			}
			if err != nil {
				return true
			}
			for i := range events[:n] {
				w.report(&events[i])
			}
			if n < len(events) {
				return false
			}
		}
	})
}

func (w *Watcher) report(ev *unix.EpollEvent) {
	token := uint64(uint32(ev.Fd)) | uint64(uint32(ev.Pad))<<32
	w.mu.Lock()
	var now slot
	var arrival Arrival
	if s := w.find(token); s != nil {
		now = *s
	}
	c := now.c
	if c != nil {
		arrival, c.arrival = c.arrival, nil
	}
	w.mu.Unlock()
	switch {
	case now.d != nil:
		now.d.happened(ev.Events)
		return
	case c == nil:
		return // closed meanwhile
	}
	if arrival != nil {
		if c.onHang != nil {
			w.register(c, unix.EPOLL_CTL_MOD, 0) // told once, and hang-ups go on
		}
		defer arrival.Arrived(c)
	}
	c.hungUp(hangBits(ev.Events))
}

// hangBits are what events say of the peer.
func hangBits(events uint32) uint32 {
	switch {
	case events&(unix.EPOLLHUP|unix.EPOLLERR) != 0:
		return hangClosed | hangReset
	case events&unix.EPOLLRDHUP != 0:
		return hangClosed
	}
	return 0
}

// hungUp notes what is new of it, and tells.
func (c *Conn) hungUp(bits uint32) {
	if old := c.hang.Or(bits); old|bits != old && c.onHang != nil {
		c.onHang.HungUp(c, bits&hangReset != 0)
	}
}

// Look asks the kernel how things stand with the peer, watched or not: whether it has closed
// its sending side, and whether the connection is dead.
func (c *Conn) Look() (closed, reset bool) {
	c.raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		if n, err := unix.Poll(fds, 0); err == nil && n > 0 {
			closed, reset = true, fds[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
		}
	})
	return closed, reset
}

// PeerClosed reports whether a watched connection's peer has closed its sending
// side or reset the connection.
func (c *Conn) PeerClosed() bool { return c.hang.Load()&hangClosed != 0 }

// PeerReset reports whether a watched connection is dead.
func (c *Conn) PeerReset() bool { return c.hang.Load()&hangReset != 0 }
