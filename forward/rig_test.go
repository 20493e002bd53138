package forward

import (
	"bufio"
	"context"
	"fmt"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/dns"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// loopback is a Network of ordinary sockets. dst, when set, is told as the
// original destination of every connection.
type loopback struct{ dst netip.AddrPort }

func (loopback) Listen(_ context.Context, port *conf.HTTPPort) ([]*net.TCPListener, error) {
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(port.Addr))
	if err != nil {
		return nil, err
	}
	return []*net.TCPListener{l}, nil
}

func (n loopback) OriginalDestination(syscall.Conn, netip.AddrPort, *conf.HTTPPort) (netip.AddrPort, bool, error) {
	return n.dst, n.dst.IsValid(), nil
}

func (loopback) Dial(ctx context.Context, d Dialing) (sock.Socket, error) {
	if d.Watcher != nil && d.To.Addr().Is4() && !d.From.IsValid() {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			err = unix.Connect(fd, &unix.SockaddrInet4{Addr: d.To.Addr().As4(), Port: int(d.To.Port())})
		}
		if err == nil {
			err = unix.SetNonblock(fd, true)
		}
		if err != nil {
			unix.Close(fd)
			return nil, os.NewSyscallError("connect", err)
		}
		return d.Watcher.NewDescriptor(fd), nil
	}
	var dialer net.Dialer
	if d.From.IsValid() && !d.Spoof {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(d.From)
	}
	c, err := dialer.DialContext(ctx, "tcp", d.To.String())
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

// rig is a Server on loopback with everything a test wants to look at.
type rig struct {
	t    testing.TB
	cfg  *conf.Config
	srv  *Server
	addr string // of the first port
	dir  string
	done chan error
}

// defaults is a configuration with 2.6's values for what forward uses.
func defaults(dir string) *conf.Config {
	c := &conf.Config{}
	c.HTTPPorts = []*conf.HTTPPort{{Addr: netip.MustParseAddrPort("127.0.0.1:0"), Protocol: "http"}}
	c.HTTPAccess = conf.AccessList{{Allow: true}}
	c.RequestHeaderMaxSize, c.ReplyHeaderMaxSize = 20<<10, 20<<10
	c.RelaxedHeaderParser = conf.On
	c.Via, c.ForwardedFor = true, true
	c.ForwardTimeout, c.ConnectTimeout, c.ReadTimeout = 4*time.Minute, time.Minute, 15*time.Minute
	c.RequestTimeout, c.PersistentRequestTimeout = 5*time.Minute, 2*time.Minute
	c.PconnTimeout, c.ClientLifetime = 2*time.Minute, 24*time.Hour
	c.PeerConnectTimeout = 30 * time.Second
	c.HalfClosedClients, c.ClientPersistentConnections, c.ServerPersistentConnections = true, true, true
	c.MaximumSingleAddrTries = 1
	c.LogIPOnDirect, c.StripQueryTerms = true, true
	c.AllowUnderscore = true
	c.ClientDB = true
	c.VisibleHostname = "proxy.test"
	c.NonhierarchicalDirect = true
	c.HostVerify, c.ClientDstPassthru = true, true
	c.AccessLogs = []*conf.AccessLog{{Path: filepath.Join(dir, "access.log"), Kind: conf.LogSquid}}
	c.HostsFile = "none"
	return c
}

// names is a Resolver that knows a few names and every address in text form.
type names map[string][]netip.Addr

// numeric keeps the answers for addresses in text form, so that tests of
// allocations see the proxy's alone.
var numeric = struct {
	sync.Mutex
	answers map[string]dns.Answer
}{answers: map[string]dns.Answer{}}

// Addrs implements dns.Resolver.
func (n names) Addrs(_ context.Context, host string) (dns.Answer, error) {
	numeric.Lock()
	defer numeric.Unlock()
	if a, ok := numeric.answers[host]; ok {
		return a, nil
	}
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		numeric.answers[strings.Clone(host)] = dns.NewAnswer(a)
		return dns.NewAnswer(a), nil
	}
	if a, ok := n[host]; ok {
		return dns.NewAnswer(a...), nil
	}
	return dns.Answer{}, &dns.Error{Name: strings.Clone(host), Kind: dns.NotFound}
}

func (n names) Look(ctx context.Context, host string) (dns.Answer, error) { return n.Addrs(ctx, host) }

func (names) Name(context.Context, netip.Addr) (string, error) {
	return "", &dns.Error{Kind: dns.NotFound}
}

func (names) KnownName(netip.Addr) (string, bool) { return "", false }

func (names) MarkBad(string, netip.Addr) {}

func (names) MarkGood(string, netip.Addr) {}

func (n names) Belongs(_ context.Context, host string, addr netip.Addr) (bool, error) {
	belongs, _ := n.Verified(host, addr)
	return belongs, nil
}

func (n names) Verified(host string, addr netip.Addr) (belongs, known bool) {
	a, err := n.Addrs(context.Background(), host)
	return err == nil && a.Contains(addr), true
}

// start serves a configuration, changed by edits, until the test ends.
func start(t testing.TB, network Network, edits ...func(*conf.Config)) *rig {
	t.Helper()
	return startWith(t, network, nil, edits...)
}

