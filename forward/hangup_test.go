package forward

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// deserted waits until no client connection is left.
func (r *rig) deserted() {
	r.t.Helper()
	select {
	case <-r.srv.clients.Empty():
	case <-time.After(20 * time.Second):
		r.t.Fatalf("%d client connections are left", r.srv.clients.Len())
	}
}

// A client may be gone before its request is looked at: the news of that came
// while the connection was still idle. It ends the wait for a silent origin all
// the same.
func TestResetRightBehindTheRequest(t *testing.T) {
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		for {
			if _, err := r.ReadByte(); err != nil {
				return
			}
		}
	})
	r := start(t, nil)
	for range 200 {
		c := r.dial()
		fmt.Fprintf(c, "GET http://%s/ HTTP/1.0\r\n\r\n", origin)
		c.SetLinger(0)
		c.Close()
	}
	r.deserted()
}

// The same with half_closed_clients off and a client that only closes.
func TestCloseRightBehindTheRequest(t *testing.T) {
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		for {
			if _, err := r.ReadByte(); err != nil {
				return
			}
		}
	})
	r := start(t, nil, func(c *conf.Config) { c.HalfClosedClients = false })
	for range 100 {
		c := r.dial()
		fmt.Fprintf(c, "GET http://%s/ HTTP/1.0\r\n\r\n", origin)
		c.CloseWrite()
		c.Close()
	}
	r.deserted()
}

// stuck is a network whose connections never come about.
type stuck struct {
	loopback
	asked chan struct{}
}

func (n stuck) Dial(ctx context.Context, _ Dialing) (sock.Socket, error) {
	n.asked <- struct{}{}
	<-ctx.Done()
	return nil, ctx.Err()
}

// prompt is a network whose connections are there at once: nobody waits for them.
type prompt struct{ loopback }

func (n prompt) Dial(_ context.Context, d Dialing) (sock.Socket, error) {
	return n.loopback.Dial(context.Background(), d)
}

// A client whose bytes are passed on and who leaves is not served for the rest of its
// time: neither while its origin is being connected to, nor when an origin that reads
// nothing leaves no room for more of its bytes.
func TestHangUpOfPassedClients(t *testing.T) {
	hello := recordedHello(t)
	passes := func(c *conf.Config) { c.HTTPPorts[0].Transparent, c.HTTPPorts[0].Passes = true, true }
	blind := func(c *conf.Config) { c.HTTPPorts[0].Transparent, c.TunnelUnknownProtocol = true, true }
	for name, edit := range map[string]func(*conf.Config){"TLS": passes, "blind": blind} {
		t.Run(name, func(t *testing.T) {
			network := stuck{loopback{dst: netip.MustParseAddrPort("127.0.0.1:443")}, make(chan struct{})}
			r := start(t, network, edit)
			c := r.dial()
			c.Write(hello)
			<-network.asked
			c.SetLinger(0)
			c.Close()
			r.deserted()

			release := make(chan struct{})
			defer close(release)
			origin := scripted(t, func(c *net.TCPConn, _ *bufio.Reader) { <-release })
			r = start(t, prompt{loopback{dst: netip.MustParseAddrPort(origin)}}, edit)
			c = r.dial()
			c.Write(hello)
			for err := error(nil); err == nil; { // until nothing moves any more
				c.SetWriteDeadline(time.Now().Add(500 * time.Millisecond))
				_, err = c.Write(make([]byte, 1<<20))
			}
			c.SetLinger(0)
			c.Close()
			r.deserted()
		})
	}
}

// A request that was there before its client was heard to be gone has a grace of its own:
// the one before it, about which the news came, does not end it.
func TestGraceOfARequestBehindAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cl := &client{}
		cl.letGo(true, cl.grace())
		cl.piped.Add(1)
		time.Sleep(pipedGrace)
		if cl.gone.Load() {
			t.Error("it ended with the one before")
		}
		cl.letGo(true, cl.grace())
		time.Sleep(pipedGrace - 1)
		if cl.gone.Load() {
			t.Error("it ended too early")
		}
		time.Sleep(time.Nanosecond)
		if synctest.Wait(); !cl.gone.Load() {
			t.Error("it does not end")
		}
	})
}
