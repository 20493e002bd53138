package forward

import (
	"context"
	"fmt"
	"github.com/cuttle-proxy/cuttle/forward/overload"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/sys/unix"
)

// starved is a Network without descriptors for dialling while short is set.
type starved struct {
	loopback
	short *atomic.Bool
}

func (s starved) Dial(ctx context.Context, d Dialing) (*net.TCPConn, error) {
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
	said := func() string { mu.Lock(); defer mu.Unlock(); return fmt.Sprint(told) }
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
	if o := srv.Overload(); !o.Now || o.Times != 1 || o.Shortages < 3 || said() != "[true]" || srv.pool.Len() != 0 {
		t.Errorf("%+v, told %s, %d kept", o, said(), srv.pool.Len())
	}
	network.short.Store(false)
	if got := get(); !strings.Contains(got, "200 OK") {
		t.Errorf("what can be served was not: %q", got)
	}
	eventually(t, "it is over", func() bool { return said() == "[true false]" && !srv.Overload().Now })
	network.short.Store(true)
	srv.pool.DropIdle()
	get()
	if said() != "[true false true]" {
		t.Errorf("told %s", said())
	}
	srv.Shutdown(0) // with the timer running
	if n := logs.FilterMessage("WARNING! Your cache is running out of filedescriptors").Len(); n != 2 {
		t.Errorf("logged %d times", n)
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
