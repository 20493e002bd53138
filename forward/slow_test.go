package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// trickle writes text and then its last byte over and over, until that fails or
// stop is closed.
func trickle(w io.Writer, text string, stop <-chan struct{}) {
	for b := []byte(text); ; b = b[len(b)-1:] {
		if _, err := w.Write(b); err != nil {
			return
		}
		select {
		case <-stop:
			return
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// TestSlowPeers: those who never get on, clients and origins, are waited for
// until the time that is theirs in 2.6, however busy they look, and hold no more
// than a bounded amount while they are. Each case is many of them at once.
func TestSlowPeers(t *testing.T) {
	const many = 30
	const short = 150 * time.Millisecond
	headTime := func(c *conf.Config) { c.RequestTimeout = short }
	readTime := func(c *conf.Config) { c.ReadTimeout = short }
	lifetime := func(c *conf.Config) { c.ClientLifetime = short }
	for _, c := range []struct {
		name   string
		bound  func(*conf.Config)
		client string // trickled when it does not end in a complete request
		origin string // trickled when it is not ""
		log    string // what each one's line has, "" when there is none
	}{
		{"head that trickles", headTime, "GET http://%s/ HTTP/1.0\r\nX: aaaa", "", ""},
		{"line that trickles", headTime, "GET http://x.test/aaaaaa", "", ""},
		{"empty lines that trickle", headTime, "\r\n\r\n\n", "", ""},
		{"body that trickles", lifetime, "POST http://%s/ HTTP/1.0\r\nContent-Length: 1000000\r\n\r\nb", "", "TCP_MISS/000"},
		{"chunks that trickle", lifetime, "POST http://%s/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\nb", "", "TCP_MISS/000"},
		{"extension that trickles", lifetime, "POST http://%s/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a", "", "TCP_MISS/000"},
		{"origin that says nothing", readTime, "GET http://%s/ HTTP/1.0\r\n\r\n", "", "TCP_MISS/504"},
		{"origin whose head trickles", lifetime, "GET http://%s/ HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\nX: aaa", "TCP_MISS/000"},
		{"origin whose body stalls", readTime, "GET http://%s/ HTTP/1.0\r\n\r\n", "stall", "TCP_MISS/"},
		{"origin whose body trickles", lifetime, "GET http://%s/ HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nb", "TCP_MISS/"},
		{"origin whose chunk extension trickles", lifetime, "GET http://%s/ HTTP/1.0\r\n\r\n", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a", "TCP_MISS/"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			stop := make(chan struct{})
			origin := scripted(t, func(conn *net.TCPConn, r *bufio.Reader) {
				if _, err := readHead(r); err != nil {
					return
				}
				switch c.origin {
				case "":
				case "stall":
					io.WriteString(conn, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nab")
				default:
					go trickle(conn, c.origin, stop)
				}
				io.Copy(io.Discard, r) // until the proxy gives up
			})
			r := start(t, nil, modes["1.1"], c.bound)
			text := c.client
			if strings.Contains(text, "%s") {
				text = fmt.Sprintf(text, origin)
			}
			var clients sync.WaitGroup
			for range many {
				conn := r.dial()
				clients.Go(func() {
					defer conn.Close()
					if strings.HasSuffix(text, "\r\n\r\n") && !strings.HasPrefix(text, "\r\n") {
						io.WriteString(conn, text)
					} else {
						go trickle(conn, text, stop)
					}
					io.Copy(io.Discard, conn)
				})
			}
			clients.Wait()
			close(stop)
			eventually(t, "nobody is left", func() bool { return r.srv.clients.Len() == 0 })
			if c.log == "" {
				return
			}
			for _, line := range r.log(many)[:many] {
				if !strings.Contains(line, " "+c.log) {
					t.Errorf("%q, want %s", line, c.log)
				}
			}
		})
	}
}

// TestSlowReader: what an origin says to a client that does not read stays with
// the origin, whatever the framing; the proxy holds a buffer of it.
func TestSlowReader(t *testing.T) {
	for _, head := range []string{"Content-Length: 1000000000\r\n\r\n", "\r\n", "Transfer-Encoding: chunked\r\n\r\n3b9aca00\r\n"} {
		t.Run(strings.TrimSpace(head), func(t *testing.T) {
			var said atomic.Int64
			origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
				readHead(r)
				c.SetWriteBuffer(64 << 10)
				io.WriteString(c, "HTTP/1.1 200 OK\r\n"+head)
				for piece := make([]byte, 64<<10); ; {
					n, err := c.Write(piece)
					said.Add(int64(n))
					if err != nil {
						return
					}
				}
			})
			r := start(t, nil, func(c *conf.Config) { c.TCPRecvBufsize = 64 << 10 })
			before := heldMemory(t)
			var conns []net.Conn
			for range 10 {
				c := r.dial()
				defer c.Close()
				c.SetReadBuffer(64 << 10)
				fmt.Fprintf(c, "GET http://%s/ HTTP/1.0\r\n\r\n", origin)
				conns = append(conns, c)
			}
			eventually(t, "nothing moves", func() bool {
				was := said.Load()
				time.Sleep(20 * time.Millisecond)
				return was > 0 && said.Load() == was
			})
			if n := said.Load(); n > 200<<20 {
				t.Errorf("the origins could say %d MB", n>>20)
			}
			if held := heldMemory(t) - before; !raceEnabled && held > 64<<20 {
				t.Errorf("%d MB more in memory", held>>20)
			}
			for _, c := range conns {
				c.Close()
			}
			eventually(t, "nobody is left", func() bool { return r.srv.clients.Len() == 0 })
		})
	}
}

// TestSlowClientsLeaveNothing: a hundred that hold a part of a request, gone
// together, leave neither descriptors nor goroutines.
func TestSlowClientsLeaveNothing(t *testing.T) {
	origin := scripted(t, func(_ *net.TCPConn, r *bufio.Reader) { io.Copy(io.Discard, r) })
	r := start(t, nil)
	hold := func() {
		var conns []net.Conn
		for i := range 100 {
			c := r.dial()
			fmt.Fprintf(c, []string{"GET http://%s/", "GET http://%s/ HTTP/1.0\r\nX", "POST http://%s/ HTTP/1.0\r\nContent-Length: 9\r\n\r\nb", "CONNECT %s HTTP/1.0\r\n\r\n"}[i%4], origin)
			conns = append(conns, c)
		}
		eventually(t, "all are there", func() bool { return r.srv.clients.Len() == 100 })
		for _, c := range conns {
			c.Close()
		}
		eventually(t, "all are gone", func() bool { return r.srv.clients.Len() == 0 })
	}
	hold() // the server's own goroutines have begun then
	fds, goroutines := descriptors(t), runtime.NumGoroutine()
	hold()
	eventually(t, "nothing is left", func() bool {
		r.srv.pool.DropIdle()
		return descriptors(t) <= fds+2 && runtime.NumGoroutine() <= goroutines+2
	})
}
