package forward

import (
	"bufio"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
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
