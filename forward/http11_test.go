package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// sides are the four combinations of HTTP/1.1 towards clients and origins.
var sides = []struct {
	name           string
	client, origin bool
}{{"1.0", false, false}, {"client", true, false}, {"origin", false, true}, {"both", true, true}}

// startSides serves with HTTP/1.1 on the sides given.
func startSides(t *testing.T, client, origin bool, edits ...func(*conf.Config)) *rig {
	return start(t, nil, append([]func(*conf.Config){func(c *conf.Config) {
		c.HTTPPorts[0].HTTP11, c.ServerHTTP11 = client, origin
		c.ChunkedRequestBodyMaxSize = 64 << 10
	}}, edits...)...)
}

// bodies reads heads and answers with each head and the body behind it.
func bodies(t *testing.T) string {
	return scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		for {
			head, err := readHead(r)
			if err != nil {
				return
			}
			var n int
			if _, after, ok := strings.Cut(head, "Content-Length: "); ok {
				fmt.Sscan(after, &n)
			}
			body := make([]byte, n)
			io.ReadFull(r, body)
			if strings.Contains(head, "Transfer-Encoding: chunked\r\n") {
				for line := ""; !strings.HasPrefix(line, "0"); body = append(body, line...) {
					line, _ = r.ReadString('\n')
				}
				r.ReadString('\n')
			}
			text := head + string(body)
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
		}
	})
}

// A body in chunks goes on in chunks, or with a length where the next hop speaks
// HTTP/1.0; what comes behind it is the next request. Ports of 1.0 do not take it.
func TestChunkedRequestBody(t *testing.T) {
	origin := bodies(t)
	for _, s := range sides {
		t.Run(s.name, func(t *testing.T) {
			r := startSides(t, s.client, s.origin)
			head := "POST http://" + origin + "/p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n"
			got := r.exchange(head + "3;a=b\r\nabc\r\n002\r\nde\r\n0\r\nT: v\r\n\r\nGET http://" + origin + "/behind HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			switch {
			case !s.client && (!strings.HasPrefix(got, "HTTP/1.0 501 ") || strings.Contains(got, "/behind")):
				t.Errorf("%q", got)
			case s.client && !strings.Contains(got, "GET /behind HTTP/1."):
				t.Errorf("the next request is lost: %q", got)
			case s.client && s.origin && !strings.Contains(got, "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n"):
				t.Errorf("%q", got)
			case s.client && !s.origin && !strings.Contains(got, "Content-Length: 5\r\n\r\nabcde"):
				t.Errorf("%q", got)
			}
		})
	}
}

// chunked_request_body_max_size bounds what is collected, and request_body_max_size too.
func TestChunkedRequestBodyBounds(t *testing.T) {
	origin := bodies(t)
	post := func(chunks string) string {
		return "POST http://" + origin + "/p HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks
	}
	tenth := strings.Repeat("1\r\nx\r\n", 10)
	for _, c := range []struct {
		most, body int64
		chunks     string
		want       string
	}{
		{10, 0, tenth + "0\r\n\r\n", "200"},
		{9, 0, tenth + "0\r\n\r\n", "413"},
		{9, 0, "a\r\n0123456789", "413"}, // not waited for to the end
		{10, 9, tenth + "0\r\n\r\n", "413"},
		{0, 0, "0\r\n\r\n", "200"},
		{10, 0, "x\r\n", "400"},
		{1 << 20, 0, "20000\r\n" + strings.Repeat("y", 0x20000) + "\r\n0\r\n\r\n", "200"},
	} {
		r := startSides(t, true, false, func(cfg *conf.Config) {
			cfg.RequestBodyMaxSize, cfg.ChunkedRequestBodyMaxSize = c.body, c.most
		})
		if got := r.exchange(post(c.chunks)); !strings.HasPrefix(got, "HTTP/1.1 "+c.want+" ") {
			t.Errorf("most %d and %d, %.20q: %.200q", c.most, c.body, c.chunks, got)
		}
	}
}

