package origin

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/sock"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is a pool with an origin whose accepted connections are at hand.
type bench struct {
	t      testing.TB
	pool   *Pool
	dialer Dialer
	key    Key
	far    chan *net.TCPConn
}

func newBench(t testing.TB, opts PoolOptions) *bench {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w, err := sock.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, pool: NewPool(opts), far: make(chan *net.TCPConn, 100)}
	b.key.To = l.Addr().(*net.TCPAddr).AddrPort()
	b.dialer = Dialer{Pool: b.pool, Watcher: w, Dial: func(ctx context.Context, k Key, _ Wishes) (sock.Socket, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", k.To.String())
		if err != nil {
			return nil, err
		}
		return c.(*net.TCPConn), nil
	}}
	go func() {
		defer close(b.far)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			b.far <- c.(*net.TCPConn)
		}
	}()
	t.Cleanup(func() {
		b.pool.Close()
		l.Close()
		for c := range b.far {
			c.Close()
		}
		w.Close()
	})
	return b
}

func (b *bench) open() (*Conn, *net.TCPConn) {
	b.t.Helper()
	c, err := b.dialer.Open(context.Background(), b.key, Wishes{}, time.Minute, 0)
	if err != nil {
		b.t.Fatal(err)
	}
	far := <-b.far
	b.t.Cleanup(func() { c.Close(); far.Close() })
	return c, far
}

func (b *bench) eventually(what string, ok func() bool) {
	b.t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			b.t.Fatal("not so after 30 s: " + what)
		}
	}
}

func TestLastKeptFirstUsed(t *testing.T) {
	b := newBench(t, PoolOptions{Timeout: time.Minute})
	one, _ := b.open()
	two, _ := b.open()
	b.pool.Put(one, time.Now())
	b.pool.Put(two, time.Now())
	if b.pool.Get(b.key) != two || b.pool.Get(b.key) != one || b.pool.Get(b.key) != nil {
		t.Error("wrong order")
	}
}

func TestKeysAreKeptApart(t *testing.T) {
	b := newBench(t, PoolOptions{Timeout: time.Minute})
	c, _ := b.open()
	c.Key.As = netip.MustParseAddr("10.0.0.1")
	b.pool.Put(c, time.Now())
	other := c.Key
	other.As = netip.MustParseAddr("10.0.0.2")
	for _, k := range []Key{b.key, other} {
		if b.pool.Get(k) != nil {
			t.Errorf("a connection opened as one subscriber was given to %v", k.As)
		}
	}
	if b.pool.Get(c.Key) != c {
		t.Error("it is not given to its own")
	}
}

func TestClosedByOriginLeavesAtOnce(t *testing.T) {
	b := newBench(t, PoolOptions{Timeout: time.Minute})
	c, far := b.open()
	b.pool.Put(c, time.Now())
	far.Close()
	b.eventually("the closed connection has left", func() bool { return b.pool.Len() == 0 })

	// Closed before it came into the pool for the first time, and the second.
	c, far = b.open()
	far.Close()
	b.pool.Put(c, time.Now())
	b.eventually("it is not kept", func() bool { return b.pool.Len() == 0 })
	c, far = b.open()
	b.pool.Put(c, time.Now())
	if b.pool.Get(b.key) != c {
		t.Fatal("it was not kept")
	}
	far.Close()
	b.eventually("the close is known", c.PeerClosed)
	b.pool.Put(c, time.Now())
	b.eventually("it is not kept", func() bool { return b.pool.Len() == 0 })
}

func TestUnaskedBytesAreNotAnAnswer(t *testing.T) {
	b := newBench(t, PoolOptions{Timeout: time.Minute})
	c, far := b.open()
	far.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
	b.eventually("the bytes are here", func() bool { return !c.Clean() })
	b.pool.Put(c, time.Now().Add(-HardlyIdle))
	if b.pool.Get(b.key) != nil {
		t.Error("a connection with an answer nobody asked for was given out")
	}
}

