package forward

import (
	"bufio"
	"context"
	"fmt"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"io"
	"net"
	"net/http"
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"go.uber.org/zap"
)

// echoing is an origin that answers with the head it was sent.
func echoing(t testing.TB) string {
	return scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		head, err := readHead(r)
		if err == nil {
			fmt.Fprintf(c, "HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(head), head)
		}
	})
}

func TestInterceptedGoesWhereTheClientWanted(t *testing.T) {
	origin := echoing(t)
	network := loopback{dst: netip.MustParseAddrPort(origin)}
	r := start(t, network, func(c *conf.Config) { c.HTTPPorts[0].Transparent = true })
	got := r.exchange("GET /a HTTP/1.0\r\nHost: Elsewhere.Test\r\n\r\n")
	if !strings.Contains(got, "\r\n\r\nGET /a HTTP/1.0\r\nHost: elsewhere.test\r\n") || !strings.Contains(got, "\r\nConnection: close\r\n") {
		t.Errorf("%q", got)
	}
	r.logged(0, "TCP_MISS/200", "GET http://elsewhere.test:"+fmt.Sprint(network.dst.Port())+"/a - DIRECT/127.0.0.1 -")
	// Without Host the destination names the site.
	got = r.exchange("GET /b HTTP/1.0\r\n\r\n")
	if !strings.Contains(got, "\r\nHost: "+origin+"\r\n") {
		t.Errorf("%q", got)
	}
	r.logged(1, "TCP_MISS/200", "GET http://"+origin+"/b - DIRECT/127.0.0.1 -")
}

// spoofing records what is dialled.
type spoofing struct {
	loopback
	dialled chan Dialing
}

func (s spoofing) Dial(ctx context.Context, d Dialing) (sock.Socket, error) {
	s.dialled <- d
	return s.loopback.Dial(ctx, d)
}

