package origin

import (
	"context"
	"errors"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Key, ports and time limit reach the network unchanged.
func TestDialIsTold(t *testing.T) {
	b := newBench(t, PoolOptions{})
	b.key.As, b.key.Peer, b.key.TOS = netip.MustParseAddr("10.0.0.1"), "parent", 4
	plain, ports := b.dialer.Dial, Wishes{First: 1000, Last: 2000}
	b.dialer.Dial = func(ctx context.Context, k Key, got Wishes) (sock.Socket, error) {
		if end, ok := ctx.Deadline(); !ok || time.Until(end) > time.Minute || k != b.key || got != ports {
			t.Errorf("deadline %v, key %v, ports %v", end, k, got)
		}
		return plain(ctx, k, got)
	}
	c, err := b.dialer.Open(context.Background(), b.key, ports, time.Minute, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.Key != b.key || c.Uses != 0 {
		t.Errorf("%+v", c)
	}
}

// tcp_recv_bufsize is set on the socket; 0 leaves the system's size.
func TestReceiveBuffer(t *testing.T) {
	b := newBench(t, PoolOptions{})
	size := func(want int) (got int) {
		c, err := b.dialer.Open(context.Background(), b.key, Wishes{}, time.Minute, want)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		raw, err := c.Socket().SyscallConn()
		if err == nil {
			raw.Control(func(fd uintptr) { got, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF) })
		}
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	// Linux doubles what it is told.
	if plain, small := size(0), size(8192); small != 16384 || plain == small {
		t.Errorf("%d bytes by default, %d when 8192 are asked for", plain, small)
	}
}

// A connection that cannot be watched is closed, not leaked.
func TestUnwatchedIsClosed(t *testing.T) {
	b := newBench(t, PoolOptions{})
	closed := b.dialer.Dial
	b.dialer.Dial = func(ctx context.Context, k Key, ports Wishes) (sock.Socket, error) {
		c, err := closed(ctx, k, ports)
		if err == nil {
			err = c.Close()
		}
		return c, err
	}
	var failed *DialError
	if c, err := b.dialer.Open(context.Background(), b.key, Wishes{}, time.Minute, 1); !errors.As(err, &failed) {
		t.Errorf("%v, %v", c, err)
	}
	far := <-b.far
	defer far.Close()
	if _, err := far.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the far end reads %v", err)
	}
}

// So is one that can no longer be watched when it is to be kept.
func TestUnwatchedIsNotKept(t *testing.T) {
	b := newBench(t, PoolOptions{Timeout: time.Minute})
	c, far := b.open()
	c.Socket().Close()
	b.pool.Put(c, time.Now())
	if _, err := far.Read(make([]byte, 1)); err != io.EOF || b.pool.Len() != 0 {
		t.Errorf("%d kept; the far end reads %v", b.pool.Len(), err)
	}
}

// Who asked may have gone for a reason of its own; that reason comes back, and
// is no fault of the network's.
func TestCauseOfTheEnd(t *testing.T) {
	gone := errors.New("the client is gone")
	ctx, cancel := context.WithCancelCause(context.Background())
	d := Dialer{Dial: func(ctx context.Context, _ Key, _ Wishes) (sock.Socket, error) {
		cancel(gone)
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	if _, err := d.Open(ctx, Key{}, Wishes{}, time.Minute, 0); err != gone {
		t.Errorf("%v", err)
	}
}

func TestDialErrorText(t *testing.T) {
	to := netip.MustParseAddrPort("192.0.2.1:80")
	for _, c := range []struct {
		err     error
		errno   unix.Errno
		timeout bool
	}{
		{&net.OpError{Op: "dial", Net: "tcp", Err: unix.EHOSTUNREACH}, unix.EHOSTUNREACH, false},
		{unix.EADDRNOTAVAIL, unix.EADDRNOTAVAIL, false},
		{context.DeadlineExceeded, unix.ETIMEDOUT, true},
		{&net.OpError{Op: "dial", Net: "tcp", Err: unix.ETIMEDOUT}, unix.ETIMEDOUT, true},
		{errors.New("odd"), 0, false},
	} {
		e := newDialError(to, c.err)
		if e.Errno != c.errno || e.Timeout != c.timeout || !errors.Is(e, c.err) || !strings.HasPrefix(e.Error(), "connecting to 192.0.2.1:80: ") {
			t.Errorf("%v: %+v (%v)", c.err, e, e)
		}
	}
}
