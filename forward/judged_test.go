package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/judge"
)

// modes are the versions of HTTP on both sides.
var modes = map[string]func(*conf.Config){
	"1.0": func(*conf.Config) {},
	"1.1": func(c *conf.Config) { c.HTTPPorts[0].HTTP11, c.ServerHTTP11 = true, true },
}

// judged is an origin that reads what reaches it by the letter and remembers it.
type judged struct {
	addr string

	mu     sync.Mutex
	seen   []*judge.Request
	faults []string
}

// judgedOrigin answers every request with what answer makes of it; "" closes.
func judgedOrigin(t testing.TB, answer func(*judge.Request) string) *judged {
	o := &judged{}
	o.addr = scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		for {
			q, ok := o.read(r)
			if !ok {
				return
			}
			said := answer(q)
			if _, err := io.WriteString(c, said); err != nil || said == "" {
				return
			}
		}
	})
	return o
}

// read reads one request and reports whether it was one.
func (o *judged) read(r *bufio.Reader) (*judge.Request, bool) {
	q, err := judge.ReadRequest(r)
	o.mu.Lock()
	defer o.mu.Unlock()
	switch err {
	case nil:
		o.seen = append(o.seen, q)
	case io.EOF, judge.ErrPartial: // the proxy gave up: no request
	default:
		if _, broken := err.(net.Error); !broken {
			o.faults = append(o.faults, err.Error())
		}
	}
	return q, err == nil
}

// okay is an answer that keeps the connection.
func okay(*judge.Request) string {
	return "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"
}

// take gives what was seen since the last call, and fails the test for what no
// origin should be sent.
func (o *judged) take(t testing.TB) (seen []*judge.Request) {
	t.Helper()
	seen, faults := o.all()
	for _, fault := range faults {
		t.Errorf("the origin was sent what is against the letter: %s", fault)
	}
	return seen
}

func (o *judged) all() (seen []*judge.Request, faults []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	seen, faults = o.seen, o.faults
	o.seen, o.faults = nil, nil
	return seen, faults
}

// replies reads all that a client is sent by the letter, given the methods of
// its requests in order; 1xx are passed over in HTTP/1.1.
func replies(r io.Reader, methods ...string) (all []*judge.Reply, err error) {
	br := bufio.NewReader(r)
	for {
		method := "GET"
		if len(all) < len(methods) {
			method = methods[len(all)]
		}
		p, err := judge.ReadReply(br, method)
		switch {
		case err == io.EOF:
			return all, nil
		case err != nil:
			return append(all, p), err
		case p.Status < 200 && p.Minor == 1 && !p.Closes():
			continue
		}
		all = append(all, p)
		if p.Closes() {
			if rest, _ := io.ReadAll(br); len(rest) > 0 {
				return all, fmt.Errorf("%q behind an answer that closes", rest)
			}
			return all, nil
		}
	}
}

// talk sends text on a connection of its own and reads the answers by the
// letter.
func (r *rig) talk(text string, methods ...string) ([]*judge.Reply, error) {
	r.t.Helper()
	c := r.dial()
	defer c.Close()
	go func() {
		io.WriteString(c, text)
		c.CloseWrite()
	}()
	return replies(c, methods...)
}

// summary tells a test table what became of an exchange: the answers' statuses,
// then what the origin saw.
func summary(answers []*judge.Reply, seen []*judge.Request) string {
	var b strings.Builder
	for i, p := range answers {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprint(&b, p.Status)
	}
	for _, q := range seen {
		fmt.Fprintf(&b, " %s %s", q.Method, q.Target)
		if len(q.Body) > 0 {
			fmt.Fprintf(&b, " %d", len(q.Body))
		}
	}
	return b.String()
}
