package forward

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"golang.org/x/sys/unix"
)

const added = "X-Cache: MISS from proxy.test\r\nX-Cache-Lookup: MISS from proxy.test:0\r\nVia: 1.0 proxy.test:0 (squid/test)\r\n"

// exchange sends text on a fresh connection and returns everything that comes
// back until the proxy closes.
func (r *rig) exchange(text string) string {
	r.t.Helper()
	c := r.dial()
	defer c.Close()
	if _, err := io.WriteString(c, text); err != nil {
		r.t.Fatal(err)
	}
	b, err := io.ReadAll(c)
	if err != nil {
		r.t.Fatalf("%v after %q", err, b)
	}
	return string(b)
}

// logged tells that line n of the log ends so, and has that tag.
func (r *rig) logged(n int, tag, tail string) {
	r.t.Helper()
	lines := r.log(n + 1)
	if n >= len(lines) || !strings.Contains(lines[n], " "+tag+" ") || !strings.HasSuffix(lines[n], tail) {
		r.t.Errorf("log line %d of %q: want %s ... %s", n, lines, tag, tail)
	}
}

func TestGetOnKeptConnections(t *testing.T) {
	origin := answering(t, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello")
	r := start(t, nil)
	c := r.dial()
	defer c.Close()
	br := bufio.NewReader(c)
	for i := range 3 {
		fmt.Fprintf(c, "GET http://%s/a HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", origin)
		head, err := readHead(br)
		if err != nil {
			t.Fatal(i, err)
		}
		want := "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n" + added + "Proxy-Connection: keep-alive\r\n\r\n"
		if head != want {
			t.Fatalf("got %q\nwant %q", head, want)
		}
		body := make([]byte, 5)
		if _, err := io.ReadFull(br, body); err != nil || string(body) != "hello" {
			t.Fatal(err, string(body))
		}
	}
	for i := range 3 {
		r.logged(i, "TCP_MISS/200", fmt.Sprintf(" GET http://%s/a - DIRECT/127.0.0.1 text/plain", origin))
	}
	if n := r.srv.pool.Len(); n != 1 {
		t.Errorf("%d origin connections kept, want 1", n)
	}
}

// TestBodies relays bodies of every framing and of sizes around the buffers.
func TestBodies(t *testing.T) {
	sizes := []int{0, 1, 100, fetch.ReplyBuffer - 200, fetch.ReplyBuffer, sock.SpliceFrom - 1, sock.SpliceFrom, sock.SpliceFrom + 100000, 3 << 20}
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		head, err := readHead(r)
		if err != nil {
			return
		}
		var kind string
		var size int
		fmt.Sscanf(strings.Fields(head)[1], "/%1s%d", &kind, &size)
		body := bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size]
		switch kind {
		case "l":
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size)
			c.Write(body)
		case "e":
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n\r\n")
			c.Write(body)
		case "c":
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
			for len(body) > 0 {
				n := min(len(body), 5000)
				fmt.Fprintf(c, "%x\r\n%s\r\n", n, body[:n])
				body = body[n:]
			}
			fmt.Fprint(c, "0\r\n\r\n")
		}
	})
	// With log_mime_hdrs the head of the reply has to outlive its body.
	r := start(t, nil, func(c *conf.Config) { c.LogMimeHdrs = true })
	n := 0
	logged := map[string]func(int) string{
		"l": func(size int) string { return fmt.Sprintf(`HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r`, size) },
		"e": func(int) string { return `HTTP/1.1 200 OK\r\n\r` },
		"c": func(int) string { return `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r` },
	}
	for _, kind := range []string{"l", "e", "c"} {
		for _, size := range sizes {
			got := r.exchange(fmt.Sprintf("GET http://%s/%s%d HTTP/1.0\r\n\r\n", origin, kind, size))
			head, body, _ := strings.Cut(got, "\r\n\r\n")
			want := strings.Repeat("0123456789abcdef", size/16+1)[:size]
			if body != want || !strings.HasSuffix(head, "Proxy-Connection: close") || strings.Contains(head, "chunked") {
				t.Errorf("%s%d: %q, %d bytes of body", kind, size, head, len(body))
			}
			r.logged(n, fmt.Sprintf("TCP_MISS/200 %d", len(got)), fmt.Sprintf("/%s%d - DIRECT/127.0.0.1 - [] [%s]", kind, size, logged[kind](size)))
			n++
		}
	}
}