func TestTProxySpoofsTheClient(t *testing.T) {
	origin := answering(t, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n")
	network := spoofing{loopback{dst: netip.MustParseAddrPort(origin)}, make(chan Dialing, 10)}
	r := start(t, network, func(c *conf.Config) {
		c.HTTPPorts[0].Transparent, c.HTTPPorts[0].TProxy = true, true
		c.TCPOutgoingAddress = []conf.AddressRule{{Addr: netip.MustParseAddr("127.0.0.9")}}
	})
	r.exchange("GET /a HTTP/1.0\r\nHost: a.test\r\n\r\n")
	d := <-network.dialled
	if !d.Spoof || d.From.Addr().String() != "127.0.0.1" || d.From.Port() != 0 || d.To.String() != origin {
		t.Errorf("dialled %+v", d)
	}
}

// tproxy_client_port asks for the client's port; without it that port is the last
// resort. A kept connection is used again whatever the port was.
func TestTProxyClientPort(t *testing.T) {
	origin := answering(t, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n")
	for _, own := range []bool{false, true} {
		network := spoofing{loopback{dst: netip.MustParseAddrPort(origin)}, make(chan Dialing, 10)}
		r := start(t, network, func(c *conf.Config) {
			c.HTTPPorts[0].Transparent, c.HTTPPorts[0].TProxy, c.TProxyClientPort = true, true, own
		})
		c := r.dial()
		fmt.Fprint(c, "GET /a HTTP/1.0\r\nHost: a.test\r\n\r\n")
		io.ReadAll(c)
		c.Close()
		first, last := uint16(0), c.LocalAddr().(*net.TCPAddr).AddrPort().Port()
		if own {
			first, last = last, 0
		}
		if d := <-network.dialled; !d.Spoof || d.From.Port() != first || d.LastPort != last {
			t.Errorf("tproxy_client_port %v: dialled %+v", own, d)
		}
		r.exchange("GET /b HTTP/1.0\r\nHost: a.test\r\n\r\n")
		if len(network.dialled) != 0 {
			t.Error("the kept connection was not used from another port")
		}
	}
}

func TestAccelerator(t *testing.T) {
	origin := echoing(t)
	_, port, _ := net.SplitHostPort(origin)
	number, _ := strconv.Atoi(port)
	for _, c := range []struct {
		name  string
		port  conf.HTTPPort
		send  string
		line  string
		host  string
		logAs string
	}{
		{"vhost", conf.HTTPPort{VHost: true}, "GET /a HTTP/1.0\r\nHost: s.test:99\r\n\r\n", "GET /a HTTP/1.0", "s.test", "http://s.test/a"},
		{"vhost and vport", conf.HTTPPort{VHost: true, VPort: 81}, "GET /a HTTP/1.0\r\nHost: s.test\r\n\r\n", "GET /a HTTP/1.0", "s.test:81", "http://s.test:81/a"},
		{"defaultsite", conf.HTTPPort{DefaultSite: "d.test"}, "GET /a HTTP/1.0\r\nHost: s.test\r\n\r\n", "GET /a HTTP/1.0", "d.test", "http://d.test/a"},
		{"defaultsite, absolute", conf.HTTPPort{DefaultSite: "d.test"}, "GET http://x.test/a HTTP/1.0\r\n\r\n", "GET /a HTTP/1.0", "d.test", "http://d.test/a"},
		{"vport", conf.HTTPPort{VPort: 80}, "GET /a HTTP/1.0\r\nHost: s.test\r\n\r\n", "GET /a HTTP/1.0", "127.0.0.1", "http://127.0.0.1/a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, nil, func(cfg *conf.Config) {
				p := c.port
				p.Addr, p.Accel, p.Protocol = cfg.HTTPPorts[0].Addr, true, "http"
				cfg.HTTPPorts[0] = &p
				cfg.Peers = []*conf.Peer{{Host: "127.0.0.1", Name: "o", Type: conf.PeerParent, HTTPPort: uint16(number), OriginServer: true, Weight: 1}}
			})
			got := r.exchange(c.send)
			if !strings.Contains(got, "\r\n\r\n"+c.line+"\r\n") || !strings.Contains(got, "\r\nHost: "+c.host+"\r\n") {
				t.Errorf("%q", got)
			}
			r.logged(0, "TCP_MISS/200", "GET "+c.logAs+" - FIRST_UP_PARENT/o -")
		})
	}
}

func TestSwapKeepsConnectionsAndTransactions(t *testing.T) {
	arrived, goOn := make(chan struct{}), make(chan struct{})
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		head, _ := readHead(r)
		if strings.HasPrefix(head, "GET /slow ") {
			close(arrived)
			<-goOn
		}
		fmt.Fprint(c, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
	})
	r := start(t, nil)
	r.cfg.HTTPPorts[0].Addr = netip.MustParseAddrPort(r.addr) // port 0 would be another one
	kept, slow := r.dial(), r.dial()
	defer kept.Close()
	defer slow.Close()
	br := bufio.NewReader(kept)
	fmt.Fprintf(kept, "GET http://%s/a HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", origin)
	readHead(br)
	io.ReadFull(br, make([]byte, 2))
	fmt.Fprintf(slow, "GET http://%s/slow HTTP/1.0\r\n\r\n", origin)
	<-arrived

	next := defaults(r.dir)
	next.HTTPPorts[0].Addr = r.cfg.HTTPPorts[0].Addr
	next.HTTPAccess = nil // denies all
	next.VisibleHostname = "second.test"
	if err := r.srv.Swap(context.Background(), next); err != nil {
		t.Fatal(err)
	}
	close(goOn)
	if b, _ := io.ReadAll(slow); !strings.Contains(string(b), "MISS from proxy.test\r\n") {
		t.Errorf("the transaction under way did not keep its configuration: %q", b)
	}
	fmt.Fprintf(kept, "GET http://%s/b HTTP/1.0\r\n\r\n", origin)
	if b, _ := io.ReadAll(br); !strings.HasPrefix(string(b), "HTTP/1.0 403 ") || !strings.Contains(string(b), "from second.test\r\n") {
		t.Errorf("the kept connection: %q", b)
	}
	bad := defaults(r.dir)
	bad.AccessLogs[0].Kind, bad.AccessLogs[0].Format = conf.LogCustom, &conf.LogFormat{Tokens: []conf.LogToken{{Code: "no such"}}}
	if r.srv.Swap(context.Background(), bad) == nil {
		t.Error("a configuration that cannot work was taken")
	}
	if got := r.exchange(fmt.Sprintf("GET http://%s/ HTTP/1.0\r\n\r\n", origin)); !strings.HasPrefix(got, "HTTP/1.0 403 ") {
		t.Errorf("after a failed swap: %q", got)
	}
}

