package forward

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/ports"
)

// The URL that was asked for, by the port's options and what was sent; "" for a
// request no URL can be made of. The client connected to 192.0.2.9:8080.
func TestTarget(t *testing.T) {
	r := start(t, nil)
	for _, c := range []struct{ port, request, want string }{
		{"", "GET http://o.test/a HTTP/1.0\r\n", "http://o.test/a"},
		{"", "GET /a HTTP/1.0\r\nHost: h.test\r\n", ""},
		{"", "CONNECT o.test:443 HTTP/1.0\r\n", "o.test:443"},

		{"transparent", "GET /a HTTP/1.0\r\nHost: H.test\r\n", "http://H.test/a"},
		{"transparent", "GET /a HTTP/1.0\r\nHost: h.test:81\r\n", "http://h.test:81/a"},
		{"transparent", "GET /a HTTP/1.0\r\nHost: h.test:\r\n", "http://h.test/a"},
		{"transparent", "GET /a HTTP/1.0\r\nHost: h.test:x\r\n", "http://h.test/a"},
		{"transparent", "GET /a HTTP/1.0\r\nHost: [2001:db8::1]:81\r\n", "http://[2001:db8::1]:81/a"},
		{"transparent", "GET /a HTTP/1.0\r\n", ""},
		{"transparent", "GET http://o.test/a HTTP/1.0\r\nHost: h.test\r\n", "http://o.test/a"},

		{"accel vhost", "GET /a HTTP/1.0\r\nHost: h.test:81\r\n", "http://h.test/a"},
		{"accel vhost vport", "GET /a HTTP/1.0\r\nHost: h.test:81\r\n", "http://h.test:81/a"},
		{"accel vhost vport", "GET /a HTTP/1.0\r\nHost: h.test\r\n", "http://h.test:8080/a"},
		{"accel vhost vport=82", "GET /a HTTP/1.0\r\nHost: h.test\r\n", "http://h.test:82/a"},
		{"accel vhost vport=82", "GET /a HTTP/1.0\r\nHost: h.test:81\r\n", "http://h.test:81/a"},
		{"accel vhost defaultsite=d.test", "GET /a HTTP/1.0\r\n", "http://d.test/a"},
		{"accel vhost defaultsite=d.test", "GET /a HTTP/1.0\r\nHost: h.test\r\n", "http://h.test/a"},
		{"accel vport=82", "GET /a HTTP/1.0\r\nHost: h.test\r\n", "http://192.0.2.9:82/a"},
		{"accel vport", "GET /a HTTP/1.0\r\n", "http://192.0.2.9:8080/a"},
		{"accel defaultsite=d.test:83", "GET /a HTTP/1.0\r\nHost: h.test\r\n", "http://d.test:83/a"},
		{"accel defaultsite=d.test", "GET http://o.test/a HTTP/1.0\r\n", "http://d.test/a"},
		{"accel defaultsite=d.test", "GET http://o.test HTTP/1.0\r\n", "http://d.test/"},
		{"accel vhost", "GET http://o.test/a HTTP/1.0\r\nHost: h.test\r\n", "http://o.test/a"},
		{"accel defaultsite=d.test protocol=ftp", "GET /a HTTP/1.0\r\n", "ftp://d.test/a"},
		{"accel defaultsite=d.test", "GET cache_object://localhost/info HTTP/1.0\r\n", "cache_object://localhost/info"},
		{"accel defaultsite=d.test", "GET nonsense HTTP/1.0\r\n", ""},
		{"accel defaultsite=d.test", "CONNECT o.test:443 HTTP/1.0\r\n", ""},
		{"accel vhost", "GET /a HTTP/1.0\r\n", ""},

		{"", "GET /squid-internal-static/icons/a.gif HTTP/1.0\r\n", "internal://proxy.test/squid-internal-static/icons/a.gif"},
		{"", "GET /squid-internal-periodic/store_digest HTTP/1.0\r\n", "internal://proxy.test/squid-internal-periodic/store_digest"},
		{"accel defaultsite=d.test", "GET /squid-internal-static/icons/a.gif HTTP/1.0\r\n", "http://d.test/squid-internal-static/icons/a.gif"},
	} {
		cfg := defaults(t.TempDir())
		file(t, "http_port 3128 "+c.port)(cfg)
		cl := &client{srv: r.srv, ln: portOf(t, cfg), remote: netip.MustParseAddrPort("10.0.0.1:1"), local: netip.MustParseAddrPort("192.0.2.9:8080")}
		x := r.srv.newTransaction(cl)
		x.in = append(x.in, c.request+"\r\n"...)
		if x.parse() != http1.Complete || x.fault != http1.NoFault {
			t.Fatalf("%q: %v", c.request, x.fault)
		}
		got := ""
		if x.findTarget() == http1.NoFault {
			got = string(x.target)
		}
		if got != c.want {
			t.Errorf("%q on %q: %q, want %q", c.request, c.port, got, c.want)
		}
		x.release()
	}
}

// An intercepted client that names no host means the address it dialled.
func TestTargetOfIntercepted(t *testing.T) {
	r := start(t, nil, func(c *conf.Config) { c.HTTPPorts[0].Transparent = true })
	for meant, want := range map[string]string{"198.51.100.7:80": "http://198.51.100.7:80/a", "[2001:db8::7]:8080": "http://[2001:db8::7]:8080/a"} {
		cl := &client{srv: r.srv, ln: r.srv.ports.Listeners()[0], intercepted: true, meant: netip.MustParseAddrPort(meant)}
		x := r.srv.newTransaction(cl)
		x.in = append(x.in, "GET /a HTTP/1.0\r\n\r\n"...)
		if x.parse() != http1.Complete || x.findTarget() != http1.NoFault || string(x.target) != want {
			t.Errorf("%s: %q, want %q", meant, x.target, want)
		}
		x.release()
	}
}

// A request's time counts from its first byte, not from the end of the answer before
// it, nor from its last byte.
func TestTimeCountsFromTheFirstByte(t *testing.T) {
	r := start(t, nil)
	cl := &client{srv: r.srv, ln: r.srv.ports.Listeners()[0], served: 1, since: time.Now().Add(-time.Hour)}
	x := r.srv.newTransaction(cl)
	before := time.Now()
	x.in = append(x.in, "GET http://a.test/ HTTP/1.0\r\n"...)
	if x.parse() != http1.NeedMore {
		t.Fatal("half a head is taken for a request")
	}
	first := time.Now()
	for !time.Now().After(first) { // the clock may be coarse
	}
	x.in = append(x.in, "\r\n"...)
	if x.parse() != http1.Complete || x.began.Before(before) || x.began.After(first) || !x.now.After(first) {
		t.Errorf("began %v, now %v; the first byte came between %v and %v", x.began, x.now, before, first)
	}
	x.release()
}

// portOf is a listening socket that serves the first line of a configuration.
func portOf(t *testing.T, cfg *conf.Config) *ports.Listener {
	socket, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	l, err := ports.New(socket, cfg.HTTPPorts[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}
