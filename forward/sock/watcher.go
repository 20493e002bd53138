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

// Watch reports c's hang-ups to h from now on, at most once each kind. The
// watcher forgets c when it is closed.
func (w *Watcher) Watch(c *Conn, h HangUp) error {
	w.mu.Lock()
	c.onHang = h
	c.token = w.enter(c)
	w.mu.Unlock()
	c.watch.Store(w)

	ev := unix.EpollEvent{Events: unix.EPOLLRDHUP | uint32(unix.EPOLLET&0xffffffff),
		Fd: int32(uint32(c.token)), Pad: int32(uint32(c.token >> 32))}
	var ctl error
	err := w.raw.Control(func(ep uintptr) {
		err := c.raw.Control(func(fd uintptr) {
			ctl = unix.EpollCtl(int(ep), unix.EPOLL_CTL_ADD, int(fd), &ev)
		})
		if err != nil {
			ctl = err
		}
	})
	if err == nil {
		err = ctl
	}
	if err != nil || c.closed.Load() { // by somebody who did not see the watcher yet
		w.forget(c)
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
	w.mu.Unlock()
	if c == nil {
		return // closed meanwhile
	}
	reset := ev.Events&(unix.EPOLLHUP|unix.EPOLLERR) != 0
	bit := uint32(hangClosed)
	if reset {
		bit = hangClosed | hangReset
	}
	if old := c.hang.Or(bit); old|bit != old {
		c.onHang.HungUp(c, reset)
	}
}

// PeerClosed reports whether a watched connection's peer has closed its sending
// side or reset the connection.
func (c *Conn) PeerClosed() bool { return c.hang.Load()&hangClosed != 0 }

// PeerReset reports whether a watched connection is dead.
func (c *Conn) PeerReset() bool { return c.hang.Load()&hangReset != 0 }