func TestPostArrivesInPieces(t *testing.T) {
	for _, size := range []int{3, 100000, 2 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			got := make(chan string, 1)
			origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
				head, _ := readHead(r)
				body := make([]byte, size)
				n, _ := io.ReadFull(r, body)
				got <- head + string(body[:n])
				fmt.Fprint(c, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
			})
			r := start(t, nil)
			c := r.dial()
			defer c.Close()
			body := strings.Repeat("b", size)
			fmt.Fprintf(c, "POST http://%s/p HTTP/1.0\r\nContent-Length: %d\r\n\r\n", origin, size)
			time.Sleep(20 * time.Millisecond)
			io.WriteString(c, body[:size/2])
			time.Sleep(20 * time.Millisecond)
			io.WriteString(c, body[size/2:])
			answer, err := io.ReadAll(c)
			if err != nil || !strings.HasSuffix(string(answer), "\r\n\r\nok") {
				t.Fatalf("%v %q", err, answer)
			}
			if head, b, _ := strings.Cut(<-got, "\r\n\r\n"); b != body || !strings.HasPrefix(head, "POST /p HTTP/1.0\r\nContent-Length: ") {
				t.Fatalf("origin got %q and %d bytes", head, len(b))
			}
		})
	}
}

func TestOriginAnswersBeforeTheBodyEnds(t *testing.T) {
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		readHead(r)
		fmt.Fprint(c, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nearly")
		io.Copy(io.Discard, r)
	})
	r := start(t, nil)
	got := r.exchange(fmt.Sprintf("POST http://%s/a HTTP/1.0\r\nProxy-Connection: keep-alive\r\nContent-Length: 10\r\n\r\nabc", origin))
	if !strings.HasSuffix(got, "Proxy-Connection: close\r\n\r\nearly") {
		t.Fatalf("%q", got)
	}
}

func TestClientEndsBodyEarly(t *testing.T) {
	ended := make(chan error, 1)
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		readHead(r)
		_, err := io.ReadFull(r, make([]byte, 10))
		ended <- err
		fmt.Fprint(c, "HTTP/1.0 200 OK\r\n\r\n")
	})
	r := start(t, nil)
	c := r.dial()
	fmt.Fprintf(c, "POST http://%s/a HTTP/1.0\r\nContent-Length: 10\r\n\r\nabc", origin)
	time.Sleep(30 * time.Millisecond)
	c.Close()
	if err := <-ended; err == nil {
		t.Fatal("the origin was given a whole body")
	}
	r.logged(0, "TCP_MISS/000", "/a - DIRECT/127.0.0.1 -")
}

func TestConnect(t *testing.T) {
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		buf := make([]byte, 5)
		io.ReadFull(r, buf)
		fmt.Fprintf(c, "got %s", buf)
		io.Copy(c, r)
	})
	r := start(t, nil)
	c := r.dial()
	defer c.Close()
	fmt.Fprintf(c, "CONNECT %s HTTP/1.0\r\n\r\nearly", origin)
	buf := make([]byte, len(established[0])+len("got early"))
	if _, err := io.ReadFull(c, buf); err != nil || string(buf) != established[0]+"got early" {
		t.Fatalf("%v %q", err, buf)
	}
	big := strings.Repeat("x", 1<<20)
	go io.WriteString(c, big)
	echo := make([]byte, len(big))
	if _, err := io.ReadFull(c, echo); err != nil || string(echo) != big {
		t.Fatal(err)
	}
	c.CloseWrite()
	if _, err := c.Read(buf); err != io.EOF {
		t.Fatalf("after the client's end: %v", err)
	}
	r.logged(0, fmt.Sprintf("TCP_MISS/200 %d", len(established[0])+len("earlygot early")+2*len(big)), " CONNECT "+origin+" - DIRECT/127.0.0.1 -")
}

// dead is an address nobody listens at, and nobody else gets before the test ends.
func dead(t *testing.T) string {
	at, _ := mute(t)
	return at
}

// mute is a socket that has an address and does not listen at it until told to.
func mute(t *testing.T) (at string, listen func() net.Listener) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "mute")
	t.Cleanup(func() { f.Close() })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port), func() net.Listener {
		if err := unix.Listen(fd, 100); err != nil {
			t.Fatal(err)
		}
		l, err := net.FileListener(f)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
}