// startLogged is start with a log of the test's own.
func startLogged(t testing.TB, log *zap.Logger, edits ...func(*conf.Config)) *rig {
	t.Helper()
	return startParts(t, Parts{Log: log}, edits...)
}

// startWith is start with another DNS than the few names of tests.
func startWith(t testing.TB, network Network, resolver dns.Resolver, edits ...func(*conf.Config)) *rig {
	t.Helper()
	return startParts(t, Parts{Network: network, Resolver: resolver}, edits...)
}

// startParts is start with some parts given.
func startParts(t testing.TB, parts Parts, edits ...func(*conf.Config)) *rig {
	t.Helper()
	r := &rig{t: t, dir: t.TempDir(), done: make(chan error, 1)}
	r.cfg = defaults(r.dir)
	for _, edit := range edits {
		edit(r.cfg)
	}
	if parts.Network == nil {
		parts.Network = loopback{}
	}
	if parts.Log == nil {
		parts.Log = zap.NewNop()
		if testing.Verbose() {
			parts.Log, _ = zap.NewDevelopment(zap.IncreaseLevel(zap.InfoLevel)) // debug lines allocate, and some tests count
		}
	}
	parts.Version = "test"
	known := names{
		"origin.test":    {netip.MustParseAddr("127.0.0.1")},
		"elsewhere.test": {netip.MustParseAddr("127.0.0.2")},
		"many.test":      {netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.1")},
		"loop6.test":     {netip.MustParseAddr("::1")},
	}
	for _, p := range r.cfg.Peers { // one without an address would not be used
		p.NoDigest, p.NoNetDBExchange = true, true // a test's origin takes every request for its own
		if known[p.Host] == nil {
			known[p.Host] = []netip.Addr{netip.MustParseAddr("127.0.0.1")}
		}
	}
	if parts.Resolver == nil {
		parts.Resolver = known
	}
	var err error
	r.srv, err = New(r.cfg, parts)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.srv.Listen(context.Background()); err != nil {
		t.Fatal(err)
	}
	r.addr = r.srv.ports.Listeners()[0].Addr().String()
	go func() { r.done <- r.srv.Serve() }()
	t.Cleanup(r.stop)
	return r
}

func (r *rig) stop() {
	r.srv.Shutdown(0)
	if err := <-r.done; err != nil {
		r.t.Error(err)
	}
}

// dial connects to the proxy.
func (r *rig) dial() *net.TCPConn {
	r.t.Helper()
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(30 * time.Second))
	return c.(*net.TCPConn)
}

// log gives the lines of access.log once there are n of them.
func (r *rig) log(n int) []string {
	r.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		b, _ := os.ReadFile(r.cfg.AccessLogs[0].Path)
		lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
		if len(b) > 0 && len(lines) >= n || time.Now().After(end) {
			return lines
		}
	}
}

// scripted is an origin: each connection is handed to serve.
func scripted(t testing.TB, serve func(c *net.TCPConn, r *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var open []net.Conn
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			serving.Go(func() { defer c.Close(); serve(c.(*net.TCPConn), bufio.NewReader(c)) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
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
		if err != nil || line == "\r\n" || line == "\n" {
			return b.String(), err
		}
	}
}

// answering is an origin that gives every request the same answer and keeps
// its connections.
func answering(t testing.TB, answer string) string {
	return scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		for {
			if _, err := readHead(r); err != nil {
				return
			}
			if _, err := fmt.Fprint(c, answer); err != nil {
				return
			}
		}
	})
}

// file makes the configuration what a squid.conf of these lines makes it, with
// "{DIR}" for the test's folder. Ports are of the system's choice; what a default
// would open on this host is left out. It begins with what 2.6's own file has:
// acl all, http_port and http_access allow all where the lines have none.
func file(t testing.TB, lines string) func(*conf.Config) {
	return func(c *conf.Config) {
		t.Helper()
		dir := filepath.Dir(c.AccessLogs[0].Path)
		text := "acl all src 0.0.0.0/0.0.0.0\nvisible_hostname proxy.test\nhosts_file none\n" + strings.ReplaceAll(lines, "{DIR}", dir) + "\n"
		for directive, own := range map[string]string{"http_port": "http_port 3128\n", "http_access": "http_access allow all\n", "access_log": "access_log " + c.AccessLogs[0].Path + " squid\n"} {
			if !strings.Contains("\n"+text, "\n"+directive+" ") {
				text += own
			}
		}
		read, report := conf.LoadText("squid.conf", []byte(text), conf.Options{})
		if read == nil {
			t.Fatalf("%q: %+v", lines, report.Lines)
		}
		*c = *read
		c.ErrorDirectory, c.MimeTable, c.IconDirectory = "", "", ""
		if !strings.Contains(text, "icp_port") {
			c.ICPPort = 0
		}
		if !strings.Contains(text, "htcp_port") {
			c.HTCPPort = 0
		}
		for _, port := range c.HTTPPorts {
			port.Addr = netip.MustParseAddrPort("127.0.0.1:0")
		}
	}
}

// linesOf gives the lines of a file.
func linesOf(t testing.TB, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
}