func TestShutdownLetsTransfersEnd(t *testing.T) {
	goOn := make(chan struct{})
	asked := make(chan struct{})
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		readHead(r)
		close(asked)
		<-goOn
		fmt.Fprint(c, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
	})
	dir := t.TempDir()
	srv, err := New(defaults(dir), Parts{Network: loopback{}, Log: zap.NewNop(), Version: "test", Resolver: names{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Listen(context.Background()); err != nil {
		t.Fatal(err)
	}
	addr := srv.ports.Listeners()[0].Addr().String()
	served := make(chan error, 1)
	go func() { served <- srv.Serve() }()
	busy, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	idle, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	eventually(t, "both are accepted", func() bool { return srv.clients.Len() == 2 })
	fmt.Fprintf(busy, "GET http://%s/a HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", origin)
	<-asked
	if n := srv.Transfers(); n != 1 {
		t.Errorf("%d transfers, want the one that is asked for and not the idle connection", n)
	}
	down := make(chan struct{})
	go func() { srv.Shutdown(time.Minute); close(down) }()
	for !srv.stopping.Load() {
		runtime.Gosched()
	}
	fmt.Fprintf(idle, "GET http://%s/b HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", origin)
	if b, _ := io.ReadAll(idle); !strings.HasPrefix(string(b), "HTTP/1.0 503 ") || !strings.Contains(string(b), "\r\nX-Squid-Error: ERR_SHUTTING_DOWN 0\r\n") {
		t.Errorf("a request on an idle connection meanwhile: %q", b)
	}
	eventually(t, "new connections are refused", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	close(goOn)
	b, _ := io.ReadAll(busy)
	if !strings.HasSuffix(string(b), "Proxy-Connection: close\r\n\r\nok") {
		t.Errorf("%q", b)
	}
	busy.Close()
	<-down
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// A port with act-as-origin dates replies itself.
func TestActAsOrigin(t *testing.T) {
	const head = "HTTP/1.0 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nExpires: Sun, 06 Nov 1994 09:49:37 GMT\r\nAge: 9\r\nContent-Length: 0\r\n\r\n"
	for _, own := range []bool{true, false} {
		r := start(t, nil, viaPeer(answering(t, head), func(p *conf.Peer) { p.OriginServer = true }), func(c *conf.Config) {
			p := c.HTTPPorts[0]
			p.Accel, p.VHost, p.ActAsOrigin = true, true, own
		})
		asked := time.Now().Truncate(time.Second)
		rep, err := http.ReadResponse(bufio.NewReader(strings.NewReader(r.exchange("GET / HTTP/1.0\r\nHost: s.test\r\n\r\n"))), nil)
		if err != nil {
			t.Fatal(err)
		}
		date, _ := http.ParseTime(rep.Header.Get("Date"))
		expires, _ := http.ParseTime(rep.Header.Get("Expires"))
		if now := !date.Before(asked); now != own || expires.Sub(date) != time.Hour || (rep.Header.Get("Age") == "") != own {
			t.Errorf("act-as-origin %v: %v", own, rep.Header)
		}
	}
}