func TestFailures(t *testing.T) {
	r := start(t, nil)
	nobody := dead(t)
	cases := []struct{ send, status, errorField, tag, tail string }{
		{"GET http://" + nobody + "/a HTTP/1.0\r\n\r\n", "HTTP/1.0 503 Service Unavailable", "ERR_CONNECT_FAIL 111", "TCP_MISS/503", "DIRECT/127.0.0.1 text/html"},
		{"CONNECT " + nobody + " HTTP/1.0\r\n\r\n", "HTTP/1.0 503 Service Unavailable", "ERR_CONNECT_FAIL 111", "TCP_MISS/503 0", "DIRECT/127.0.0.1 -"},
		{"GET http://nowhere.test/a HTTP/1.0\r\n\r\n", "HTTP/1.0 503 Service Unavailable", "ERR_DNS_FAIL 0", "TCP_MISS/503", "DIRECT/nowhere.test text/html"},
		{"CONNECT nowhere.test:443 HTTP/1.0\r\n\r\n", "HTTP/1.0 404 Not Found", "ERR_DNS_FAIL 0", "TCP_MISS/404 0", "DIRECT/- -"},
		{"hello world\r\n\r\n", "HTTP/1.0 400 Bad Request", "ERR_INVALID_REQ 0", "TCP_DENIED/400", "NONE error:unsupported-request-method - NONE/- text/html"},
		{"GET /a HTTP/1.0\r\n\r\n", "HTTP/1.0 400 Bad Request", "ERR_INVALID_REQ 0", "TCP_DENIED/400", "GET error:invalid-request - NONE/- text/html"},
		{"GET foo://x.test/a HTTP/1.0\r\n\r\n", "HTTP/1.0 400 Bad Request", "ERR_INVALID_URL 0", "TCP_DENIED/400", "GET foo://x.test/a - NONE/- text/html"},
		{"GET https://x.test/a HTTP/1.0\r\n\r\n", "HTTP/1.0 501 Not Implemented", "ERR_UNSUP_REQ 0", "TCP_DENIED/501", "GET https://x.test/a - NONE/- text/html"},
		{"GET http://x.test/a HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.0 411 Length Required", "ERR_INVALID_REQ 0", "TCP_DENIED/411", "GET http://x.test/a - NONE/- text/html"},
		{"POST http://x.test/a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "HTTP/1.0 501 Not Implemented", "ERR_UNSUP_REQ 0", "TCP_DENIED/501", "POST http://x.test/a - NONE/- text/html"},
		{"GET http://x.test/a HTTP/x.y\r\n\r\n", "HTTP/1.0 400 Bad Request", "ERR_INVALID_REQ 0", "TCP_DENIED/400", "NONE error:invalid-http-ident - NONE/- text/html"},
		{"GET http://x.test/a HTTP/1.0\r\nCache-Control: only-if-cached\r\n\r\n", "HTTP/1.0 504 Gateway Time-out", "ERR_ONLY_IF_CACHED_MISS 0", "TCP_MISS/504", "- NONE/- text/html"},
	}
	for i, c := range cases {
		got := r.exchange(c.send)
		head, body, _ := strings.Cut(got, "\r\n\r\n")
		if !strings.HasPrefix(head, c.status+"\r\n") || !strings.Contains(head, "X-Squid-Error: "+c.errorField+"\r\n") && !strings.HasSuffix(head, "X-Squid-Error: "+c.errorField) {
			t.Errorf("%q:\n%s", c.send, head)
		}
		if !strings.Contains(head, fmt.Sprintf("Content-Length: %d\r\n", len(body))) {
			t.Errorf("%q: length of %d bytes of body is wrong", c.send, len(body))
		}
		r.logged(i, c.tag, c.tail)
	}
}

// TestRetries counts how often an origin that misbehaves is asked.
func TestRetries(t *testing.T) {
	for _, c := range []struct {
		name, request string
		asked         int32
		status        string
	}{
		{"GET", "GET http://%s/a HTTP/1.0\r\n\r\n", 3, "502 Bad Gateway"},
		{"POST", "POST http://%s/a HTTP/1.0\r\nContent-Length: 1\r\n\r\nx", 1, "502 Bad Gateway"},
		{"POST without a body", "POST http://%s/a HTTP/1.0\r\n\r\n", 1, "502 Bad Gateway"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var asked atomic.Int32
			origin := scripted(t, func(_ *net.TCPConn, r *bufio.Reader) {
				readHead(r)
				asked.Add(1)
			})
			r := start(t, nil)
			got := r.exchange(fmt.Sprintf(c.request, origin))
			if !strings.HasPrefix(got, "HTTP/1.0 "+c.status) || asked.Load() != c.asked {
				t.Errorf("asked %d times: %q", asked.Load(), got)
			}
		})
	}
}

