package sock

import (
	"errors"
	"io"
	"net"
	"net/netip"
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

// Conn is one TCP connection. One goroutine at a time may read and one may
// write; Abort, HungUp and Close may be called by anybody.
type Conn struct {
	tcp *net.TCPConn
	raw syscall.RawConn
	fd  int // only for calls that cannot meet a Close, see Clean

	read, write limit

	aborted atomic.Bool
	woken   atomic.Bool
	// interrupted: a read that waits is to end, see Interrupt.
	interrupted atomic.Bool
	closed      atomic.Bool
	hang        atomic.Uint32 // bits of hangState
	watch       *Watcher
	token       uint64
	onHang      HangUp

	x *exchange // made by the first Exchange
}

// Wrap takes over tcp.
func Wrap(tcp *net.TCPConn) (*Conn, error) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	c := &Conn{tcp: tcp, raw: raw}
	return c, raw.Control(func(fd uintptr) { c.fd = int(fd) })
}

// Control calls f with the descriptor; the error says that the connection is closed.
func (c *Conn) Control(f func(fd uintptr)) error { return c.raw.Control(f) }

// TCP is the connection underneath, for its addresses and options.
func (c *Conn) TCP() *net.TCPConn { return c.tcp }

// Remote is the peer's address, unmapped.
func (c *Conn) Remote() netip.AddrPort { return addrPort(c.tcp.RemoteAddr()) }

// Local is our address on this connection, unmapped.
func (c *Conn) Local() netip.AddrPort { return addrPort(c.tcp.LocalAddr()) }

func addrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// Read reads what is there, waiting until the time set by ReadUntil.
func (c *Conn) Read(p []byte) (int, error) {
	for {
		n, err := c.tcp.Read(p)
		if err == nil || n > 0 {
			return n, nil
		}
		if again, err := c.overReading(err); !again {
			return 0, err
		}
	}
}

// Write writes all of p, waiting until the time set by WriteUntil.
func (c *Conn) Write(p []byte) (int, error) {
	done := 0
	for {
		n, err := c.tcp.Write(p[done:])
		done += n
		if err == nil {
			return done, nil
		}
		if again, err := c.overWriting(err); !again {
			return done, err
		}
	}
}

// CloseWrite ends our side of the connection (FIN).
func (c *Conn) CloseWrite() error { return c.tcp.CloseWrite() }

// Close closes the connection and wakes whoever waits on it.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return nil
	}
	if c.watch != nil {
		c.watch.forget(c)
	}
	return c.tcp.Close()
}

// ResetAtClose makes Close send a RST instead of a FIN. Unlike Close it may be
// called inside Turns, which hold the descriptor.
func (c *Conn) ResetAtClose() { c.tcp.SetLinger(0) }

// Abort makes every read and write, running or to come, return ErrAborted. The
// descriptor stays open until Close.
func (c *Conn) Abort() {
	c.aborted.Store(true)
	c.tcp.SetDeadline(time.Unix(1, 0))
}

// Wake makes a read that waits look at the connection once more.
func (c *Conn) Wake() {
	c.woken.Store(true)
	c.tcp.SetReadDeadline(time.Unix(1, 0))
}

// ErrInterrupted ends a read after Interrupt.
var ErrInterrupted = errors.New("interrupted")

// Interrupt makes a read that waits, or the next one that would, return
// ErrInterrupted, once. The connection stays as it is.
func (c *Conn) Interrupt() {
	c.interrupted.Store(true)
	c.tcp.SetReadDeadline(time.Unix(1, 0))
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
	c.tcp.SetReadDeadline(at)
	// Abort or Wake may have come first, and their deadline is gone.
	if c.aborted.Load() {
		c.Abort()
	} else if c.woken.Load() {
		c.Wake()
	}
}

// Arrived is how many octets have come that nobody has read.
func (c *Conn) Arrived() (n int) {
	raw, err := c.tcp.SyscallConn()
	if err != nil {
		return 0
	}
	raw.Control(func(fd uintptr) {
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
	return c.read.over(c, c.tcp.SetReadDeadline)
}

func (c *Conn) overWriting(err error) (again bool, _ error) {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false, plain(err)
	}
	return c.write.over(c, c.tcp.SetWriteDeadline)
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
	if errors.Is(err, net.ErrClosed) {
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
