package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// tunnelling is a proxy in front of an origin that intercepts and tunnels.
func tunnelling(t *testing.T, origin string, edits ...func(*conf.Config)) *rig {
	network := loopback{dst: netip.MustParseAddrPort(origin)}
	return start(t, network, append([]func(*conf.Config){func(c *conf.Config) {
		c.HTTPPorts[0].Transparent, c.TunnelUnknownProtocol, c.InterceptSniffTime = true, true, time.Minute
	}}, edits...)...)
}

func TestUnknownProtocolIsTunnelled(t *testing.T) {
	const hello = "\r\n\x16\x03\x01 hello"
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		b, err := io.ReadAll(r) // the client's half ends before the answer
		fmt.Fprintf(c, "%q %v", b, err)
	})
	r := tunnelling(t, origin)
	c := r.dial()
	defer c.Close()
	fmt.Fprint(c, hello)
	c.CloseWrite()
	answer, err := io.ReadAll(c)
	if want := fmt.Sprintf("%q <nil>", hello); string(answer) != want || err != nil {
		t.Errorf("%q, %v; want %q", answer, err, want)
	}
	if n := r.srv.BlindTunnels(); n != 1 {
		t.Errorf("%d tunnels counted", n)
	}
	r.logged(0, "TCP_MISS/200", "CONNECT "+origin+" - DIRECT/127.0.0.1 -")
}

// A server that speaks first: the client has nothing to say for a while.
func TestServerThatSpeaksFirst(t *testing.T) {
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		fmt.Fprint(c, "220 ready\r\n")
		line, _ := r.ReadString('\n')
		fmt.Fprintf(c, "250 %s", line)
	})
	for _, first := range []string{"", "EH"} {
		r := tunnelling(t, origin, func(c *conf.Config) { c.InterceptSniffTime = 100 * time.Millisecond })
		c := r.dial()
		fmt.Fprint(c, first)
		br := bufio.NewReader(c)
		if line, err := br.ReadString('\n'); line != "220 ready\r\n" {
			t.Fatalf("%q, %v", line, err)
		}
		fmt.Fprint(c, "HELO x\r\n"[len(first):])
		if rest, _ := io.ReadAll(br); !strings.HasPrefix(string(rest), "250 ") {
			t.Errorf("%q", rest)
		}
		c.Close()
	}
}

// HTTP is served as ever, at once and after a slow beginning; and without the
// switch, or without interception, what is not HTTP gets 2.6's page.
func TestTunnelOnlyWhatIsNotHTTP(t *testing.T) {
	origin := echoing(t)
	r := tunnelling(t, origin)
	if got := r.exchange("GET /a HTTP/1.0\r\nHost: a.test\r\n\r\n"); !strings.Contains(got, "\r\nX-Cache: ") && !strings.Contains(got, "Via: ") {
		t.Errorf("%q", got)
	}
	c := r.dial()
	for _, piece := range []string{"G", "ET ", "/b HTTP", "/1.0\r\nHost: a.test\r\n\r\n"} {
		fmt.Fprint(c, piece)
		time.Sleep(5 * time.Millisecond) // so that the pieces arrive one by one, most of the time
	}
	if got, _ := io.ReadAll(c); !strings.Contains(string(got), "GET /b HTTP/1.0") {
		t.Errorf("%q", got)
	}
	c.Close()
	if n := r.srv.BlindTunnels(); n != 0 {
		t.Errorf("%d tunnels", n)
	}
	for name, edit := range map[string]func(*conf.Config){
		"off":      func(c *conf.Config) { c.TunnelUnknownProtocol = false },
		"explicit": func(c *conf.Config) { c.HTTPPorts[0].Transparent = false },
	} {
		network := loopback{}
		if name == "off" {
			network.dst = netip.MustParseAddrPort(origin)
		}
		r := start(t, network, func(c *conf.Config) { c.HTTPPorts[0].Transparent, c.TunnelUnknownProtocol = true, true }, edit)
		if got := r.exchange("EHLO mail.test\r\n"); !strings.Contains(got, "ERR_UNSUP_REQ") && !strings.Contains(got, "ERR_INVALID_REQ") {
			t.Errorf("%s: %.200q", name, got)
		}
	}
}

func TestTunnelIsForThoseLetIn(t *testing.T) {
	origin := answering(t, "secret")
	r := tunnelling(t, origin, func(c *conf.Config) { c.HTTPAccess = conf.AccessList{{Allow: false}} })
	if got := r.exchange("EHLO mail.test\r\n\r\n"); got != "" {
		t.Errorf("%q", got)
	}
	r.logged(0, "TCP_DENIED/403", "CONNECT "+origin+" - NONE/- -")
}

func TestInterceptedHostThatIsAnIPv6Address(t *testing.T) {
	origin := echoing(t)
	port := origin[strings.LastIndex(origin, ":"):]
	r := start(t, loopback{dst: netip.MustParseAddrPort(origin)}, func(c *conf.Config) { c.HTTPPorts[0].Transparent = true })
	for i, c := range []struct{ host, sent, url string }{
		// The URL has the port that was dialled, Host the one the client spoke of.
		{"[2001:DB8::2]", "[2001:db8::2]", "http://[2001:db8::2]" + port + "/a"},
		{"[2001:db8::2]:8080", "[2001:db8::2]:8080", "http://[2001:db8::2]" + port + "/a"},
	} {
		got := r.exchange("GET /a HTTP/1.0\r\nHost: " + c.host + "\r\n\r\n")
		if !strings.Contains(got, "\r\nHost: "+c.sent+"\r\n") {
			t.Errorf("%s: %q", c.host, got)
		}
		r.logged(i, "TCP_MISS/200", "GET "+c.url+" - DIRECT/127.0.0.1 -")
	}
	if got := r.exchange("GET /a HTTP/1.0\r\nHost: [::1]\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.0 400 ") {
		t.Errorf("%q", got)
	}
}
