package tunnel

import (
	"bytes"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/sock"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) {
	code := m.Run()
	descriptors = true // the same once more
	os.Exit(max(code, m.Run()))
}

// descriptors says that connections are sock.Descriptors, of the watcher.
var (
	descriptors bool
	watcher     *sock.Watcher
)

// pair is a connection as a tunnel has it and as the other side does.
func pair(t testing.TB, l *net.TCPListener) (near *sock.Conn, far *net.TCPConn) {
	t.Helper()
	c, err := net.DialTCP("tcp", nil, l.Addr().(*net.TCPAddr))
	if err != nil {
		t.Fatal(err)
	}
	var accepted sock.Socket
	if !descriptors {
		accepted, err = l.AcceptTCP()
	} else if raw, e := l.SyscallConn(); e != nil {
		err = e
	} else {
		raw.Control(func(fd uintptr) {
			// A busy kernel puts it into the queue a moment later.
			for e = unix.EINTR; e == unix.EINTR; {
				_, e = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 20_000)
			}
			accepted, _, err = sock.Accept(int(fd), watcher)
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	if near, err = sock.Wrap(accepted); err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(2 * time.Minute))
	return near, c
}

// left is a tunnel that was left to itself, with the two sides far from it.
type left struct {
	*Tunnel
	client, origin *net.TCPConn
	ended          chan struct{}
}

func leave(t testing.TB, l *net.TCPListener, e Ends) *left {
	t.Helper()
	near, client := pair(t, l)
	other, origin := pair(t, l)
	e.Client, e.Origin, e.Recover = near, other, func() {}
	if e.Patience == 0 {
		e.Patience = time.Minute
	}
	a := &left{e.Join(), client, origin, make(chan struct{})}
	if a.Run() {
		t.Fatal("over at once")
	}
	a.Leave(func() {
		near.Close()
		other.Close()
		close(a.ended)
	})
	t.Cleanup(func() {
		client.Close()
		origin.Close()
		<-a.ended
	})
	return a
}

func (a *left) parked() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.up.parked && a.down.parked
}

func listen(t testing.TB) (*net.TCPListener, *sock.Watcher) {
	t.Helper()
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	w, err := sock.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	t.Cleanup(func() { l.Close() })
	watcher = w
	return l, w
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so after 20 s: %s", what)
		}
	}
}

// Tunnels that are silent have no goroutine, and go on when either side speaks.
func TestQuietTunnelsHaveNoGoroutine(t *testing.T) {
	l, w := listen(t)
	before, all := runtime.NumGoroutine(), make([]*left, 20)
	for i := range all {
		all[i] = leave(t, l, Ends{Halves: true, Watcher: w, Stay: time.Millisecond})
	}
	eventually(t, "all are parked", func() bool {
		for _, a := range all {
			if !a.parked() {
				return false
			}
		}
		return runtime.NumGoroutine() <= before
	})
	word := make([]byte, 4)
	for _, a := range all {
		for _, way := range [][2]*net.TCPConn{{a.client, a.origin}, {a.origin, a.client}} {
			way[0].Write([]byte("word"))
			if _, err := io.ReadFull(way[1], word); err != nil || string(word) != "word" {
				t.Fatalf("%q, %v", word, err)
			}
		}
		eventually(t, "8 octets are counted", func() bool { return a.Moved() == 8 })
	}
}

// What ends a tunnel ends one that is parked: its patience, Abort, either side's end, and
// a reset. Where halves count, the end of one is not the end of the other.
func TestEndsOfQuietTunnels(t *testing.T) {
	l, w := listen(t)
	for name, c := range map[string]struct {
		halves   bool
		patience time.Duration
		do       func(*left)
	}{
		"patience":       {patience: 2 * time.Second}, // it is to rest before
		"abort":          {do: func(a *left) { a.Abort() }},
		"abort client":   {do: func(a *left) { a.Client.Abort(); a.Abort() }},
		"client ends":    {do: func(a *left) { a.client.Close() }},
		"origin ends":    {do: func(a *left) { a.origin.Close() }},
		"half, not kept": {do: func(a *left) { a.client.CloseWrite() }},
		"client resets":  {halves: true, do: func(a *left) { a.client.SetLinger(0); a.client.Close() }},
		"origin resets":  {halves: true, do: func(a *left) { a.origin.SetLinger(0); a.origin.Close() }},
		"both halves": {halves: true, do: func(a *left) {
			a.client.CloseWrite()
			if b, err := io.ReadAll(a.origin); len(b) > 0 || err != nil {
				t.Errorf("%q, %v", b, err)
			}
			a.origin.Write([]byte("still answered"))
			a.origin.Close()
			if b, err := io.ReadAll(a.client); string(b) != "still answered" || err != nil {
				t.Errorf("%q, %v", b, err)
			}
		}},
	} {
		a := leave(t, l, Ends{Halves: c.halves, Watcher: w, Stay: time.Millisecond, Patience: c.patience})
		if c.patience == 0 {
			eventually(t, name+": it is parked", a.parked)
		}
		if c.do != nil {
			c.do(a)
		}
		select {
		case <-a.ended:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s does not end it", name)
		}
		if a.timer != nil && a.timer.Stop() {
			t.Errorf("%s: the timer of its patience goes on", name)
		}
	}
}

