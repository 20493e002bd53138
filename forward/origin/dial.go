package origin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/sock"
	"golang.org/x/sys/unix"
)

// Dialer opens connections for a Pool.
type Dialer struct {
	// Pool gets the connections back when they are idle.
	Pool *Pool
	// Dial makes the TCP connection; forward hands in its Network. The context ends
	// with the client; its deadline is for Dial to keep.
	Dial func(ctx context.Context, k Key, wishes Wishes) (sock.Socket, error)
	// Watcher looks after connections from the first time they are idle.
	Watcher *sock.Watcher
}

// Wishes are about a new connection; the zero value leaves all to the system. They are no
// part of a Key: a kept connection serves its client whatever was wished.
type Wishes struct {
	// First is the local port tried first, Last the one when no other can be had; 0 for
	// none.
	First, Last uint16
	// Tunnel says that the connection is for a tunnel, and never kept.
	Tunnel bool
}

// DialError is a connection that could not be opened.
type DialError struct {
	// To is the address tried.
	To netip.AddrPort
	// Timeout says that no answer came in time.
	Timeout bool
	// Errno is the system's number, 0 when there is none.
	Errno syscall.Errno
	// Err is what the network said.
	Err error
}

func (e *DialError) Error() string { return fmt.Sprintf("connecting to %s: %v", e.To, e.Err) }

// Unwrap gives what the network said.
func (e *DialError) Unwrap() error { return e.Err }

// Open makes one connection within timeout. recvBuffer is tcp_recv_bufsize in
// bytes, 0 for the system's default. The error is a *DialError unless ctx ended.
func (d *Dialer) Open(ctx context.Context, k Key, wishes Wishes, timeout time.Duration, recvBuffer int) (*Conn, error) {
	tcp, err := d.Dial(until{ctx, time.Now().Add(timeout)}, k, wishes)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, newDialError(k.To, err)
	}
	if recvBuffer > 0 {
		setReadBuffer(tcp, recvBuffer)
	}
	plain, err := sock.Wrap(tcp)
	if err != nil {
		tcp.Close()
		return nil, newDialError(k.To, err)
	}
	k.Host = strings.Clone(k.Host) // the caller's may be a view of a buffer
	return &Conn{Conn: plain, Key: k, pool: d.Pool, watcher: d.Watcher}, nil
}

// until is a context with a deadline that nothing but a look at it tells of: the timer
// of context.WithTimeout costs a new connection 1 us, and most are there at once.
type until struct {
	context.Context
	at time.Time
}

// Deadline implements context.Context.
func (u until) Deadline() (time.Time, bool) {
	if at, ok := u.Context.Deadline(); ok && at.Before(u.at) {
		return at, true
	}
	return u.at, true
}

// setReadBuffer is best effort, as in 2.6.
func setReadBuffer(s sock.Socket, octets int) {
	if raw, err := s.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, octets) })
	}
}

func newDialError(to netip.AddrPort, err error) *DialError {
	e := &DialError{To: to, Err: err, Errno: sock.Errno(err)}
	var ne net.Error
	if errors.Is(err, context.DeadlineExceeded) || (errors.As(err, &ne) && ne.Timeout()) {
		e.Timeout, e.Errno = true, unix.ETIMEDOUT
	}
	return e
}
