package forward

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// fuzzLimit is how long any transaction of the fuzz targets may take: both sides
// have said all they have to say.
const fuzzLimit = 10 * time.Second

// fuzzOrigin stands for the origin's address, and is as long, so that lengths stay
// true.
const fuzzOrigin = "127.0.0.1:99999"

// fenced reaches one address only: a fuzzer must not find others. It counts the
// connections made: the origin may still have to accept them when the proxy has closed
// them.
type fenced struct {
	loopback
	to   string
	open *atomic.Int32
}

func (n fenced) Dial(ctx context.Context, d Dialing) (sock.Socket, error) {
	if d.To.String() != n.to {
		return nil, syscall.ECONNREFUSED
	}
	n.open.Add(1)
	s, err := n.loopback.Dial(ctx, d)
	if err != nil {
		n.open.Add(-1)
	}
	return s, err
}

// FuzzTransaction sends any bytes as a client to the whole engine while an
// origin answers with any bytes: no panic, no hang, and not more for the client
// than the origin said and the heads can hold. What the origin gets are, by the
// letter, the requests the log has; where the client keeps to the letter too they
// are its requests with their bodies, and it gets one answer to each at most.
func FuzzTransaction(f *testing.F) {
	for i := range families {
		f.Add([]byte(families[i].expand(fuzzOrigin)), []byte(plain), byte(i))
	}
	for i := range hostileReplies {
		said := strings.ReplaceAll(hostileReplies[i].text, "{K}", "Connection: keep-alive\r\n")
		f.Add([]byte("GET http://"+fuzzOrigin+"/x HTTP/1.1\r\nHost: a\r\nProxy-Connection: keep-alive\r\n\r\n"), []byte(said), byte(i))
	}
	var answer atomic.Pointer[[]byte]
	var open atomic.Int32
	o := &judged{}
	o.addr = scripted(f, func(c *net.TCPConn, r *bufio.Reader) {
		defer open.Add(-1)
		c.SetDeadline(time.Now().Add(fuzzLimit))
		for {
			if _, ok := o.read(r); !ok {
				break
			}
			said := *answer.Load()
			c.Write(said)
			if !bytes.Contains(said, []byte("keep-alive")) {
				c.CloseWrite()
			}
		}
		c.CloseWrite()
		io.Copy(io.Discard, r)
	})
	rigs := [2]*rig{}
	offsets := [2]int64{}
	for i := range rigs {
		rigs[i] = start(f, fenced{to: o.addr, open: &open}, func(c *conf.Config) {
			c.HTTPPorts[0].HTTP11, c.ServerHTTP11 = i == 1, i == 1
			c.ReadTimeout, c.ConnectTimeout = 50*time.Millisecond, time.Second
			c.StripQueryTerms = false
		})
	}
	f.Fuzz(func(t *testing.T, client, said []byte, how byte) {
		if len(client) > 64<<10 || len(said) > 64<<10 {
			t.Skip()
		}
		answer.Store(&said)
		r := rigs[how&1]
		c, err := net.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(fuzzLimit))
		text := bytes.ReplaceAll(client, []byte(fuzzOrigin), []byte(o.addr))
		cut := int(how>>1) % (len(text) + 1)
		c.Write(text[:cut])
		c.Write(text[cut:])
		c.(*net.TCPConn).CloseWrite()
		got, err := io.ReadAll(c)
		if e, ok := err.(net.Error); ok && e.Timeout() {
			t.Fatalf("no end after %v: %q answered with %q", fuzzLimit, client, said)
		}
		// Each request costs at least a few bytes, each answer at most its page.
		if most := (len(client) + 1) * (len(said) + 16<<10); len(got) > most {
			t.Fatalf("%d bytes for %q answered with %q", len(got), client, said)
		}
		if p := r.srv.panics.Load(); p > 0 {
			r.srv.panics.Store(0)
			t.Fatalf("%d panics: %q answered with %q", p, client, said)
		}
		for end := time.Now().Add(fuzzLimit); time.Now().Before(end); time.Sleep(50 * time.Microsecond) {
			r.idle()
			if open.Load() == 0 {
				break
			}
		}
		r.srv.current.Load().logs.Flush()
		e := exchanged{text: text, got: got, logged: r.linesFrom(&offsets[how&1])}
		e.seen, e.faults = o.all()
		if fault := e.fault(o.addr); fault != "" {
			t.Fatalf("%s\n%q answered with %q\nlogged %q\nthe client got %q", fault, text, said, e.logged, got)
		}
	})
}

