package sock

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand"
	"net"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(bothKinds{m}) }

// bothKinds runs all tests with sockets the runtime's poller waits for, and with
// Descriptors.
type bothKinds struct{ *testing.M }

var descriptors bool

func (m bothKinds) Run() int {
	code := m.M.Run()
	descriptors = true
	return max(code, m.M.Run())
}

// pair gives two ends of one TCP connection over loopback, the first of the kind that is
// tested.
func pair(t testing.TB) (a *Conn, b *net.TCPConn) {
	t.Helper()
	if !descriptors {
		return plainPair(t)
	}
	w, err := NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: l.Addr().(*net.TCPAddr).Port})
	}
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_TCP, unix.TCP_NODELAY, 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	if a, err = Wrap(w.NewDescriptor(fd)); err != nil {
		t.Fatal(err)
	}
	if b, err = l.AcceptTCP(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

// plainPair is a pair that the runtime's poller waits for.
func plainPair(t testing.TB) (a *Conn, b *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	far := make(chan net.Conn, 1)
	go func() {
		c, _ := l.Accept()
		far <- c
	}()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	a, err = Wrap(near.(*net.TCPConn))
	if err != nil {
		t.Fatal(err)
	}
	b = (<-far).(*net.TCPConn)
	t.Cleanup(func() { a.Close(); b.Close() })
	return a, b
}

func TestExchange(t *testing.T) {
	a, b := pair(t)
	go func() {
		buf := make([]byte, 100)
		for {
			n, err := b.Read(buf)
			if err != nil {
				return
			}
			b.Write(bytes.ToUpper(buf[:n]))
		}
	}()
	in := make([]byte, 100)
	for _, word := range []string{"one", "two", "three"} {
		w, n, err := a.Exchange([]byte(word), in)
		if err != nil || w != len(word) || string(in[:n]) != string(bytes.ToUpper([]byte(word))) {
			t.Fatalf("Exchange(%q) = %d, %d, %v: %q", word, w, n, err, in[:n])
		}
	}
}

func TestExchangeLargerThanSocketBuffer(t *testing.T) {
	a, b := pair(t)
	out := bytes.Repeat([]byte("x"), 8<<20)
	go func() {
		n, _ := io.CopyN(io.Discard, b, int64(len(out)))
		if n == int64(len(out)) {
			b.Write([]byte("ok"))
		}
	}()
	in := make([]byte, 10)
	w, n, err := a.Exchange(out, in)
	if err != nil || w != len(out) || string(in[:n]) != "ok" {
		t.Fatalf("Exchange = %d, %d, %v", w, n, err)
	}
}

func TestExchangeEnds(t *testing.T) {
	cases := []struct {
		name string
		far  func(b *net.TCPConn)
		want error
	}{
		{"closed", func(b *net.TCPConn) { io.ReadFull(b, make([]byte, 3)); b.Close() }, io.EOF},
		{"reset", func(b *net.TCPConn) { io.ReadFull(b, make([]byte, 3)); b.SetLinger(0); b.Close() }, unix.ECONNRESET},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a, b := pair(t)
			go c.far(b)
			_, n, err := a.Exchange([]byte("abc"), make([]byte, 10))
			if n != 0 || err != c.want {
				t.Fatalf("n %d, err %v, want %v", n, err, c.want)
			}
		})
	}
}

func TestTimeoutIsLazyButKept(t *testing.T) {
	a, b := pair(t)
	// The timer is armed for the first deadline; the later one counts.
	a.ReadUntil(time.Now().Add(20 * time.Millisecond))
	late := time.Now().Add(120 * time.Millisecond)
	a.ReadUntil(late)
	if _, err := a.Read(make([]byte, 1)); err != ErrTimeout {
		t.Fatalf("err %v", err)
	}
	if time.Now().Before(late) {
		t.Fatal("ended at the earlier deadline")
	}
	// After a timeout a new deadline works, and none at all too.
	a.ReadUntil(time.Time{})
	b.Write([]byte("x"))
	if n, err := a.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Fatalf("after a timeout: %d, %v", n, err)
	}
}

func TestAbortWakes(t *testing.T) {
	a, _ := pair(t)
	a.ReadUntil(time.Now().Add(time.Minute))
	time.AfterFunc(20*time.Millisecond, a.Abort)
	if _, _, err := a.Exchange([]byte("x"), make([]byte, 1)); err != ErrAborted {
		t.Fatalf("err %v", err)
	}
	if _, err := a.Read(make([]byte, 1)); err != ErrAborted {
		t.Fatalf("later read: %v", err)
	}
}

