package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// error_map puts another page in the place of an error's body; status and
// fields stay (recorded of 2.6; own pages as well as an origin's).
func TestErrorMap(t *testing.T) {
	asked := make(chan string, 10)
	page := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		for {
			head, err := readHead(r)
			if err != nil {
				return
			}
			asked <- head
			switch {
			case strings.Contains(head, "/length "):
				fmt.Fprint(c, "HTTP/1.0 200 OK\r\nContent-Type: a/b\r\nConnection: keep-alive\r\nX-Page: 1\r\nContent-Length: 4\r\n\r\npage")
			case strings.Contains(head, "/chunks "):
				fmt.Fprint(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npage\r\n0\r\n\r\n")
			case strings.Contains(head, "/close "):
				fmt.Fprint(c, "HTTP/1.0 200 OK\r\n\r\npage")
				return
			default:
				fmt.Fprint(c, "HTTP/1.0 500 No\r\nContent-Length: 3\r\n\r\nbad")
			}
		}
	})
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		head, _ := readHead(r)
		status := strings.TrimPrefix(strings.Fields(head)[1], "/")
		fmt.Fprintf(c, "HTTP/1.1 %s X\r\nX-Own: 1\r\nContent-Length: 5\r\n\r\n", status)
		if !strings.HasPrefix(head, "HEAD") {
			io.WriteString(c, "hello")
		}
	})
	r := start(t, nil, func(c *conf.Config) {
		c.PersistentConnectionAfterError = true
		for path, status := range map[string]int{"length": 404, "chunks": 410, "close": 403, "none": 500} {
			c.ErrorMap = append(c.ErrorMap, conf.ErrorMap{URL: "http://" + page + "/" + path, Status: []int{status}})
		}
		c.ErrorMap = append(c.ErrorMap, conf.ErrorMap{URL: "http://" + page + "/length", Status: []int{503}})
		c.ErrorMap = append(c.ErrorMap, conf.ErrorMap{URL: "http://nowhere.test/", Status: []int{502}})
	})
	for i, c := range []struct{ method, status, end string }{
		{"GET", "404", "Proxy-Connection: keep-alive\r\nContent-Length: 4\r\n\r\npage"},
		{"HEAD", "404", "Proxy-Connection: keep-alive\r\nContent-Length: 4\r\n\r\n"},
		{"GET", "410", "Proxy-Connection: close\r\n\r\npage"},
		{"GET", "403", "Proxy-Connection: close\r\n\r\npage"},
		{"GET", "500", "Proxy-Connection: keep-alive\r\n\r\nhello"}, // its page is broken
		{"GET", "502", "Proxy-Connection: keep-alive\r\n\r\nhello"}, // its page is nowhere
		{"GET", "501", "Proxy-Connection: keep-alive\r\n\r\nhello"}, // not mapped
	} {
		conn := r.dial()
		fmt.Fprintf(conn, "%s http://%s/%s HTTP/1.0\r\nCookie: c\r\nProxy-Connection: keep-alive\r\n\r\n", c.method, origin, c.status)
		conn.CloseWrite()
		b, err := io.ReadAll(conn)
		conn.Close()
		if got := string(b); err != nil || !strings.HasPrefix(got, "HTTP/1.0 "+c.status+" ") || !strings.HasSuffix(got, c.end) || !strings.Contains(got, "\r\nX-Own: 1\r\n") || strings.Contains(got, "X-Page") {
			t.Errorf("%s %s: %v %q", c.method, c.status, err, got)
		}
		r.logged(i, "TCP_MISS/"+c.status, " DIRECT/127.0.0.1 -")
	}
	want := "GET /length HTTP/1.0\r\nCookie: c\r\nX-Error-Status: 404\r\nX-Request-URI: http://" + origin + "/404\r\n" +
		"Via: 1.0 proxy.test:0 (squid/test), 0.0 proxy.test:0 (squid/test)\r\nX-Forwarded-For: unknown\r\nHost: " + page +
		"\r\nCache-Control: max-age=259200\r\nConnection: keep-alive\r\n\r\n"
	if got := <-asked; strings.Replace(got, "max-age=0", "max-age=259200", 1) != want {
		t.Errorf("asked %q\nwant  %q", got, want)
	}
	// A page of our own.
	got := r.exchange("GET http://127.0.0.1:1/ HTTP/1.0\r\n\r\n")
	if !strings.HasPrefix(got, "HTTP/1.0 503 ") || !strings.HasSuffix(got, "\r\nContent-Length: 4\r\n\r\npage") || !strings.Contains(got, "X-Squid-Error: ERR_CONNECT_FAIL 111\r\n") {
		t.Errorf("own page: %q", got)
	}
}

// deny_info TCP_RESET resets, and the line is in the log, wherever the denial
// was decided (it once hung inside Turns).
func TestDenyInfoReset(t *testing.T) {
	r := start(t, nil, func(c *conf.Config) {
		x := &conf.ACL{Name: "all", Type: conf.ACLMethod, Methods: []string{"GET", "POST", "CONNECT"}}
		c.ACLs = []*conf.ACL{x}
		c.HTTPAccess = conf.AccessList{{ACLs: []conf.ACLRef{{Name: "all", ACL: x}}}}
		c.DenyInfo = []conf.DenyInfo{{Page: "TCP_RESET", ACLs: []string{"all"}}}
	})
	for i, request := range []string{"GET http://o.test/ HTTP/1.0\r\n\r\n", "POST http://o.test/ HTTP/1.0\r\nContent-Length: 5\r\n\r\nx", "CONNECT o.test:443 HTTP/1.0\r\n\r\n"} {
		c := r.dial()
		io.WriteString(c, request)
		if b, err := io.ReadAll(c); err == nil || !strings.Contains(err.Error(), "reset") || len(b) > 0 {
			t.Errorf("%q: %q %v", request, b, err)
		}
		c.Close()
		r.logged(i, "TCP_DENIED/403 0", " NONE/- text/html")
	}
}