// Response splitting: nothing of a request becomes a line of an answer, and
// nothing of an origin's field becomes two.
func TestResponseSplitting(t *testing.T) {
	var said atomic.Value
	said.Store("")
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		readHead(r)
		io.WriteString(c, said.Load().(string))
	})
	r := start(t, nil, func(c *conf.Config) {
		x := &conf.ACL{Name: "x", Type: conf.ACLMethod, Methods: []string{"PUT"}}
		c.ACLs = []*conf.ACL{x}
		c.HTTPAccess = conf.AccessList{{ACLs: []conf.ACLRef{{Name: "x", ACL: x}}}, {Allow: true}}
		c.DenyInfo = []conf.DenyInfo{{Page: "http://e.test/?%s", ACLs: []string{"x"}}}
	})
	split := "Set-Cookie: evil=1"
	for _, c := range []struct{ request, origin string }{
		{"PUT http://" + origin + "/a%0d%0a" + strings.ReplaceAll(split, " ", "%20") + " HTTP/1.0\r\nContent-Length: 0\r\n\r\n", ""},
		{"PUT http://" + origin + "/a\r" + split + " HTTP/1.0\r\nContent-Length: 0\r\n\r\n", ""},
		{"GET http://" + origin + "/ HTTP/1.0\r\n\r\n", "HTTP/1.1 302 Found\r\nLocation: /x\r" + split + "\r\n\r\n"},
		{"GET http://" + origin + "/ HTTP/1.0\r\n\r\n", "HTTP/1.1 302 Found\r\nLocation: /x\x00\r\n " + split + "\r\nContent-Length: 0\r\n\r\n"},
		{"GET http://" + origin + "/ HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r" + split + "\r\nContent-Length: 0\r\n\r\n"},
	} {
		said.Store(c.origin)
		got := r.exchange(c.request)
		head, _, _ := strings.Cut(got, "\r\n\r\n")
		for _, line := range strings.FieldsFunc(head, func(c rune) bool { return c == '\r' || c == '\n' }) {
			if strings.HasPrefix(line, split) {
				t.Errorf("%q answered with %q: %q", c.request, c.origin, got)
			}
		}
	}
}

// Requests out of all proportion are refused, and within a bounded time.
func TestOutOfProportion(t *testing.T) {
	origin := answering(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	patient, hasty := start(t, nil), start(t, nil, func(c *conf.Config) { c.RequestTimeout = 500 * time.Millisecond })
	fields := strings.Repeat("a:b\r\n", 4000) // 20,000 bytes, just under the limit
	for name, c := range map[string]struct{ request, want string }{
		"header count under the limit": {"GET http://" + origin + "/ HTTP/1.0\r\n" + fields + "\r\n", "HTTP/1."},
		"header count":                 {"GET http://" + origin + "/ HTTP/1.0\r\n" + strings.Repeat(fields, 10) + "\r\n", "HTTP/1.0 4"},
		"URL":                          {"GET http://" + origin + "/" + strings.Repeat("u", 1<<20) + " HTTP/1.0\r\n\r\n", "HTTP/1.0 4"},
		"URL under the head's limit":   {"GET http://" + origin + "/" + strings.Repeat("u", 15000) + " HTTP/1.0\r\n\r\n", "HTTP/1.0 4"},
		"host":                         {"GET http://" + strings.Repeat("h.", 4000) + "/ HTTP/1.0\r\n\r\n", "HTTP/1.0 "},
		"field":                        {"GET http://" + origin + "/ HTTP/1.0\r\nX: " + strings.Repeat("v", 1<<20) + "\r\n\r\n", "HTTP/1.0 4"},
		"method":                       {strings.Repeat("M", 1<<20) + " http://" + origin + "/ HTTP/1.0\r\n\r\n", "HTTP/1.0 4"},
		"head without an end":          {"GET http://" + origin + "/ HTTP/1.0\r\nX: " + strings.Repeat("v\r\nY: ", 1<<18), "HTTP/1.0 4"},
		"length":                       {"POST http://" + origin + "/ HTTP/1.0\r\nContent-Length: " + strings.Repeat("9", 400) + "\r\n\r\n", "HTTP/1.0 4"},
		"slow head":                    {"GET http://" + origin + "/ HTTP/1.0\r\nX:", ""},
		"slow line":                    {"GET", ""},
	} {
		r := patient
		if c.want == "" {
			r = hasty
		}
		conn := r.dial()
		go func() { fmt.Fprint(conn, c.request) }()
		b := make([]byte, 12)
		n, err := io.ReadFull(conn, b)
		timeout, _ := err.(net.Error) // a reset, where the half request comes when its time is over
		if got := string(b[:n]); !strings.HasPrefix(got, c.want) || c.want == "" && (n > 0 || err == nil || timeout != nil && timeout.Timeout()) {
			t.Errorf("%s: %q %v", name, got, err)
		}
		conn.Close()
	}
}
