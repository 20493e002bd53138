package sock

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ErrAborted is what reads and writes return after Abort.
var ErrAborted = errors.New("given up by the proxy")

// ErrTimeout is what reads and writes return when their time is over. It is
// one value, so that a timeout allocates nothing and compares by identity.
var ErrTimeout = errors.New("timed out")

// Socket is a connected TCP socket in the care of the runtime's poller: a
// *net.TCPConn, or an *os.File of a descriptor that does not wait, which costs a few
// system calls less to make.
type Socket interface {
	io.ReadWriteCloser
	syscall.Conn
	SetDeadline(time.Time) error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// Conn is one TCP connection. One goroutine at a time may read and one may
// write; Abort, HungUp and Close may be called by anybody.
type Conn struct {
	s   Socket
	raw syscall.RawConn
	own *Descriptor // s, when it is one
	fd  int         // only for calls that cannot meet a Close, see Clean

	read, write limit

	aborted atomic.Bool
	woken   atomic.Bool
	// interrupted: a read that waits is to end, see Interrupt.
	interrupted atomic.Bool
	closed      atomic.Bool
	hang        atomic.Uint32 // bits of hangState
	watch       atomic.Pointer[Watcher]
	token       uint64
	onHang      HangUp
	arrival     Arrival // of the next bytes, see Watcher.Await

	x *exchange // made by the first Exchange
	w *writing  // made by the first Write
}

// Wrap takes over a socket.
func Wrap(s Socket) (*Conn, error) {
	if d, ours := s.(*Descriptor); ours {
		d.conn = &Conn{s: d, raw: (*rawDescriptor)(d), own: d, fd: d.fd}
		return d.conn, nil
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return nil, err
	}
	c := &Conn{s: s, raw: raw}
	return c, raw.Control(func(fd uintptr) { c.fd = int(fd) })
}

// Control calls f with the descriptor; the error says that the connection is closed.
func (c *Conn) Control(f func(fd uintptr)) error { return c.raw.Control(f) }

// Socket is the connection underneath, for its options.
func (c *Conn) Socket() Socket { return c.s }

// Read reads what is there, waiting until the time set by ReadUntil.
func (c *Conn) Read(p []byte) (int, error) {
	for {
		n, err := c.s.Read(p)
		if err == nil || n > 0 {
			return n, nil
		}
		if again, err := c.overReading(err); !again {
			return 0, err
		}
	}
}

// CloseRead makes the kernel take no more from the other side; a read that waits
// sees the end.
func (c *Conn) CloseRead() error { return c.shutdown(unix.SHUT_RD) }

// CloseWrite ends our side of the connection (FIN).
func (c *Conn) CloseWrite() error { return c.shutdown(unix.SHUT_WR) }

func (c *Conn) shutdown(how int) (err error) {
	if d := c.own; d != nil {
		if !d.hold() {
			return net.ErrClosed
		}
		defer d.release()
		return shutdownNow(d.fd, how)
	}
	closed := c.raw.Control(func(fd uintptr) { err = shutdownNow(int(fd), how) })
	if closed != nil {
		return plain(closed)
	}
	return err
}

// Close closes the connection and wakes whoever waits on it.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	if w := c.watch.Load(); w != nil && c.own == nil {
		w.forget(c)
	}
	return c.s.Close()
}

// ResetAtClose makes Close send a RST instead of a FIN. Unlike Close it may be
// called inside Turns, which hold the descriptor.
func (c *Conn) ResetAtClose() {
	c.raw.Control(func(fd uintptr) {
		unix.SetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	})
}

// Abort makes every read and write, running or to come, return ErrAborted. The
// descriptor stays open until Close.
func (c *Conn) Abort() {
	c.aborted.Store(true)
	c.s.SetDeadline(time.Unix(1, 0))
}

// Wake makes a read that waits look at the connection once more.
func (c *Conn) Wake() {
	c.woken.Store(true)
	c.s.SetReadDeadline(time.Unix(1, 0))
}

// ErrInterrupted ends a read after Interrupt.
var ErrInterrupted = errors.New("interrupted")

// Interrupt makes a read that waits, or the next one that would, return
// ErrInterrupted, once. The connection stays as it is.
func (c *Conn) Interrupt() {
	c.interrupted.Store(true)
	c.s.SetReadDeadline(time.Unix(1, 0))
}

// Uninterrupt takes an Interrupt back that no read has met. Only the reading goroutine
// may call it.
func (c *Conn) Uninterrupt() {
	if !c.interrupted.Swap(false) {
		return
	}
	c.read.armed = c.read.want
	at := time.Time{}
	if c.read.want != 0 {
		at = started.Add(time.Duration(c.read.want))
	}
	c.s.SetReadDeadline(at)
	// Abort or Wake may have come first, and their deadline is gone.
	if c.aborted.Load() {
		c.Abort()
	} else if c.woken.Load() {
		c.Wake()
	}
}

// Arrived is how many octets have come that nobody has read.
func (c *Conn) Arrived() (n int) {
	c.raw.Control(func(fd uintptr) {
		if waiting, err := unix.IoctlGetInt(int(fd), unix.TIOCINQ); err == nil {
			n = waiting
		}
	})
	return n
}

// Aborted reports whether Abort was called.
func (c *Conn) Aborted() bool { return c.aborted.Load() }

// overReading judges an error of a read: it may be a timer that was armed for
// an earlier time than the one that counts now.
func (c *Conn) overReading(err error) (again bool, _ error) {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false, plain(err)
	}
	return c.read.over(c, c.s.SetReadDeadline)
}

func (c *Conn) overWriting(err error) (again bool, _ error) {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false, plain(err)
	}
	return c.write.over(c, c.s.SetWriteDeadline)
}

// plain strips the net package's wrapping: the bare errno or io.EOF is what
// error pages and logs want.
func plain(err error) error {
	if err == io.EOF {
		return io.EOF
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	if errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrClosed) {
		return net.ErrClosed
	}
	return err
}

// Errno is the system's number for err; 0 when there is none.
func Errno(err error) syscall.Errno {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		return errno
	}
	if err == ErrTimeout || errors.Is(err, os.ErrDeadlineExceeded) {
		return unix.ETIMEDOUT
	}
	return 0
}
