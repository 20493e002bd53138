package forward

import (
	"bufio"
	"fmt"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// How an answer may end, and what becomes of the connections on both sides: the
// client's must never look complete and stay open when something is missing,
// the origin's must never be kept with something left in it.
func TestFatesOfConnections(t *testing.T) {
	big := strings.Repeat("b", sock.SpliceFrom+1000)
	for _, c := range []struct {
		name, port, method, reply string
		body                      string // what the client gets
		stays, kept               bool
	}{
		{"length", "", "GET", "Content-Length: 5\r\n\r\nhello", "hello", true, true},
		{"no body", "", "GET", "Content-Length: 0\r\n\r\n", "", true, true},
		{"HEAD", "", "HEAD", "Content-Length: 5\r\n\r\n", "", true, true},
		{"HEAD with a body", "", "HEAD", "Content-Length: 5\r\n\r\nhello", "", true, false},
		{"more than announced", "", "GET", "Content-Length: 5\r\n\r\nhello, world", "hello", true, false},
		{"a second answer", "", "GET", "Content-Length: 5\r\n\r\nhelloHTTP/1.0 200 OK\r\n\r\n", "hello", true, false},
		{"cut", "", "GET", "Content-Length: 50\r\n\r\nhello<close>", "hello", false, false},
		{"cut, large", "", "GET", fmt.Sprintf("Content-Length: %d\r\n\r\n%s<close>", len(big)+1, big), big, false, false},
		{"reset", "", "GET", "Content-Length: 50\r\n\r\nhello<reset>", "hello", false, false},
		{"large", "", "GET", fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(big), big), big, true, true},
		{"until close", "", "GET", "\r\nhello<close>", "hello", false, false},
		{"chunks", "", "GET", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello", false, true},
		{"chunks with more behind", "", "GET", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nHTTP/1.0", "hello", false, false},
		{"chunks cut", "", "GET", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nhe<close>", "hellohe", false, false},
		{"chunks malformed", "", "GET", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n", "hello", false, false},

		{"1.1: chunks", "http11", "GET", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", true, true},
		{"1.1: chunks with a trailer", "http11", "GET", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n", "5\r\nhello\r\n0\r\n\r\n", true, true},
		{"1.1: chunks cut", "http11", "GET", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n<close>", "5\r\nhello\r\n", false, false},
		{"1.1: until close", "http11", "GET", "\r\nhello<close>", "5\r\nhello\r\n0\r\n\r\n", true, false},
		{"1.1: reset", "http11", "GET", "\r\nhello<reset>", "5\r\nhello\r\n", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			arrived := make(chan struct{})
			origin := scripted(t, func(conn *net.TCPConn, r *bufio.Reader) {
				if _, err := readHead(r); err != nil {
					return
				}
				text, end, _ := strings.Cut("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n"+c.reply, "<")
				io.WriteString(conn, text)
				switch end {
				case "close>":
					return
				case "reset>":
					<-arrived // a reset may overtake what was sent before
					conn.SetLinger(0)
					return
				}
				r.ReadByte()
			})
			r := start(t, nil, file(t, "http_port 3128 "+c.port))
			cl := r.dial()
			defer cl.Close()
			if c.port == "" {
				fmt.Fprintf(cl, "%s http://%s/ HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", c.method, origin)
			} else {
				fmt.Fprintf(cl, "%s http://%s/ HTTP/1.1\r\nHost: o\r\n\r\n", c.method, origin)
			}
			br := bufio.NewReader(cl)
			if _, err := readHead(br); err != nil {
				t.Fatal(err)
			}
			body := make([]byte, len(c.body))
			if n, err := io.ReadFull(br, body); err != nil || string(body) != c.body {
				t.Fatalf("%d bytes, %v: %.100q", n, err, body[:n])
			}
			close(arrived)
			// What follows shows whether the connection goes on.
			fmt.Fprint(cl, "BREW /pot HTTP/1.0\r\n\r\n")
			rest, _ := io.ReadAll(br)
			if got := strings.Contains(string(rest), "400 Bad Request"); got != c.stays || !got && len(rest) > 0 {
				t.Errorf("the client's connection goes on: %v, want %v (%.100q)", got, c.stays, rest)
			}
			r.log(1)
			if got := r.srv.pool.Len() == 1; got != c.kept {
				t.Errorf("the origin's connection is kept: %v, want %v", got, c.kept)
			}
		})
	}
}

// A request body that ends early or is answered early, and what becomes of the
// connections.
func TestFatesOfUploads(t *testing.T) {
	const ok = "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"
	for _, c := range []struct {
		name  string
		size  int // announced
		sent  int
		leave string // what the client does then
		early bool   // the origin answers before it has read the body
		want  string
		log   string
	}{
		{"whole, at once", 10, 10, "", false, "ok", "TCP_MISS/200"},
		{"whole, large", 300000, 300000, "", false, "ok", "TCP_MISS/200"},
		{"answered before it ends", 300000, 1000, "", true, "ok", "TCP_MISS/200"},
		{"the client stops", 300000, 1000, "half", false, "", "TCP_MISS/000"},
		{"the client resets", 300000, 1000, "reset", false, "", "TCP_MISS/000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			begun := make(chan struct{})
			origin := scripted(t, func(conn *net.TCPConn, r *bufio.Reader) {
				if _, err := readHead(r); err != nil {
					return
				}
				if c.early {
					fmt.Fprint(conn, ok)
				}
				io.CopyN(io.Discard, r, int64(min(c.sent, 1000)))
				close(begun)
				if n, _ := io.CopyN(io.Discard, r, int64(c.size-min(c.sent, 1000))); !c.early && n == int64(c.size-min(c.sent, 1000)) {
					fmt.Fprint(conn, ok)
				}
				io.Copy(io.Discard, r)
			})
			r := start(t, nil)
			cl := r.dial()
			defer cl.Close()
			fmt.Fprintf(cl, "POST http://%s/ HTTP/1.0\r\nContent-Length: %d\r\n\r\n", origin, c.size)
			io.WriteString(cl, strings.Repeat("b", c.sent))
			if !c.early {
				<-begun
			}
			switch c.leave {
			case "half":
				cl.CloseWrite()
			case "reset":
				cl.SetLinger(0)
				cl.Close()
			}
			if c.leave != "reset" {
				got, err := io.ReadAll(cl)
				if err != nil {
					t.Fatal(err)
				}
				if _, body, _ := strings.Cut(string(got), "\r\n\r\n"); body != c.want {
					t.Errorf("%q", got)
				}
			}
			if line := r.log(1)[0]; !strings.Contains(line, " "+c.log+" ") {
				t.Errorf("logged %q, want %s", line, c.log)
			}
			if c.leave != "" && r.srv.pool.Len() != 0 {
				t.Error("a connection with half a request in it is kept")
			}
		})
	}
}

// A silent origin: read_timeout ends the wait, with a page before the answer has
// begun and with the connection afterwards.
func TestReadTimeout(t *testing.T) {
	for _, c := range []struct{ name, method, begin, want, log string }{
		{"before the head", "POST", "", "504 Gateway Time-out", "TCP_MISS/504"},
		{"in the head", "POST", "HTTP/1.0 200 OK\r\nX:", "504 Gateway Time-out", "TCP_MISS/504"},
		{"in the body", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "200 OK", "TCP_MISS/200"},
		{"in a large body", "GET", fmt.Sprintf("HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\nhalf", 2*sock.SpliceFrom), "200 OK", "TCP_MISS/200"},
		{"in chunks", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", "200 OK", "TCP_MISS/200"},
		{"until close", "GET", "HTTP/1.0 200 OK\r\n\r\nhalf", "200 OK", "TCP_MISS/200"},
	} {
		t.Run(c.name, func(t *testing.T) {
			origin := scripted(t, func(conn *net.TCPConn, r *bufio.Reader) {
				readHead(r)
				io.WriteString(conn, c.begin)
				r.ReadByte()
			})
			t.Parallel()
			r := start(t, nil, func(cfg *conf.Config) { cfg.ReadTimeout = 4 * time.Second }) // in which the origin begins
			got := r.exchange(fmt.Sprintf("%s http://%s/ HTTP/1.0\r\n\r\n", c.method, origin))
			if !strings.HasPrefix(got, "HTTP/1.0 "+c.want+"\r\n") || c.method == "GET" && !strings.HasSuffix(got, "\r\n\r\nhalf") {
				t.Errorf("%q", got)
			}
			if line := r.log(1)[0]; !strings.Contains(line, " "+c.log+" ") {
				t.Errorf("logged %q, want %s", line, c.log)
			}
			if r.srv.pool.Len() != 0 {
				t.Error("a connection with an answer in it is kept")
			}
		})
	}
}
