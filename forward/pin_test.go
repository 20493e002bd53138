package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// ntlm is an origin that authenticates connections in two steps. It answers with
// the number of the connection; closed counts those that ended.
func ntlm(t *testing.T) (addr string, closed *atomic.Int32) {
	var conns atomic.Int32
	closed = new(atomic.Int32)
	return scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		n, step := conns.Add(1), 0
		defer closed.Add(1)
		for {
			head, err := readHead(r)
			if err != nil {
				return
			}
			status, challenge := "401 Unauthorized", "NTLM"
			switch {
			case step == 0 && strings.Contains(head, "\r\nAuthorization: NTLM one\r\n"):
				step, challenge = 1, "NTLM two"
			case step == 1 && strings.Contains(head, "\r\nAuthorization: NTLM three\r\n"):
				step, status = 2, "200 OK"
			case step == 2:
				status = "200 OK"
			}
			fmt.Fprintf(c, "HTTP/1.1 %s\r\nWWW-Authenticate: %s\r\nWWW-Authenticate: Basic realm=x\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n%d", status, challenge, n)
		}
	}), closed
}

// asker is a client connection.
type asker struct {
	*net.TCPConn
	in *bufio.Reader
}

func (r *rig) asker() asker {
	c := r.dial()
	r.t.Cleanup(func() { c.Close() })
	return asker{c, bufio.NewReader(c)}
}

// ask gives the status and the body of one byte, "" at the end of the connection.
func (a asker) ask(host, auth string) string {
	if auth != "" {
		auth = "Authorization: " + auth + "\r\n"
	}
	fmt.Fprintf(a, "GET http://%s/ HTTP/1.0\r\nProxy-Connection: keep-alive\r\n%s\r\n", host, auth)
	head, err := readHead(a.in)
	body := make([]byte, 1)
	if _, e := io.ReadFull(a.in, body); err != nil || e != nil {
		return ""
	}
	return head[len("HTTP/1.0 "):len("HTTP/1.0 200")] + " " + string(body)
}

// A connection that a client has authenticated is that client's alone, and ends
// with it.
func TestConnectionAuthentication(t *testing.T) {
	origin, closed := ntlm(t)
	r := start(t, nil)
	a, b := r.asker(), r.asker()
	for i, c := range []struct {
		who  asker
		auth string
		want string
	}{
		{a, "", "401 1"}, {a, "NTLM one", "401 1"}, {b, "", "401 2"}, {a, "NTLM three", "200 1"},
		{b, "", "401 2"}, {a, "", "200 1"}, {b, "NTLM one", "401 2"}, {b, "NTLM three", "200 2"},
	} {
		if got := c.who.ask(origin, c.auth); got != c.want {
			t.Fatalf("request %d: %q, want %q", i, got, c.want)
		}
	}
	a.Close()
	eventually(t, "the connection ends with its client", func() bool { return closed.Load() == 1 })
	if got := r.asker().ask(origin, ""); got != "401 3" {
		t.Errorf("a third client: %q", got)
	}
	// 2.6 logs the connection of its own as no way at all.
	log := strings.Join(r.log(9), "\n")
	if strings.Count(log, " TCP_MISS/200 ") != 3 || strings.Count(log, " NONE/- -") != 3 || strings.Count(log, " - DIRECT/127.0.0.1 -") != 6 {
		t.Errorf("%s", log)
	}
	// For another host the client is served, and then has to begin anew.
	if got := b.ask(answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"), ""); got != "200 x" {
		t.Errorf("another host: %q", got)
	}
	if got := b.ask(origin, ""); got != "" {
		t.Errorf("after another host: %q", got)
	}
	eventually(t, "the connection ends with its use", func() bool { return closed.Load() == 2 })
}

// Where connections cannot be authenticated no challenge to do so is shown, and
// one that was tried is not used again.
func TestNoConnectionAuthentication(t *testing.T) {
	origin, closed := ntlm(t)
	for name, edit := range map[string]func(*conf.Config){
		"no-connection-auth": func(c *conf.Config) { c.HTTPPorts[0].NoConnectionAuth = true },
		"pipeline_prefetch":  func(c *conf.Config) { c.PipelinePrefetch = true },
	} {
		t.Run(name, func(t *testing.T) {
			before := closed.Load()
			r := start(t, nil, edit)
			got := r.exchange(fmt.Sprintf("GET http://%s/ HTTP/1.0\r\nAuthorization: NTLM one\r\nProxy-Connection: keep-alive\r\n\r\n", origin))
			if strings.Contains(got, "NTLM") || !strings.Contains(got, "\r\nWWW-Authenticate: Basic realm=x\r\n") || r.srv.pool.Len() != 0 {
				t.Errorf("%q, %d connections kept", got, r.srv.pool.Len())
			}
			eventually(t, "the connection is closed", func() bool { return closed.Load() == before+1 })
		})
	}
}

// A parent that ends a client's own connection and is gone: the client is told, and the
// connection is not tried again.
func TestConnectionOfAParentThatIsGone(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		r := bufio.NewReader(c)
		for _, status := range []string{"401 U", "401 U", "200 OK"} {
			if _, err := readHead(r); err != nil {
				return
			}
			fmt.Fprintf(c, "HTTP/1.1 %s\r\nWWW-Authenticate: NTLM two\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n1", status)
		}
		readHead(r)
		l.Close()
	}()
	r := start(t, nil, viaPeer(l.Addr().String(), func(p *conf.Peer) { p.ConnectionAuth = conf.On }))
	a := r.asker()
	for i, c := range [][2]string{{"", "401 1"}, {"NTLM one", "401 1"}, {"NTLM three", "200 1"}, {"", "503 <"}} {
		if got := a.ask("x.test", c[0]); got != c[1] {
			t.Fatalf("request %d: %q, want %q", i, got, c[1])
		}
	}
}

// connection-auth of cache_peer: a parent is believed when it says that it keeps
// connections apart, or the operator says so.
func TestConnectionAuthenticationThroughParents(t *testing.T) {
	for _, c := range []struct {
		auth    conf.Tristate
		says    bool
		server  bool
		allowed bool
	}{
		{conf.Warn, false, false, false}, {conf.Warn, true, false, true}, {conf.On, false, false, true},
		{conf.Off, true, false, false}, {conf.Warn, false, true, true}, {conf.Off, false, true, false},
	} {
		answer := "HTTP/1.1 401 U\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n"
		if c.says {
			answer += "Proxy-Support: Session-Based-Authentication\r\n"
		}
		r := start(t, nil, viaPeer(answering(t, answer+"\r\n"), func(p *conf.Peer) { p.ConnectionAuth, p.OriginServer = c.auth, c.server }))
		got := r.exchange("GET http://x.test/ HTTP/1.0\r\n\r\n")
		if strings.Contains(got, "\r\nWWW-Authenticate: NTLM\r\n") != c.allowed {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// viaPeer has a parent at addr asked for everything.
func viaPeer(addr string, edit func(*conf.Peer)) func(*conf.Config) {
	to := netip.MustParseAddrPort(addr)
	return func(c *conf.Config) {
		p := &conf.Peer{Host: to.Addr().String(), Name: "parent", Type: conf.PeerParent, HTTPPort: to.Port(), Weight: 1}
		edit(p)
		c.Peers, c.NeverDirect = []*conf.Peer{p}, conf.AccessList{{Allow: true}}
	}
}
