package forward

import (
	"bufio"
	"context"
	"fmt"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/clients"
	"github.com/cuttle-proxy/cuttle/forward/overload"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/sys/unix"
)

// starved is a Network without descriptors for dialling while short is set.
type starved struct {
	loopback
	short *atomic.Bool
}

func (s starved) Dial(ctx context.Context, d Dialing) (sock.Socket, error) {
	if s.short.Load() {
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("socket", unix.EMFILE)}
	}
	return s.loopback.Dial(ctx, d)
}

// Shortages are told of once, kept connections are given up for them, what can
// be served is served, and the end is told of too.
func TestOverload(t *testing.T) {
	origin := answering(t, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok")
	core, logs := observer.New(zap.InfoLevel)
	var mu sync.Mutex
	var told []bool
	// said is how often a shortage was told of, and whether the end of the last one was. On
	// a machine that stands still for the whole rest there are more.
	said := func() (begun int, over bool) {
		mu.Lock()
		defer mu.Unlock()
		for i, now := range told {
			if now != (i%2 == 0) {
				t.Errorf("told %v", told)
			}
		}
		return (len(told) + 1) / 2, len(told)%2 == 0
	}
	network := starved{short: new(atomic.Bool)}
	srv, err := New(defaults(t.TempDir()), Parts{Network: network, Log: zap.New(core), Version: "test", Resolver: names{},
		OverloadRest: 200 * time.Millisecond,
		Overloaded:   func(now bool) { mu.Lock(); told = append(told, now); mu.Unlock() }})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	go srv.Serve()
	r := &rig{t: t, srv: srv, addr: srv.ports.Listeners()[0].Addr().String()}
	get := func() string { return r.exchange(fmt.Sprintf("GET http://%s/ HTTP/1.0\r\n\r\n", origin)) }
	if got := get(); !strings.Contains(got, "200 OK") || srv.pool.Len() != 1 {
		t.Fatalf("%q, %d kept", got, srv.pool.Len())
	}
	network.short.Store(true)
	for range 3 {
		srv.pool.DropIdle() // so that a connection is needed
		if got := get(); !strings.HasPrefix(got, "HTTP/1.0 500 ") || !strings.Contains(got, "ERR_SOCKET_FAILURE 24") {
			t.Errorf("%q", got)
		}
	}
	begun, _ := said()
	if o := srv.Overload(); begun == 0 || int(o.Times) != begun || o.Shortages < 3 || o.Shortages == o.Times || srv.pool.Len() != 0 {
		t.Errorf("%+v, told %d times, %d kept", o, begun, srv.pool.Len())
	}
	network.short.Store(false)
	if got := get(); !strings.Contains(got, "200 OK") {
		t.Errorf("what can be served was not: %q", got)
	}
	eventually(t, "it is over", func() bool { _, over := said(); return over && !srv.Overload().Now })
	network.short.Store(true)
	srv.pool.DropIdle()
	get()
	srv.Shutdown(0) // with the timer running
	again, _ := said()
	if again <= begun {
		t.Error("the second shortage was not told of")
	}
	if n := logs.FilterMessage("WARNING! Your cache is running out of filedescriptors").Len(); n != again {
		t.Errorf("logged %d times, told %d", n, again)
	}
}

func TestShortage(t *testing.T) {
	for err, want := range map[error]bool{
		unix.EMFILE: true, unix.ENFILE: true, unix.ENOBUFS: true, unix.ENOMEM: true,
		unix.ECONNREFUSED: false, unix.EADDRNOTAVAIL: false, net.ErrClosed: false,
	} {
		wrapped := fmt.Errorf("to %v: %w", netip.MustParseAddr("192.0.2.1"), err)
		if overload.Shortage(wrapped) != want {
			t.Errorf("%v: %v", err, !want)
		}
	}
}

// A request for which there is no descriptor waits for one: kept connections of
// clients are let go for it.
func TestShortageThatEnds(t *testing.T) {
	origin := answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	network := starved{short: new(atomic.Bool)}
	r := startParts(t, Parts{Network: network, Resolver: names{}})
	idle := r.dial()
	defer idle.Close()
	fmt.Fprintf(idle, "GET http://%s/ HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", origin)
	buf := make([]byte, 4096)
	if n, err := idle.Read(buf); err != nil || !strings.HasPrefix(string(buf[:n]), "HTTP/1.0 200 ") {
		t.Fatal(err, string(buf[:n]))
	}
	r.srv.pool.DropIdle()
	network.short.Store(true)
	go func() {
		io.Copy(io.Discard, idle) // until it is let go
		network.short.Store(false)
	}()
	if got := r.exchange(fmt.Sprintf("GET http://%s/ HTTP/1.0\r\n\r\n", origin)); !strings.HasPrefix(got, "HTTP/1.0 200 ") {
		t.Errorf("%q", got)
	}
}

// Accepting pauses before the reserve is touched. Kept connections of clients go
// first, then those that said nothing; one that is being served stays.
func TestDescriptorReserve(t *testing.T) {
	held := make(chan struct{})
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		if head, err := readHead(r); err == nil && strings.Contains(head, "/busy") {
			<-held
		}
		io.WriteString(c, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
	})
	srv, err := New(defaults(t.TempDir()), Parts{Network: loopback{}, Log: zap.NewNop(), Version: "test", Resolver: names{}})
	if err != nil {
		t.Fatal(err)
	}
	const limit = 40 // of which a quarter is kept back
	srv.reserve.Descriptors = func() (int, int) { return limit - limit/4 - 6 + srv.clients.Len(), limit }
	if err := srv.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve() }()
	defer func() { srv.Shutdown(0); <-served }()
	r := &rig{t: t, srv: srv, addr: srv.ports.Listeners()[0].Addr().String()}
	ask := func(path string) *net.TCPConn {
		c := r.dial()
		fmt.Fprintf(c, "GET http://%s%s HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", origin, path)
		return c
	}
	answered := func(c *net.TCPConn) bool {
		buf := make([]byte, 4096)
		n, err := c.Read(buf)
		return err == nil && strings.HasPrefix(string(buf[:n]), "HTTP/1.0 200 ")
	}
	busy := ask("/busy")
	defer busy.Close()
	for i := range 60 { // of which six fit
		c := ask("/kept")
		defer c.Close()
		if !answered(c) {
			t.Fatalf("client %d was not served", i)
		}
	}
	close(held)
	if !answered(busy) {
		t.Error("the busy one was let go")
	}
	if got := srv.overload.Counts(); !got.Now || srv.clients.Len() > 8 {
		t.Errorf("%d clients, %+v", srv.clients.Len(), got)
	}
}

