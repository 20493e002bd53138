package sock

import (
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
// it nothing.
type Watcher struct {
	file *os.File
	raw  syscall.RawConn
	done chan struct{}

	mu    sync.Mutex
	slots []slot
	free  uint32 // first free slot and one, 0 for none
	count int
}

// slot holds a watched connection. A token is a slot's number with its
// generation, so that a late event for one connection never reaches the next
// one in the slot.
type slot struct {
	c          *Conn
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
	w.mu.Lock()
	how := unix.EPOLL_CTL_MOD
	if c.watch.Load() == nil {
		c.token = w.enter(c)
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
	w.mu.Lock()
	c.onHang = h
	c.token = w.enter(c)
	w.mu.Unlock()
	c.watch.Store(w)

	err := w.register(c, unix.EPOLL_CTL_ADD, 0)
	if err != nil || c.closed.Load() { // by somebody who did not see the watcher yet
		w.forget(c)
	}
	return err
}

// register tells the kernel what to report of c beside hang-ups.
func (w *Watcher) register(c *Conn, how int, events uint32) error {
	ev := unix.EpollEvent{Events: unix.EPOLLRDHUP | events | uint32(unix.EPOLLET&0xffffffff),
		Fd: int32(uint32(c.token)), Pad: int32(uint32(c.token >> 32))}
	var ctl error
	err := w.raw.Control(func(ep uintptr) {
		err := c.raw.Control(func(fd uintptr) {
			ctl = unix.EpollCtl(int(ep), how, int(fd), &ev)
		})
		if err != nil {
			ctl = err
		}
	})
	if err == nil {
		err = ctl
	}
	return err
}

// enter puts c into a free slot and gives its token.
func (w *Watcher) enter(c *Conn) uint64 {
	n := w.free
	if n == 0 {
		w.slots = append(w.slots, slot{})
		n = uint32(len(w.slots))
	} else {
		w.free = w.slots[n-1].next
	}
	s := &w.slots[n-1]
	s.c = c
	s.generation++
	w.count++
	return uint64(s.generation)<<32 | uint64(n-1)
}

// find gives the connection of a token, nil when it was forgotten.
func (w *Watcher) find(token uint64) *Conn {
	if n := uint32(token); int(n) < len(w.slots) && w.slots[n].generation == uint32(token>>32) {
		return w.slots[n].c
	}
	return nil
}

func (w *Watcher) forget(c *Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.find(c.token) != c {
		return
	}
	n := uint32(c.token)
	w.slots[n].c, w.slots[n].next = nil, w.free
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
	c := w.find(token)
	var arrival Arrival
	if c != nil {
		arrival, c.arrival = c.arrival, nil
	}
	w.mu.Unlock()
	if c == nil {
		return // closed meanwhile
	}
	if arrival != nil {
		if c.onHang != nil {
			w.register(c, unix.EPOLL_CTL_MOD, 0) // told once, and hang-ups go on
		}
		defer arrival.Arrived(c)
	}
	reset := ev.Events&(unix.EPOLLHUP|unix.EPOLLERR) != 0
	bit := uint32(hangClosed)
	if reset {
		bit = hangClosed | hangReset
	}
	if ev.Events&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) == 0 {
		return
	}
	if old := c.hang.Or(bit); old|bit != old && c.onHang != nil {
		c.onHang.HungUp(c, reset)
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