// A connection that is used again at once is not looked at: package fetch notices what
// came behind its last reply. One that has been closed is not given out all the same.
func TestHardlyIdle(t *testing.T) {
	b := newBench(t, PoolOptions{Timeout: time.Minute})
	c, far := b.open()
	far.Write([]byte("x"))
	b.eventually("the byte is here", func() bool { return !c.Clean() })
	b.pool.Put(c, time.Now().Add(time.Hour)) // it stays fresh however slow this machine is
	if b.pool.Get(b.key) != c {
		t.Error("it was looked at")
	}
	b.pool.Put(c, time.Now().Add(time.Hour))
	far.Close()
	b.eventually("it has left", func() bool { return b.pool.Len() == 0 })
	if b.pool.Get(b.key) != nil {
		t.Error("a closed connection was given out")
	}
}

func TestBounds(t *testing.T) {
	b := newBench(t, PoolOptions{Timeout: time.Hour, PerKey: 2, Total: 3})
	for i, want := range []int{1, 2, 2} {
		c, _ := b.open()
		b.pool.Put(c, time.Now())
		if n := b.pool.Len(); n != want {
			t.Errorf("after %d: %d kept, want %d", i+1, n, want)
		}
	}
	for i, want := range []int{3, 3} {
		c, _ := b.open()
		c.Key.TOS = uint8(i + 1)
		b.pool.Put(c, time.Now())
		if n := b.pool.Len(); n != want {
			t.Errorf("%d kept in all, want %d", n, want)
		}
	}
}

// Nobody looks, and they go when their time is over.
func TestTimeout(t *testing.T) {
	b := newBench(t, PoolOptions{Timeout: 30 * time.Millisecond})
	for range 3 {
		c, _ := b.open()
		b.pool.Put(c, time.Now())
	}
	b.eventually("all have aged out", func() bool { return b.pool.Len() == 0 })
	b.pool.mu.Lock()
	defer b.pool.mu.Unlock()
	if len(b.pool.byKey) != 0 {
		t.Error("keys nobody uses are remembered")
	}
}

func TestDialError(t *testing.T) {
	b := newBench(t, PoolOptions{})
	// A socket that has an address and does not listen keeps others from it.
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	k := Key{To: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(name.(*unix.SockaddrInet4).Port))}
	_, err = b.dialer.Open(context.Background(), k, Wishes{}, time.Minute, 0)
	var de *DialError
	if !errors.As(err, &de) || de.Errno != unix.ECONNREFUSED || de.Timeout || de.To != k.To {
		t.Errorf("refused: %#v", err)
	}
	hang := b.dialer
	hang.Dial = func(ctx context.Context, _ Key, _ Wishes) (sock.Socket, error) {
		at, _ := ctx.Deadline()
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(time.Until(at)):
			return nil, os.ErrDeadlineExceeded
		}
	}
	_, err = hang.Open(context.Background(), k, Wishes{}, 10*time.Millisecond, 0)
	if !errors.As(err, &de) || !de.Timeout || de.Errno != unix.ETIMEDOUT {
		t.Errorf("timed out: %#v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err = hang.Open(ctx, k, Wishes{}, time.Second, 0); !errors.Is(err, context.Canceled) || errors.As(err, &de) && de == nil {
		t.Errorf("cancelled: %v", err)
	}
}

// TestPoolCounts plays random puts and gets beside an obvious model.
func TestPoolCounts(t *testing.T) {
	b := newBench(t, PoolOptions{Timeout: time.Minute, PerKey: 3, Total: 6})
	rapid.Check(t, func(rt *rapid.T) {
		model := map[uint8][]*Conn{}
		total := 0
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			k := b.key
			k.TOS = rapid.Uint8Range(0, 2).Draw(rt, "key")
			if rapid.Bool().Draw(rt, "put") {
				c, _ := b.open()
				c.Key = k
				b.pool.Put(c, time.Now())
				if len(model[k.TOS]) < 3 && total < 6 {
					model[k.TOS] = append(model[k.TOS], c)
					total++
				}
			} else {
				var want *Conn
				if l := model[k.TOS]; len(l) > 0 {
					want = l[len(l)-1]
					model[k.TOS] = l[:len(l)-1]
					total--
				}
				if got := b.pool.Get(k); got != want {
					rt.Fatalf("Get(%d) = %p, want %p", k.TOS, got, want)
				}
			}
			if b.pool.Len() != total {
				rt.Fatalf("%d kept, want %d", b.pool.Len(), total)
			}
		}
		for tos, l := range model {
			for range l {
				k := b.key
				k.TOS = tos
				b.pool.Get(k)
			}
		}
	})
}
