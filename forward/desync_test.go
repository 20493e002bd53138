package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// hidden is a request that is only text in the body of another.
func hidden(origin string) string {
	return "GET http://" + origin + "/hidden HTTP/1.1\r\nHost: a\r\n\r\n"
}

// A chunked body that comes in pieces, cut at every place, with a request behind
// it: both are what they are, once.
func TestChunksInPieces(t *testing.T) {
	arrived := make(chan struct{}, 10)
	o := judgedOrigin(t, okay)
	// The proxy has read the first piece when it has connected to the origin.
	relay := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		up, err := net.Dial("tcp", o.addr)
		if err != nil {
			return
		}
		defer up.Close()
		arrived <- struct{}{}
		go func() { io.Copy(c, up); c.CloseWrite() }()
		io.Copy(up, r)
	})
	r := start(t, nil, modes["1.1"],
		func(c *conf.Config) { c.ServerPersistentConnections = false },
	)
	head := "POST http://" + relay + "/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	body := fmt.Sprintf("%x;e=1\r\n%s\r\n2\r\nxy\r\n0\r\nT: 1\r\n\r\n", len(hidden(relay)), hidden(relay))
	behind := "GET http://" + relay + "/next HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
	for cut := 0; cut < len(body)+len(behind)-1; cut += 3 {
		c := r.dial()
		io.WriteString(c, head+(body + behind)[:cut])
		<-arrived
		io.WriteString(c, (body + behind)[cut:])
		answers, err := replies(c)
		c.Close()
		for len(arrived) > 0 {
			<-arrived
		}
		want := fmt.Sprintf("200 200 POST /x %d GET /next", len(hidden(relay))+2)
		if len(answers) == 1 && answers[0].Closes() {
			// The answer overtook the news that the body's last byte was taken.
			want = fmt.Sprintf("200 POST /x %d", len(hidden(relay))+2)
		}
		if got := summary(answers, o.take(t)); got != want || err != nil {
			t.Errorf("cut at %d: %q %v, want %q", cut, got, err, want)
		}
	}
}

// However the body came, and whoever answers the request, the body is no request.
// (TestFamilies has the bodies that come with their heads.)
func TestRefusedBodyIsNoRequest(t *testing.T) {
	for mode, edit := range modes {
		o := judgedOrigin(t, okay)
		r := start(t, nil, edit, func(c *conf.Config) { c.PersistentConnectionAfterError = true })
		for _, line := range []string{"TRACE http://" + o.addr + "/x HTTP/1.1\r\nMax-Forwards: 0", "PURGE http://" + o.addr + "/x HTTP/1.1",
			"PUT http://nowhere.test/ HTTP/1.1", "PUT http://proxy.test/squid-internal-static/x HTTP/1.1", "PUT wais://" + o.addr + "/x HTTP/1.1",
			"PUT http://" + dead(t) + "/ HTTP/1.1"} {
			c := r.dial()
			fmt.Fprintf(c, "%s\r\nHost: a\r\nConnection: keep-alive\r\nProxy-Connection: keep-alive\r\nContent-Length: %d\r\n\r\n", line, len(hidden(o.addr))+1)
			io.WriteString(c, hidden(o.addr)) // all but the last byte
			br := bufio.NewReader(c)
			if _, err := readHead(br); err != nil {
				t.Errorf("%s %s: %v", mode, line, err)
			}
			c.CloseWrite()
			io.Copy(io.Discard, br)
			c.Close()
			for _, q := range o.take(t) {
				t.Errorf("%s: the body of %q became %s %s", mode, line, q.Method, q.Target)
			}
		}
	}
}

// header_access and header_replace cannot take away or change what says where a
// body ends.
func TestFramingFieldsAreNoPolicy(t *testing.T) {
	for mode, edit := range modes {
		o := judgedOrigin(t, okay)
		r := start(t, nil, edit, func(c *conf.Config) {
			for _, name := range []string{"Content-Length", "Transfer-Encoding"} {
				c.HeaderAccess = append(c.HeaderAccess, conf.HeaderAccess{Header: name})
				c.HeaderReplace = append(c.HeaderReplace, conf.HeaderReplace{Header: name, Value: "1"})
			}
		})
		const keep = " HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nProxy-Connection: keep-alive\r\n"
		h := hidden(o.addr)
		bodies := []string{fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(h), h)}
		if mode == "1.1" {
			bodies = append(bodies, fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(h), h))
		}
		for _, body := range bodies {
			answers, err := r.talk("POST http://" + o.addr + "/x" + keep + body + "GET http://" + o.addr + "/next" + keep + "\r\n")
			// Without its length the answer's end is the connection's.
			if got, want := summary(answers, o.take(t)), fmt.Sprintf("200 POST /x %d", len(h)); got != want || err != nil || string(answers[0].Body) != "ok" {
				t.Errorf("%s: %q %v, want %q", mode, got, err, want)
			}
		}
	}
}
