package forward

import (
	"bufio"
	"fmt"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Two pipelined requests, the second of which is under way while the first is
// answered: whatever becomes of the first, the client never sees the second
// answer in its place, before it or within it.
func TestFatesOfPrefetched(t *testing.T) {
	for _, c := range []struct {
		name, first string
		want        string   // bodies, as the client sees them
		log         []string // an answer that never went out counts no bytes; its status is there if it was read in time, as in 2.6
	}{
		{"both are answered", "Content-Length: 5\r\n\r\nfirst", "first|second", []string{"TCP_MISS/200", "TCP_MISS/200"}},
		{"the first is cut", "Content-Length: 50\r\n\r\nfirst", "first", []string{"TCP_MISS/200", "0 GET"}},
		{"the first ends with its connection", "\r\nfirst", "first", []string{"TCP_MISS/200", "0 GET"}},
		{"the first has chunks", "Transfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n0\r\n\r\n", "first", []string{"TCP_MISS/200", "0 GET"}},
		{"the first is large", fmt.Sprintf("Content-Length: %d\r\n\r\n%s", 2*sock.SpliceFrom, strings.Repeat("f", 2*sock.SpliceFrom)), strings.Repeat("f", 2*sock.SpliceFrom) + "|second", []string{"TCP_MISS/200", "TCP_MISS/200"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			second := make(chan struct{})
			origin := scripted(t, func(conn *net.TCPConn, r *bufio.Reader) {
				head, err := readHead(r)
				if err != nil {
					return
				}
				if strings.HasPrefix(head, "GET /first ") {
					<-second // the second one is asked for before the first is answered
					io.WriteString(conn, "HTTP/1.1 200 OK\r\n"+c.first)
					return
				}
				close(second)
				io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond")
				r.ReadByte()
			})
			r := start(t, nil, func(cfg *conf.Config) { cfg.PipelinePrefetch = true })
			got := r.exchange(fmt.Sprintf("GET http://%[1]s/first HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\nGET http://%[1]s/second HTTP/1.0\r\n\r\n", origin))
			var bodies []string
			for _, answer := range strings.Split(got, "HTTP/1.0 200 OK\r\n")[1:] {
				_, body, _ := strings.Cut(answer, "\r\n\r\n")
				bodies = append(bodies, body)
			}
			if all := strings.Join(bodies, "|"); all != c.want {
				t.Errorf("%.300q", got)
			}
			r.deserted()
			lines := r.log(len(c.log))
			for i, want := range c.log {
				if i >= len(lines) || !strings.Contains(lines[i], " "+want+" ") {
					t.Errorf("logged %q, want %q", lines, c.log)
					break
				}
			}
		})
	}
}

// The client goes away while both are under way: both origins are told.
func TestPrefetchedClientLeaves(t *testing.T) {
	asked, gone := make(chan struct{}, 2), make(chan struct{}, 2)
	origin := scripted(t, func(conn *net.TCPConn, r *bufio.Reader) {
		if _, err := readHead(r); err != nil {
			return
		}
		asked <- struct{}{}
		r.ReadByte()
		gone <- struct{}{}
	})
	r := start(t, nil, func(cfg *conf.Config) { cfg.PipelinePrefetch = true })
	c := r.dial()
	fmt.Fprintf(c, "GET http://%[1]s/1 HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\nGET http://%[1]s/2 HTTP/1.0\r\n\r\n", origin)
	<-asked
	<-asked
	c.SetLinger(0)
	c.Close()
	<-gone
	<-gone
	r.deserted()
	for i, line := range r.log(2) {
		if !strings.Contains(line, " TCP_MISS/000 0 GET ") {
			t.Errorf("line %d: %q", i, line)
		}
	}
}