func TestClean(t *testing.T) {
	a, b := pair(t)
	if !a.Clean() {
		t.Fatal("a fresh connection is not clean")
	}
	b.Write([]byte("unasked"))
	for a.Clean() {
		time.Sleep(time.Millisecond)
	}
	c, d := pair(t)
	d.Close()
	for c.Clean() {
		time.Sleep(time.Millisecond)
	}
}

// TestTurnsLoseNothing sends bursts at random moments, also while a turn is
// being served, and checks that every byte is seen although no turn reads until
// EAGAIN.
func TestTurnsLoseNothing(t *testing.T) {
	a, b := pair(t)
	const total = 20000
	go func() {
		r := rand.New(rand.NewSource(1))
		for sent := 0; sent < total; {
			n := min(1+r.Intn(200), total-sent)
			b.Write(make([]byte, n))
			sent += n
			if r.Intn(4) == 0 {
				time.Sleep(time.Duration(r.Intn(200)) * time.Microsecond)
			}
		}
	}()
	got := 0
	buf := make([]byte, 64)
	a.ReadUntil(time.Now().Add(20 * time.Second))
	err := a.Turns(new(Turn), takerFunc(func(turn *Turn) bool {
		n, err := turn.Read(buf)
		if err != nil {
			return err != unix.EAGAIN
		}
		got += n
		return got == total
	}))
	if err != nil || got != total {
		t.Fatalf("got %d of %d, %v", got, total, err)
	}
}

// TestFINWithTheBytes: the end that comes in one edge with the last bytes is
// noticed although no turn reads until there is nothing.
func TestFINWithTheBytes(t *testing.T) {
	w, err := NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for range 200 {
		a, b := pair(t)
		if err := w.Watch(a, hangFunc(func(c *Conn, _ bool) { c.Wake() })); err != nil {
			t.Fatal(err)
		}
		go func() {
			b.Write([]byte("last"))
			b.CloseWrite()
		}()
		buf := make([]byte, 64)
		a.ReadUntil(time.Now().Add(10 * time.Second))
		var end error
		err := a.Turns(new(Turn), takerFunc(func(turn *Turn) bool {
			_, end = turn.Read(buf)
			return end != nil && end != unix.EAGAIN
		}))
		if err != nil || end != io.EOF {
			t.Fatal(err, end)
		}
		a.Close()
		b.Close()
	}
}

func TestWatcher(t *testing.T) {
	w, err := NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	told := make(chan bool, 4)
	listen := hangFunc(func(_ *Conn, reset bool) { told <- reset })

	a, b := pair(t)
	if err := w.Watch(a, listen); err != nil {
		t.Fatal(err)
	}
	b.Write([]byte("data says nothing"))
	b.CloseWrite()
	if reset := <-told; reset || !a.PeerClosed() || a.PeerReset() {
		t.Fatal("a half-closed peer is not a reset one")
	}
	b.SetLinger(0)
	b.Close()
	if reset := <-told; !reset || !a.PeerReset() {
		t.Fatal("a reset was not told")
	}

	// One that was gone before it was watched is told too.
	c, d := pair(t)
	d.Close()
	if err := w.Watch(c, listen); err != nil {
		t.Fatal(err)
	}
	<-told
	c.Close()
	if descriptors {
		return // each has a watcher of its own
	}
	if w.count != 1 || w.find(c.token) != nil {
		t.Fatalf("%d connections still known", w.count)
	}
}

type takerFunc func(*Turn) bool

func (f takerFunc) TakeTurn(t *Turn) bool { return f(t) }

type hangFunc func(*Conn, bool)

func (f hangFunc) HungUp(c *Conn, reset bool) { f(c, reset) }

