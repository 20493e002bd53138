package fetch

import (
	"bufio"
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/origin"
	"github.com/cuttle-proxy/cuttle/forward/peer"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"go.uber.org/goleak"
	"go.uber.org/zap"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// here is a Resolver for which every name is this host.
type here struct{ dns.Resolver }

func (here) Addrs(context.Context, string) (dns.Answer, error) {
	return dns.NewAnswer(netip.MustParseAddr("127.0.0.1")), nil
}
func (h here) Look(ctx context.Context, host string) (dns.Answer, error) { return h.Addrs(ctx, host) }

func (here) MarkGood(string, netip.Addr) {}
func (here) MarkBad(string, netip.Addr)  {}

// rig is what fetches need around them.
type rig struct {
	env    Env
	policy Policy
}

func newRig(t *testing.T, lines string) *rig {
	t.Helper()
	text := "visible_hostname proxy.test\nacl all src 0.0.0.0/0.0.0.0\nhttp_port 3128\nhosts_file none\n" + lines + "\n"
	cfg, report := conf.LoadText("squid.conf", []byte(text), conf.Options{})
	if cfg == nil {
		t.Fatalf("%q: %+v", lines, report.Lines)
	}
	lists, err := acl.Compile(cfg, acl.Sources{Names: here{}})
	if err != nil {
		t.Fatal(err)
	}
	r := new(rig)
	if r.policy, err = NewPolicy(cfg, lists, acl.NewFieldPolicy(cfg, lists), " proxy.test:1 (squid)"); err != nil {
		t.Fatal(err)
	}
	r.policy.Request = http1.Options{Methods: http1.NewMethods(nil)}
	r.policy.Peers = peer.New(cfg, lists, &peer.Env{Names: here{}, Log: zap.NewNop(),
		Connect: func(context.Context, netip.AddrPort) error { return nil }})
	watcher, err := sock.NewWatcher()
	if err != nil {
		t.Fatal(err)
	}
	pool := origin.NewPool(origin.PoolOptions{Timeout: time.Minute})
	r.env.Names, r.env.Log, r.env.Pool = here{}, zap.NewNop(), pool
	r.env.Dialer = &origin.Dialer{Pool: pool, Watcher: watcher,
		Dial: func(ctx context.Context, k origin.Key, _ origin.Wishes) (sock.Socket, error) {
			c, err := new(net.Dialer).DialContext(ctx, "tcp", k.To.String())
			if err != nil {
				return nil, err
			}
			return c.(*net.TCPConn), nil
		}}
	t.Cleanup(func() { pool.Close(); watcher.Close() })
	return r
}

// listen is an origin: each connection is handed to serve. It ends with the test.
func listen(t *testing.T, serve func(c *net.TCPConn, r *bufio.Reader)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.Map
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open.Store(c, true)
			serving.Go(func() { defer c.Close(); serve(c.(*net.TCPConn), bufio.NewReader(c)) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		open.Range(func(c, _ any) bool { c.(net.Conn).Close(); return true })
		serving.Wait()
	})
	return l.Addr().String()
}

// readHead reads a head up to its empty line.
func readHead(r *bufio.Reader) (string, error) {
	var b strings.Builder
	for {
		line, err := r.ReadString('\n')
		b.WriteString(line)
		if err != nil || line == "\r\n" {
			return b.String(), err
		}
	}
}

// understood is a request as a client would have sent it.
func understood(t *testing.T, text string, buf []byte) (r *Request, in []byte) {
	t.Helper()
	in = append(buf[:0], text...)
	req, url := new(http1.Request), new(http1.URL)
	if _, state := req.Parse(in, &http1.Options{Methods: http1.NewMethods(nil)}); state != http1.Complete {
		t.Fatalf("%q: %v", text, req.Fault)
	}
	if fault := url.Parse(req.Method, req.Target, &http1.URLOptions{}); fault != http1.NoFault {
		t.Fatalf("%q: %v", text, fault)
	}
	facts := &acl.Facts{Client: netip.MustParseAddr("192.0.2.1"), Method: req.Method, URL: url, Request: &req.Fields}
	return &Request{
		Method: req.Method, MethodText: req.MethodText, Major: req.Major, Minor: req.Minor,
		Fields: &req.Fields, URL: url, CanonicalURL: url.AppendCanonical(nil), Facts: facts,
		Control: req.CacheControl(), Began: time.Now(), Client: netip.MustParseAddrPort("192.0.2.1:1"),
	}, in
}
