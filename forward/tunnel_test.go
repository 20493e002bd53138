package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// A tunnel by way of a parent: the parent is asked for it and answers in our
// place; what the client sent behind its request goes along.
func TestTunnelThroughParent(t *testing.T) {
	asked := make(chan string, 1)
	parent := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		head, err := readHead(r)
		if err != nil {
			return
		}
		early := make([]byte, 5)
		io.ReadFull(r, early)
		asked <- head + string(early)
		fmt.Fprint(c, "HTTP/1.0 200 From the parent\r\nX-Parent: 1\r\n\r\nwelcome")
		io.Copy(c, r)
	})
	host, port, _ := net.SplitHostPort(parent)
	r := start(t, nil, file(t, "cache_peer "+host+" parent "+port+" 0 no-query\nnever_direct allow all\nforwarded_for off"))
	c := r.dial()
	defer c.Close()
	fmt.Fprint(c, "CONNECT o.test:443 HTTP/1.0\r\nUser-Agent: me\r\nProxy-Authorization: Basic eDp5\r\n\r\nearly")
	if got, want := <-asked, "CONNECT o.test:443 HTTP/1.0\r\nUser-Agent: me\r\nVia: 1.0 proxy.test:0 (squid/test)\r\nHost: o.test:443\r\nCache-Control: max-age=259200\r\n\r\nearly"; got != want {
		t.Errorf("the parent got  %q\nwant %q", got, want)
	}
	want := "HTTP/1.0 200 From the parent\r\nX-Parent: 1\r\n\r\nwelcome"
	buf := make([]byte, len(want)+4)
	if _, err := io.ReadFull(c, buf[:len(want)]); err != nil || string(buf[:len(want)]) != want {
		t.Errorf("the client got %q, %v", buf, err)
	}
	fmt.Fprint(c, "ping")
	if _, err := io.ReadFull(c, buf[:4]); err != nil || string(buf[:4]) != "ping" {
		t.Errorf("through the tunnel came %q, %v", buf[:4], err)
	}
	c.CloseWrite()
	if rest, err := io.ReadAll(c); err != nil || len(rest) > 0 {
		t.Errorf("at the end %q, %v", rest, err)
	}
	r.logged(0, "TCP_MISS/000", " CONNECT o.test:443 - FIRST_UP_PARENT/"+host+" -")
}

// A tunnel uses the best next hop only: where that fails no other is tried, as in 2.6.
func TestTunnelHasOneWay(t *testing.T) {
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) { io.Copy(c, r) })
	host, port, _ := net.SplitHostPort(dead(t))
	r := start(t, nil, file(t, "cache_peer "+host+" parent "+port+" 0 no-query default\nnonhierarchical_direct off"))
	if got := r.exchange("CONNECT " + origin + " HTTP/1.0\r\n\r\nhello"); !strings.HasPrefix(got, "HTTP/1.0 503 ") || !strings.Contains(got, "X-Squid-Error: ERR_CONNECT_FAIL 111\r\n") {
		t.Errorf("%q", got)
	}
	r.logged(0, "TCP_MISS/503 0", "CONNECT "+origin+" - DEFAULT_PARENT/"+host+" -")
}

// How a tunnel ends: either side's end ends the other, and what was on its way
// has arrived and is counted, in both directions.
func TestEndsOfTunnels(t *testing.T) {
	for _, c := range []struct {
		name   string
		client func(*net.TCPConn)
		origin func(*net.TCPConn)
	}{
		{"the client closes", func(c *net.TCPConn) { c.Close() }, nil},
		{"the client has said all", func(c *net.TCPConn) { c.CloseWrite() }, nil},
		{"the client resets", func(c *net.TCPConn) { c.SetLinger(0); c.Close() }, nil},
		{"the origin closes", nil, func(c *net.TCPConn) { c.Close() }},
		{"the origin has said all", nil, func(c *net.TCPConn) { c.CloseWrite() }},
		{"the origin resets", nil, func(c *net.TCPConn) { c.SetLinger(0); c.Close() }},
		{"nobody says anything", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			ended := make(chan struct{})
			goOn := make(chan struct{})
			origin := scripted(t, func(conn *net.TCPConn, r *bufio.Reader) {
				io.ReadFull(r, make([]byte, 5))
				fmt.Fprint(conn, "world!")
				<-goOn
				if c.origin != nil {
					c.origin(conn)
				}
				io.Copy(io.Discard, r)
				close(ended)
			})
			r := start(t, nil, func(cfg *conf.Config) {
				if c.client == nil && c.origin == nil {
					cfg.ReadTimeout = 3 * time.Second // in which both have said what they say
				}
			})
			cl := r.dial()
			defer cl.Close()
			fmt.Fprintf(cl, "CONNECT %s HTTP/1.0\r\n\r\n", origin)
			head := make([]byte, len(established[0]))
			io.ReadFull(cl, head)
			fmt.Fprint(cl, "hello")
			if got := make([]byte, 6); true {
				if _, err := io.ReadFull(cl, got); err != nil || string(got) != "world!" {
					t.Fatalf("%q, %v", got, err)
				}
			}
			close(goOn)
			if c.client != nil {
				c.client(cl)
			} else if _, err := cl.Read(make([]byte, 1)); err == nil {
				t.Error("the client's side goes on")
			}
			<-ended
			r.logged(0, fmt.Sprintf("TCP_MISS/200 %d", len(established[0])+5+6), "CONNECT "+origin+" - DIRECT/127.0.0.1 -")
			r.deserted()
			if n := r.srv.pool.Len(); n != 0 {
				t.Errorf("%d connections are kept after a tunnel", n)
			}
		})
	}
}

// A tunnel through which bytes run one way only is not idle: either direction's
// progress counts for both.
func TestOneWayTunnelIsNotIdle(t *testing.T) {
	t.Parallel() // it waits most of the time
	const patience, ticks = 3 * time.Second, 40
	origin := scripted(t, func(conn *net.TCPConn, r *bufio.Reader) {
		for range ticks { // twice as long as the patience in all
			if _, err := fmt.Fprint(conn, "tick"); err != nil {
				return
			}
			time.Sleep(2 * patience / ticks)
		}
	})
	r := start(t, nil, func(cfg *conf.Config) { cfg.ReadTimeout = patience })
	got := r.exchange(fmt.Sprintf("CONNECT %s HTTP/1.0\r\n\r\n", origin))
	// Only a machine that stood still for longer than the patience may cut it.
	if n := strings.Count(got, "tick"); n <= ticks/2 {
		t.Errorf("%d ticks of %d came through: %q", n, ticks, got)
	}
}