func TestKeptConnectionClosedByOriginIsReplaced(t *testing.T) {
	var conns atomic.Int32
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		conns.Add(1)
		readHead(r)
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx")
		if conns.Load() == 1 {
			readHead(r) // swallow the second request and close
		}
	})
	r := start(t, nil)
	for range 2 {
		got := r.exchange(fmt.Sprintf("GET http://%s/a HTTP/1.0\r\n\r\n", origin))
		if !strings.HasSuffix(got, "\r\n\r\nx") {
			t.Fatalf("%q", got)
		}
	}
}

func TestClientResetEndsTheWait(t *testing.T) {
	gone := make(chan error, 1)
	asked := make(chan struct{})
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		readHead(r)
		close(asked)
		_, err := r.ReadByte()
		gone <- err
	})
	r := start(t, nil)
	c := r.dial()
	fmt.Fprintf(c, "GET http://%s/a HTTP/1.0\r\n\r\n", origin)
	<-asked
	c.SetLinger(0)
	c.Close()
	if err := <-gone; err == nil {
		t.Fatal("the origin was not told")
	}
	r.logged(0, "TCP_MISS/000 0", "/a - DIRECT/127.0.0.1 -")
}

func TestHalfClosedClients(t *testing.T) {
	for _, on := range []bool{true, false} {
		t.Run(fmt.Sprint(on), func(t *testing.T) {
			goOn := make(chan struct{})
			asked := make(chan struct{})
			origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
				readHead(r)
				close(asked)
				<-goOn
				fmt.Fprint(c, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
			})
			r := start(t, nil, func(c *conf.Config) { c.HalfClosedClients = on })
			c := r.dial()
			defer c.Close()
			fmt.Fprintf(c, "GET http://%s/a HTTP/1.0\r\n\r\n", origin)
			<-asked
			c.CloseWrite()
			if on {
				close(goOn)
			}
			b, _ := io.ReadAll(c)
			if on != strings.HasSuffix(string(b), "\r\n\r\nok") {
				t.Errorf("%q", b)
			}
			if !on {
				close(goOn)
				r.logged(0, "TCP_MISS/000 0", "/a - DIRECT/127.0.0.1 -")
			}
		})
	}
}

func TestPipelining(t *testing.T) {
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		for {
			head, err := readHead(r)
			if err != nil {
				return
			}
			path := strings.Fields(head)[1]
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n%s", len(path), path)
		}
	})
	r := start(t, nil)
	c := r.dial()
	defer c.Close()
	var all strings.Builder
	for i := range 50 {
		fmt.Fprintf(&all, "GET http://%s/%d HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", origin, i)
	}
	go io.WriteString(c, all.String())
	br := bufio.NewReader(c)
	for i := range 50 {
		if _, err := readHead(br); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("/%d", i)
		body := make([]byte, len(want))
		if _, err := io.ReadFull(br, body); err != nil || string(body) != want {
			t.Fatalf("%v %q, want %q", err, body, want)
		}
	}
}