// A tunnel that comes to an end in a panic is over, once.
func TestPanicEndsTheTunnel(t *testing.T) {
	l, w := listen(t)
	near, client := pair(t, l)
	other, origin := pair(t, l)
	recovered := make(chan any, 1)
	a := Ends{Client: near, Origin: other, Patience: time.Minute, Watcher: w, Stay: time.Millisecond,
		Recover: func() {
			if e := recover(); e != nil {
				recovered <- e
			}
		}}.Join()
	a.Run()
	over := make(chan struct{})
	a.Leave(func() { close(over) })
	eventually(t, "it is parked", func() bool {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.up.parked && a.down.parked
	})
	a.mu.Lock() // whoever wakes it sees the change
	a.up.Moved = func(int) { panic("a fault of ours") }
	a.mu.Unlock()
	client.Write([]byte("x"))
	<-over
	select {
	case <-recovered:
	case <-time.After(20 * time.Second):
		t.Error("nobody recovered")
	}
	for _, c := range []io.Closer{near, client, other, origin} {
		c.Close()
	}
}

// Whatever is said, in pieces and with pauses of any length, arrives whole on the other
// side, and so does the end of each side.
func TestTunnelIsTransparent(t *testing.T) {
	l, w := listen(t)
	rapid.Check(t, func(rt *rapid.T) {
		stay := rapid.SampledFrom([]time.Duration{time.Microsecond, time.Millisecond, time.Hour}).Draw(rt, "stay")
		near, client := pair(t, l)
		other, origin := pair(t, l)
		a := Ends{Client: near, Origin: other, Patience: time.Minute, Halves: true, Watcher: w, Stay: stay, Recover: func() {}}.Join()
		over := make(chan struct{})
		end := func() {
			near.Close()
			other.Close()
			close(over)
		}
		go func() {
			if a.Run() {
				end()
			} else {
				a.Leave(end)
			}
		}()
		sizes := rapid.SliceOfN(rapid.SampledFrom([]int{1, 100, 5000, 70000, 400000}), 0, 5)
		both := map[*net.TCPConn][]int{client: sizes.Draw(rt, "up"), origin: sizes.Draw(rt, "down")}
		pauses := rapid.Bool().Draw(rt, "pauses")
		type heard struct {
			by     *net.TCPConn
			octets []byte
			err    error
		}
		all, total := make(chan heard, 2), map[*net.TCPConn]int{}
		for from, pieces := range both {
			to := map[*net.TCPConn]*net.TCPConn{client: origin, origin: client}[from]
			for _, n := range pieces {
				total[to] += n
			}
			go func() {
				for i, n := range pieces {
					from.Write(bytes.Repeat([]byte{byte(i)}, n))
					if pauses {
						time.Sleep(2 * time.Millisecond) // a pause is what is tested
					}
				}
				from.CloseWrite()
			}()
			go func() {
				b, err := io.ReadAll(to)
				all <- heard{to, b, err}
			}()
		}
		for range 2 {
			if h := <-all; h.err != nil || len(h.octets) != total[h.by] {
				rt.Fatalf("%d octets of %d, %v", len(h.octets), total[h.by], h.err)
			}
		}
		<-over
		if a.Moved() != int64(total[client]+total[origin]) {
			rt.Errorf("%d counted", a.Moved())
		}
		client.Close()
		origin.Close()
	})
}