// Who says 100 Continue: the origin where it is asked, the proxy in place of a
// next hop of 1.0, nobody on a 1.0 port.
func TestExpectContinue(t *testing.T) {
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		head, err := readHead(r)
		if err != nil {
			return
		}
		if strings.Contains(head, "\r\nExpect: 100-Continue\r\n") {
			io.WriteString(c, "HTTP/1.1 100 Continue\r\nX-From: origin\r\n\r\n")
		}
		body := make([]byte, 5)
		io.ReadFull(r, body)
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n%s", body)
	})
	for _, s := range sides {
		for _, framing := range []string{"Content-Length: 5", "Transfer-Encoding: chunked"} {
			if framing[0] == 'T' && (!s.client || s.origin) {
				continue
			}
			t.Run(s.name+" "+framing, func(t *testing.T) {
				r := startSides(t, s.client, s.origin)
				c := r.dial()
				defer c.Close()
				br := bufio.NewReader(c)
				fmt.Fprintf(c, "POST http://%s/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-Continue\r\n%s\r\n\r\n", origin, framing)
				if s.client {
					want := "HTTP/1.1 100 Continue\r\n\r\n"
					if s.origin {
						want = "HTTP/1.1 100 Continue\r\nX-From: origin\r\n\r\n"
					}
					if got, err := readHead(br); got != want {
						t.Fatalf("%q %v", got, err)
					}
				}
				if framing[0] == 'T' {
					io.WriteString(c, "5\r\nhello\r\n0\r\n\r\n")
				} else {
					io.WriteString(c, "hello")
				}
				if got, _ := io.ReadAll(br); !strings.HasSuffix(string(got), "\r\n\r\nhello") || strings.Contains(string(got), " 100 ") {
					t.Errorf("%q", got)
				}
			})
		}
	}
}

// 1xx replies reach clients that know them, fields and all, and are no answer.
// To 2.6 they are one (fact "100 Continue from an origin is delivered as the
// final answer"), and a 101 still is where neither side speaks 1.1. A 101 nobody asked for is a faulty reply.
func TestInterimReplies(t *testing.T) {
	const early = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: x\r\nX: 1\r\n\r\nHTTP/1.1 102 P\r\n\r\n"
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		if head, err := readHead(r); err == nil && strings.HasPrefix(head, "GET /101 ") {
			io.WriteString(c, "HTTP/1.1 101 S\r\nUpgrade: foo\r\nConnection: Upgrade\r\n\r\n")
		} else if err == nil {
			io.WriteString(c, early+"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	for _, s := range sides {
		for _, version := range []string{"1.0", "1.1"} {
			t.Run(s.name+" to "+version, func(t *testing.T) {
				r := startSides(t, s.client, s.origin)
				ask := func(path string) string {
					return r.exchange(fmt.Sprintf("GET http://%s%s HTTP/%s\r\nHost: x\r\nConnection: close\r\n\r\n", origin, path, version))
				}
				got, switched := ask("/"), ask("/101")
				if !s.client && !s.origin {
					if !strings.HasPrefix(got, "HTTP/1.0 200 ") || !strings.HasPrefix(switched, "HTTP/1.0 101 ") {
						t.Errorf("%q %q", got, switched)
					}
					return
				}
				begin := "HTTP/1.0 200 "
				if s.client {
					begin = "HTTP/1.1 200 "
				}
				if s.client && version == "1.1" {
					begin = "HTTP/1.1 103 Unknown\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 102 Unknown\r\n\r\nHTTP/1.1 200 "
				}
				if !strings.HasPrefix(got, begin) || !strings.HasSuffix(got, "\r\n\r\nok") {
					t.Errorf("%q", got)
				}
				if !strings.Contains(switched, " 502 ") {
					t.Errorf("unasked 101: %q", switched)
				}
			})
		}
	}
}

// An Upgrade is passed on between two sides of HTTP/1.1, and what follows moves
// both ways until one side ends; header_access keeps it out.
func TestUpgrade(t *testing.T) {
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		head, err := readHead(r)
		if err != nil {
			return
		}
		if !strings.Contains(head, "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n") {
			io.WriteString(c, "HTTP/1.1 426 No\r\nContent-Length: 0\r\n\r\n")
			return
		}
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: k\r\n\r\nhello")
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			io.WriteString(c, "<"+line)
		}
	})
	for _, c := range []struct {
		name     string
		protocol string
		version  string
		client   bool
		origin   bool
		edit     func(*conf.Config)
		passes   bool
	}{
		{"both", "websocket", "1.1", true, true, nil, true},
		{"client", "websocket", "1.1", true, false, nil, false},
		{"origin", "websocket", "1.1", false, true, nil, false},
		{"1.0", "websocket", "1.1", false, false, nil, false},
		{"an old client", "websocket", "1.0", true, true, nil, false},
		{"HTTP/2", "h2c, websocket", "1.1", true, true, nil, false},
		{"header_access", "websocket", "1.1", true, true, func(c *conf.Config) {
			c.HeaderAccess = []conf.HeaderAccess{{Header: "Upgrade"}}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			edit := c.edit
			if edit == nil {
				edit = func(*conf.Config) {}
			}
			r := startSides(t, c.client, c.origin, edit)
			conn := r.dial()
			defer conn.Close()
			br := bufio.NewReader(conn)
			fmt.Fprintf(conn, "GET http://%s/chat HTTP/%s\r\nHost: x\r\nConnection: keep-alive, Upgrade\r\nUpgrade: %s\r\n\r\n", origin, c.version, c.protocol)
			if c.passes {
				io.WriteString(conn, "early\n")
			}
			head, err := readHead(br)
			if !c.passes {
				if !strings.Contains(head, " 426 ") {
					t.Errorf("%q %v", head, err)
				}
				return
			}
			if !strings.HasPrefix(head, "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: k\r\nUpgrade: websocket\r\n") ||
				!strings.HasSuffix(head, "\r\nConnection: Upgrade\r\n\r\n") || strings.Contains(head, "Proxy-Connection") {
				t.Fatalf("%q %v", head, err)
			}
			said := int64(len("early\n"))
			for _, want := range []string{"hello<early\n", "<one\n", "<two\n"} {
				if got, err := br.ReadString('\n'); got != want {
					t.Fatalf("%q %v", got, err)
				}
				if want == "<two\n" {
					break
				}
				next := map[string]string{"hello<early\n": "one\n", "<one\n": "two\n"}[want]
				io.WriteString(conn, next)
				said += int64(len(next))
			}
			conn.Close()
			size := int64(len(head)+len("hello<early\n<one\n<two\n")) + said
			r.logged(0, fmt.Sprintf("TCP_MISS/101 %d", size), "GET http://"+origin+"/chat - DIRECT/127.0.0.1 -")
		})
	}
}