// TestPipelinePrefetch: with it the second request is asked for while the first
// one waits, and answered after it.
func TestPipelinePrefetch(t *testing.T) {
	for _, on := range []bool{false, true} {
		t.Run(fmt.Sprint(on), func(t *testing.T) {
			second := make(chan struct{})
			origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
				head, err := readHead(r)
				if err != nil {
					return
				}
				if strings.HasPrefix(head, "GET /1 ") {
					wait := 200 * time.Millisecond // time to do it wrong in
					if on {
						wait = 20 * time.Second
					}
					select {
					case <-second:
						fmt.Fprint(c, "HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nboth")
					case <-time.After(wait):
						fmt.Fprint(c, "HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\none.")
					}
					return
				}
				if strings.HasPrefix(head, "GET /2 ") {
					close(second)
				}
				fmt.Fprint(c, "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\ntwo")
			})
			r := start(t, nil, func(c *conf.Config) { c.PipelinePrefetch = on })
			ask := func(n int, connection string) string {
				return fmt.Sprintf("GET http://%s/%d HTTP/1.0\r\nProxy-Connection: %s\r\n\r\n", origin, n, connection)
			}
			got := r.exchange(ask(1, "keep-alive") + ask(2, "keep-alive") + ask(3, "close"))
			want := "one."
			if on {
				want = "both"
			}
			if parts := strings.Split(got, "\r\n\r\n"); len(parts) != 4 || !strings.HasPrefix(parts[1], want) || !strings.HasPrefix(parts[2], "two") || parts[3] != "two" {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestOldClientGetsNoHead(t *testing.T) {
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	r := start(t, nil)
	if got := r.exchange(fmt.Sprintf("GET http://%s/a\r\n", origin)); got != "hello" {
		t.Errorf("%q", got)
	}
}

func TestRequestTimeouts(t *testing.T) {
	r := start(t, nil, func(c *conf.Config) { c.RequestTimeout = 50 * time.Millisecond })
	for _, text := range []string{"", "GET http://x", "GET http://x.test/ HTTP/1.0\r\nX-"} {
		c := r.dial()
		io.WriteString(c, text) // it may be over by now
		var e net.Error
		if b, err := io.ReadAll(c); len(b) > 0 || errors.As(err, &e) && e.Timeout() {
			t.Errorf("%q was answered with %q, %v", text, b, err)
		}
		c.Close()
	}
}

func TestHTTP11(t *testing.T) {
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		for {
			head, err := readHead(r)
			if err != nil {
				return
			}
			switch {
			case strings.HasPrefix(head, "GET /chunks HTTP/1.1\r\n"):
				fmt.Fprint(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n")
			case strings.HasPrefix(head, "POST /p HTTP/1.1\r\n") && strings.Contains(head, "\r\nTransfer-Encoding: chunked\r\n"):
				var body strings.Builder
				for {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					body.WriteString(line)
					if line == "0\r\n" {
						r.ReadString('\n')
						break
					}
				}
				fmt.Fprintf(c, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", body.Len(), body.String())
			default:
				fmt.Fprint(c, "HTTP/1.1 500 What\r\nContent-Length: 0\r\n\r\n")
			}
		}
	})
	r := start(t, nil, func(c *conf.Config) {
		c.HTTPPorts[0].HTTP11 = true
		c.ServerHTTP11 = true
	})
	c := r.dial()
	defer c.Close()
	br := bufio.NewReader(c)
	expect := func(want string) {
		t.Helper()
		got := make([]byte, len(want))
		n, err := io.ReadFull(br, got)
		if err != nil || string(got) != want {
			t.Fatalf("%v\ngot  %q\nwant %q", err, got[:n], want)
		}
	}
	via := strings.Replace(added, "Via: 1.0", "Via: 1.1", 1)
	for range 2 {
		fmt.Fprintf(c, "GET http://%s/chunks HTTP/1.1\r\nHost: x\r\n\r\n", origin)
		expect("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + via + "Connection: keep-alive\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
	}
	fmt.Fprintf(c, "POST http://%s/p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1234\r\n", origin)
	time.Sleep(10 * time.Millisecond)
	io.WriteString(c, "1\r\n5\r\n0\r\n\r\n")
	expect("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 18\r\n" + via + "Connection: keep-alive\r\n\r\n4\r\n1234\r\n1\r\n5\r\n0\r\n")
	// It is kept once its answer is out, which the client may see first.
	for end := time.Now().Add(10 * time.Second); r.srv.pool.Len() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no connection to the origin is kept")
		}
	}
}

// TestSlowHead: a head that comes in pieces, with waits longer than the short
// stay between them.
func TestSlowHead(t *testing.T) {
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello")
	r := start(t, nil)
	for _, first := range []time.Duration{0, 2 * stay} {
		c := r.dial()
		time.Sleep(first)
		text := fmt.Sprintf("GET http://%s/a HTTP/1.0\r\nX-A: b\r\n\r\n", origin)
		for _, piece := range []string{text[:12], text[12 : len(text)-3], text[len(text)-3 : len(text)-1], text[len(text)-1:]} {
			io.WriteString(c, piece)
			time.Sleep(stay * 3 / 2)
		}
		if b, err := io.ReadAll(c); err != nil || !strings.HasSuffix(string(b), "hello") {
			t.Errorf("%v %q", err, b)
		}
		c.Close()
	}
}
