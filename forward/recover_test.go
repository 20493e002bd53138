package forward

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// A programming error ends the connection it happened in and no other, also
// where it happens in the goroutine of an upload.
func TestPanicEndsOneConnection(t *testing.T) {
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
	r := start(t, nil)
	for i, fail := range []func(cl *client){
		func(cl *client) {
			defer cl.recover()
			panic("in the connection's goroutine")
		},
		func(cl *client) {
			done := make(chan struct{})
			go func() { // as goroutines of a fetch do
				defer close(done)
				var waiting fetch.Waiting = &transaction{state: state{cl: cl}}
				defer waiting.Recover()
				panic("in a goroutine of a fetch")
			}()
			<-done
		},
	} {
		broken, other := r.dial(), r.dial()
		defer broken.Close()
		defer other.Close()
		var cl *client
		eventually(t, "the connection is known", func() bool {
			r.srv.clients.Each(func(c *client) {
				if c.remote.String() == broken.LocalAddr().String() {
					cl = c
				}
			})
			return cl != nil
		})
		fail(cl)
		if _, err := broken.Read(make([]byte, 1)); err == nil {
			t.Error("the connection goes on")
		}
		if n := r.srv.panics.Load(); n != uint64(i+1) {
			t.Errorf("%d panics counted, want %d", n, i+1)
		}
		fmt.Fprintf(other, "GET http://%s/ HTTP/1.0\r\n\r\n", origin)
		if head, err := readHead(bufio.NewReader(other)); err != nil || head[:15] != "HTTP/1.0 200 OK" {
			t.Errorf("another connection: %q, %v", head, err)
		}
	}
}

// broken is a Network whose sockets a programming error meets when they are read.
type broken struct{ loopback }

func (b broken) Dial(ctx context.Context, d Dialing) (sock.Socket, error) {
	d.Watcher = nil
	s, err := b.loopback.Dial(ctx, d)
	return brokenSocket{s}, err
}

type brokenSocket struct{ sock.Socket }

func (s brokenSocket) SyscallConn() (syscall.RawConn, error) {
	raw, err := s.Socket.SyscallConn()
	return brokenConn{raw}, err
}

type brokenConn struct{ syscall.RawConn }

func (brokenConn) Read(func(fd uintptr) bool) error { panic("while the origin is read") }

// Nor does what was asked of an origin stay open.
func TestPanicClosesTheOriginsConnection(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := start(t, broken{})
	c := r.dial()
	defer c.Close()
	fmt.Fprintf(c, "GET http://%s/ HTTP/1.0\r\nAuthorization: x\r\n\r\n", l.Addr())
	origin, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer origin.Close()
	origin.SetDeadline(time.Now().Add(20 * time.Second))
	if n, err := origin.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("%d octets, %v", n, err)
	}
	eventually(t, "the panic is counted", func() bool { return r.srv.panics.Load() == 1 })
}