// What a 1.1 client is told in the places 2.6 has no 1.1 for.
func TestHTTP11Ports(t *testing.T) {
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		if head, err := readHead(r); err == nil && strings.HasPrefix(head, "GET /204") {
			io.WriteString(c, "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n")
		} else if err == nil {
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	r := startSides(t, true, true)
	for _, c := range []struct{ send, begin, has string }{
		{"GET http://O/ HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", "\r\nConnection: close\r\n"}, // no Host
		{"GET http://O/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 ", "\r\nConnection: close\r\n"},
		{"GET http://O/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nProxy-Connection: keep-alive\r\n\r\n", "HTTP/1.1 200 ", "\r\nConnection: close\r\n"},
		{"GET http://O/ HTTP/1.0\r\n\r\n", "HTTP/1.1 200 ", "\r\nProxy-Connection: close\r\n"},
		{"GET http://O/204 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 204 No Content\r\nX-Cache: ", "\r\nConnection: close\r\n"},
		{"CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 503 ", "\r\nConnection: close\r\n"},
		{"PURGE http://O/ HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 403 ", "\r\nConnection: close\r\n"},
	} {
		got := r.exchange(strings.ReplaceAll(c.send, "//O/", "//"+origin+"/"))
		if !strings.HasPrefix(got, c.begin) || !strings.Contains(got, c.has) || strings.Count(got, "onnection: ") != 1 {
			t.Errorf("%q: %q", c.send, got)
		}
	}
	// Who was intercepted needs no Host: the destination says it.
	caught := start(t, loopback{dst: netip.MustParseAddrPort(origin)}, func(c *conf.Config) {
		c.HTTPPorts[0].Transparent, c.HTTPPorts[0].HTTP11 = true, true
	})
	if got := caught.exchange("GET / HTTP/1.1\r\nConnection: close\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 200 ") {
		t.Errorf("%q", got)
	}
	c := r.dial()
	defer c.Close()
	fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: x\r\n\r\n", origin)
	if head, err := readHead(bufio.NewReader(c)); head != established[1] {
		t.Errorf("%q %v", head, err)
	}
}

// A TRACE answered here has its body behind it, which is no request.
func TestTraceWithBody(t *testing.T) {
	r := start(t, nil)
	const behind = "GET http://127.0.0.1:1/behind HTTP/1.0\r\n\r\n"
	ask := func(length int) string {
		return fmt.Sprintf("TRACE http://x.test/ HTTP/1.0\r\nMax-Forwards: 0\r\nProxy-Connection: keep-alive\r\nContent-Length: %d\r\n\r\n", length)
	}
	got := r.exchange(ask(len(behind)) + behind + "TRACE http://x.test/ HTTP/1.0\r\nMax-Forwards: 0\r\n\r\n")
	if strings.Count(got, "HTTP/1.0 200 OK\r\n") != 2 || strings.Contains(got, " 503 ") {
		t.Errorf("%q", got)
	}
	// One whose body is not here ends the connection.
	if got := r.exchange(ask(1<<20) + behind); strings.Count(got, "HTTP/1.0 200 OK\r\n") != 1 || !strings.Contains(got, "\r\nProxy-Connection: close\r\n") {
		t.Errorf("%q", got)
	}
}

// reply_body_max_size cuts bodies whose length nobody announced, in every
// combination of framings; a client of 1.1 misses the last chunk.
func TestReplyBodyMaxSizeWithoutLength(t *testing.T) {
	const most, sent = 20000, 200 << 10
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		head, err := readHead(r)
		if err != nil {
			return
		}
		if strings.HasPrefix(head, "GET /close ") {
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n\r\n%s", strings.Repeat("y", sent))
			return
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for range sent / 4096 {
			fmt.Fprintf(c, "1000\r\n%s\r\n", strings.Repeat("y", 4096))
		}
		io.WriteString(c, "0\r\n\r\n")
	})
	for _, client := range []bool{false, true} {
		r := startSides(t, client, client, func(c *conf.Config) {
			c.ReplyBodyMaxSize = []conf.BodySizeRule{{Max: most, Rule: &conf.AccessRule{Allow: true}}}
		})
		for _, path := range []string{"/close", "/chunks"} {
			got := r.exchange(fmt.Sprintf("GET http://%s%s HTTP/1.1\r\nHost: x\r\n\r\n", origin, path))
			_, body, _ := strings.Cut(got, "\r\n\r\n")
			if n := strings.Count(body, "y"); n < most || n > most+2*4096 || strings.HasSuffix(body, "0\r\n\r\n") {
				t.Errorf("http11 %v %s: %d bytes, ending in %q", client, path, n, got[len(got)-10:])
			}
		}
	}
}