func TestTransfer(t *testing.T) {
	defer ClosePipes()
	const size = 3<<20 + 17
	data := make([]byte, size)
	rand.New(rand.NewSource(2)).Read(data)
	for _, withPipe := range []bool{true, false} {
		for _, left := range []int64{size, -1, size - 1000} {
			if !withPipe {
				pipes.Lock()
				pipes.all += maxPipes
				pipes.Unlock()
				ClosePipes()
			}
			src, feed := pair(t)
			dst, sink := pair(t)
			var wg sync.WaitGroup
			wg.Add(2)
			go func() { defer wg.Done(); feed.Write(data); feed.Close() }()
			var got []byte
			go func() { defer wg.Done(); got, _ = io.ReadAll(sink) }()
			moved := 0
			tr := &Transfer{From: src, To: dst, Left: left, Patience: 10 * time.Second, Moved: func(n int) { moved += n }}
			total := tr.Run()
			src.Close()
			dst.Close()
			wg.Wait()
			want := data
			if left >= 0 {
				want = data[:left]
			}
			if tr.ReadErr != nil || tr.WriteErr != nil || total != int64(len(want)) || moved != len(want) || sha256.Sum256(got) != sha256.Sum256(want) {
				t.Errorf("pipe %v left %d: total %d moved %d got %d, %v, %v", withPipe, left, total, moved, len(got), tr.ReadErr, tr.WriteErr)
			}
			if !withPipe {
				pipes.Lock()
				pipes.all -= maxPipes
				pipes.Unlock()
			}
		}
	}
	if pipes.all != len(pipes.idle) {
		t.Fatalf("%d pipes, %d idle: one is lost", pipes.all, len(pipes.idle))
	}
}

func TestTransferSaysWhichSideFailed(t *testing.T) {
	defer ClosePipes()
	t.Run("source ends early", func(t *testing.T) {
		src, feed := pair(t)
		dst, _ := pair(t)
		go func() { feed.Write([]byte("abc")); feed.Close() }()
		tr := &Transfer{From: src, To: dst, Left: 10}
		if n := tr.Run(); n != 3 || tr.ReadErr != io.EOF || tr.WriteErr != nil {
			t.Fatal(n, tr.ReadErr, tr.WriteErr)
		}
	})
	t.Run("source stalls", func(t *testing.T) {
		src, feed := pair(t)
		dst, _ := pair(t)
		feed.Write([]byte("abc"))
		tr := &Transfer{From: src, To: dst, Left: 10, Patience: time.Second}
		if n := tr.Run(); n != 3 || tr.ReadErr != ErrTimeout || tr.WriteErr != nil {
			t.Fatal(n, tr.ReadErr, tr.WriteErr)
		}
	})
	t.Run("destination goes away", func(t *testing.T) {
		src, feed := pair(t)
		dst, sink := pair(t)
		sink.SetLinger(0)
		sink.Close()
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			for {
				if _, err := feed.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}()
		tr := &Transfer{From: src, To: dst, Left: -1, Patience: 10 * time.Second}
		tr.Run()
		if tr.ReadErr != nil || tr.WriteErr == nil {
			t.Fatal(tr.ReadErr, tr.WriteErr)
		}
		src.Close()
		<-stop
	})
	t.Run("destination stalls", func(t *testing.T) {
		src, feed := pair(t)
		dst, _ := pair(t)
		stop := make(chan struct{})
		go func() {
			defer close(stop)
			for {
				if _, err := feed.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}()
		tr := &Transfer{From: src, To: dst, Left: -1, Patience: 100 * time.Millisecond}
		tr.Run()
		if tr.WriteErr != ErrTimeout {
			t.Fatal(tr.ReadErr, tr.WriteErr)
		}
		src.Close()
		<-stop
	})
	if pipes.all != len(pipes.idle) {
		t.Fatalf("%d pipes, %d idle: one is lost", pipes.all, len(pipes.idle))
	}
}

func TestExchangeAllocatesNothing(t *testing.T) {
	a, b := pair(t)
	go func() {
		buf := make([]byte, 100)
		for {
			n, err := b.Read(buf)
			if err != nil {
				return
			}
			b.Write(buf[:n])
		}
	}()
	out, in := []byte("request"), make([]byte, 100)
	a.Exchange(out, in)
	if n := testing.AllocsPerRun(200, func() {
		a.ReadUntil(time.Now().Add(time.Minute))
		if _, _, err := a.Exchange(out, in); err != nil {
			t.Error(err)
		}
	}); n > 0 {
		t.Fatalf("%v allocations an exchange", n)
	}
}

func TestErrno(t *testing.T) {
	if Errno(&net.OpError{Op: "read", Err: unix.ECONNRESET}) != unix.ECONNRESET || Errno(ErrTimeout) != unix.ETIMEDOUT || Errno(errors.New("x")) != 0 {
		t.Fatal("wrong numbers")
	}
}
