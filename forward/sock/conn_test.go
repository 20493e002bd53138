package sock

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestAddressesAreUnmapped(t *testing.T) {
	l, err := net.Listen("tcp", "[::]:0") // accepts IPv4 as mapped addresses
	if err != nil {
		t.Skip("no IPv6 here")
	}
	defer l.Close()
	dialled, err := net.Dial("tcp", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(l.Addr().(*net.TCPAddr).Port)).String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	near, _ := Wrap(dialled.(*net.TCPConn))
	far, _ := Wrap(accepted.(*net.TCPConn))
	defer near.Close()
	defer far.Close()
	if near.Local() != far.Remote() || near.Remote() != far.Local() || !far.Remote().Addr().Is4() {
		t.Errorf("%v - %v seen as %v - %v", near.Local(), near.Remote(), far.Remote(), far.Local())
	}
	far.Close()
	if far.Remote().IsValid() {
		t.Error("the address of a connection that is closed")
	}
}

// stuff fills the connection until the kernel takes no more, which is so when it has
// taken nothing a few times: one of them may have begun when its time was over.
func stuff(t *testing.T, c *Conn) (all int) {
	t.Helper()
	chunk := make([]byte, 1<<20)
	for full := 0; full < 3; {
		c.WriteUntil(time.Now().Add(30 * time.Millisecond))
		n, err := c.Write(chunk)
		if all += n; err != nil && err != ErrTimeout {
			t.Fatal(err)
		}
		if full++; n > 0 {
			full = 0
		}
	}
	return all
}

// What went out before a write ran out of time is told to the byte: it goes
// into the log and decides whether a request may be sent again.
func TestWriteTimeoutCountsWhatWentOut(t *testing.T) {
	a, b := pair(t)
	big := make([]byte, 32<<20)
	a.WriteUntil(time.Now().Add(time.Second))
	n, err := a.Write(big)
	if err != ErrTimeout || n == 0 || n == len(big) {
		t.Fatalf("%d bytes, %v", n, err)
	}
	// A later deadline works, and the stream goes on where it stopped.
	a.WriteUntil(time.Now().Add(time.Minute))
	arrived := make(chan int64)
	go func() {
		got, _ := io.Copy(io.Discard, b)
		arrived <- got
	}()
	m, err := a.Write(big[n:])
	if err != nil || n+m != len(big) {
		t.Fatalf("%d bytes, %v", m, err)
	}
	a.Close()
	if got := <-arrived; got != int64(len(big)) {
		t.Errorf("%d bytes arrived of %d", got, len(big))
	}
}

// The errors of a dead connection are bare numbers, since error pages show them
// (%E) and retries depend on them.
func TestErrorsArePlain(t *testing.T) {
	a, b := pair(t)
	b.SetLinger(0)
	b.Close()
	if _, err := a.Read(make([]byte, 1)); err != unix.ECONNRESET {
		t.Errorf("read from a reset connection: %v", err)
	}
	if _, err := a.Write([]byte("x")); err != unix.EPIPE {
		t.Errorf("write to it: %v", err)
	}
	a.Close()
	if _, err := a.Read(make([]byte, 1)); err != net.ErrClosed {
		t.Errorf("read after Close: %v", err)
	}
	if _, _, err := a.Exchange([]byte("x"), make([]byte, 1)); err != net.ErrClosed {
		t.Errorf("exchange after Close: %v", err)
	}
	if a.Clean() {
		t.Error("a closed connection is clean")
	}
	if err := a.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	other := errors.New("other")
	if plain(other) != other {
		t.Error("an unknown error is changed")
	}
}

func TestResetAtClose(t *testing.T) {
	a, b := pair(t)
	a.ResetAtClose()
	a.Close()
	if _, err := b.Read(make([]byte, 1)); Errno(err) != unix.ECONNRESET {
		t.Errorf("the peer reads %v", err)
	}
}

// CloseWrite leaves the other direction open.
func TestHalfClose(t *testing.T) {
	a, b := pair(t)
	if err := a.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Read(make([]byte, 1)); err != io.EOF {
		t.Fatalf("the peer reads %v", err)
	}
	b.Write([]byte("answer"))
	buf := make([]byte, 10)
	if n, err := a.Read(buf); string(buf[:n]) != "answer" || err != nil {
		t.Errorf("%q, %v", buf[:n], err)
	}
}

// Abort wins over every deadline set before or after it.
func TestAbortIsForGood(t *testing.T) {
	a, _ := pair(t)
	stuff(t, a)
	a.Abort()
	a.ReadUntil(time.Now().Add(time.Minute))
	a.WriteUntil(time.Now().Add(time.Minute))
	if _, err := a.Read(make([]byte, 1)); err != ErrAborted {
		t.Errorf("read: %v", err)
	}
	if _, err := a.Write([]byte("x")); err != ErrAborted {
		t.Errorf("write: %v", err)
	}
	if !a.Aborted() {
		t.Error("not told")
	}
}

// A Wake, before the wait or during it, is no timeout: the deadline stays.
func TestWakeKeepsTheDeadline(t *testing.T) {
	a, b := pair(t)
	a.Wake()
	a.ReadUntil(time.Now().Add(time.Minute))
	b.Write([]byte("x"))
	if n, err := a.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Fatalf("woken before: %d, %v", n, err)
	}
	turns := 0
	err := a.Turns(new(Turn), takerFunc(func(turn *Turn) bool {
		turn.Read(make([]byte, 1))
		if turns++; turns < 5 {
			a.Wake()
		}
		return turns == 5
	}))
	if err != nil || turns != 5 {
		t.Fatalf("%d turns, %v", turns, err)
	}
	soon := time.Now().Add(30 * time.Millisecond)
	a.ReadUntil(soon)
	a.Wake()
	if _, err := a.Read(make([]byte, 1)); err != ErrTimeout || time.Now().Before(soon) {
		t.Errorf("%v, %v before the time", err, time.Until(soon))
	}
}

// A turn that writes more than the socket holds waits in it, until the time of
// WriteUntil.
func TestTurnWrites(t *testing.T) {
	a, b := pair(t)
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	got := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(b)
		got <- all
	}()
	a.WriteUntil(time.Now().Add(time.Minute))
	var n int
	var err error
	if end := a.Turns(new(Turn), takerFunc(func(turn *Turn) bool { n, err = turn.Write(big); return true })); end != nil {
		t.Fatal(end)
	}
	a.Close()
	if all := <-got; n != len(big) || err != nil || !bytes.Equal(all, big) {
		t.Errorf("%d bytes, %v; %d arrived", n, err, len(all))
	}

	c, _ := pair(t)
	sent := stuff(t, c)
	c.WriteUntil(time.Now().Add(10 * time.Millisecond))
	c.Turns(new(Turn), takerFunc(func(turn *Turn) bool { n, err = turn.Write(big); return true }))
	if err != ErrTimeout {
		t.Errorf("a full socket (%d bytes): %d more, %v", sent, n, err)
	}
}

// Between turns nothing but the time ends the wait, and the first turn comes
// although there is nothing to read.
func TestTurnsTimeOut(t *testing.T) {
	a, _ := pair(t)
	turns := 0
	a.ReadUntil(time.Now().Add(time.Second)) // in which the first turn comes
	err := a.Turns(new(Turn), takerFunc(func(turn *Turn) bool {
		if n, err := turn.Read(make([]byte, 1)); n != 0 || err != unix.EAGAIN {
			t.Errorf("%d, %v", n, err)
		}
		turns++
		return false
	}))
	if err != ErrTimeout || turns == 0 {
		t.Errorf("%v after %d turns", err, turns)
	}
}