// A client that is being served, or about to end, is not let go.
func TestUseOfClients(t *testing.T) {
	var kept, busy, dismissed, silent client
	kept.kept.Store(true)
	busy.busy.Store(true)
	dismissed.kept.Store(true)
	dismissed.dismissed.Store(true)
	for cl, want := range map[*client]clients.Use{&kept: clients.Kept, &busy: clients.Busy, &dismissed: clients.Busy, &silent: clients.New} {
		if got := cl.use(); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

// Clients that send slowly what nobody wants, or never end a head, do not hold the
// last descriptors.
func TestReserveAndSlowClients(t *testing.T) {
	cfg := defaults(t.TempDir())
	cfg.HTTPAccess = conf.AccessList{{}}
	srv, err := New(cfg, Parts{Network: loopback{}, Log: zap.NewNop(), Version: "test", Resolver: names{}})
	if err != nil {
		t.Fatal(err)
	}
	const limit = 40
	srv.reserve.Descriptors = func() (int, int) { return limit - limit/4 - 6 + srv.clients.Len(), limit }
	if err := srv.Listen(t.Context()); err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve() }()
	defer func() { srv.Shutdown(0); <-served }()
	r := &rig{t: t, srv: srv, addr: srv.ports.Listeners()[0].Addr().String()}
	for _, begun := range []string{"GET http://origin.test/ HT", "POST http://origin.test/ HTTP/1.0\r\nContent-Length: 100000\r\n\r\nhalf"} {
		for range 20 {
			c := r.dial()
			defer c.Close()
			io.WriteString(c, begun)
		}
	}
	if got := r.exchange("GET http://origin.test/ HTTP/1.0\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.0 403 ") {
		t.Errorf("%q", got)
	}
}