// 2.6 reads Max-Forwards leniently: no number is 0, a negative one no limit. The
// echo names our version.
func TestTraceMaxForwards(t *testing.T) {
	origin := echoing(t)
	r := start(t, nil)
	for value, answered := range map[string]bool{"0": true, "00": true, "x": true, "": true, "1": false, "10": false, "-1": false} {
		got := r.exchange(fmt.Sprintf("TRACE http://%s/a HTTP/1.1\r\nMax-Forwards: %s\r\n\r\n", origin, value))
		if strings.Contains(got, "\r\n\r\nTRACE /a HTTP/1.0\r\n") != true || strings.Contains(got, "Content-Type: text/plain\r\n") != answered {
			t.Errorf("%q: %q", value, got)
		}
	}
}

// broken_posts adds a line end behind the body, whatever the method.
func TestBrokenPosts(t *testing.T) {
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		readHead(r)
		got := make([]byte, 7)
		n, _ := io.ReadFull(r, got)
		fmt.Fprintf(c, "HTTP/1.0 200 OK\r\n\r\n%q", got[:n])
	})
	r := start(t, nil, func(c *conf.Config) { c.BrokenPosts = conf.AccessList{{Allow: true}} })
	for _, method := range []string{"POST", "PUT"} {
		got := r.exchange(fmt.Sprintf("%s http://%s/ HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello", method, origin))
		if !strings.HasSuffix(got, `"hello\r\n"`) {
			t.Errorf("%q", got)
		}
	}
}
