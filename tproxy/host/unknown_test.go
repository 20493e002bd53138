package host

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/tproxy"
	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// inline is a gateway between a client and an origin, both families; at the
// origin and in the gateway somebody answers every line with who he is.
type inline struct {
	t                       testing.TB
	client, gateway, origin *netlab.Node
}

// The founding network's listener has the number of the port it takes.
var inlineWant = Want{TProxy: []Port{{Of: 80, To: 80}}, Redirect: []Port{{Of: 8080, To: 3128}}, IPv4: true, IPv6: true}

// Where the origin is, by family.
var inlineOrigins = map[string]string{"IPv4": "10.2.0.2", "IPv6": "fd02::2"}

func newInline(t testing.TB) *inline {
	lab := netlab.ForTest(t)
	l := &inline{t, lab.Node("client"), lab.Node("gateway"), lab.Node("origin")}
	lab.Link(netlab.End{Node: l.client, Name: "eth0", Addrs: []string{"10.1.0.2/24", "fd01::2/64"}},
		netlab.End{Node: l.gateway, Name: "lan0", Addrs: []string{"10.1.0.1/24", "fd01::1/64"}})
	lab.Link(netlab.End{Node: l.origin, Name: "eth0", Addrs: []string{"10.2.0.2/24", "fd02::2/64"}},
		netlab.End{Node: l.gateway, Name: "wan0", Addrs: []string{"10.2.0.1/24", "fd02::1/64"}})
	for node, by := range map[*netlab.Node][]string{l.client: {"10.1.0.1", "fd01::1"}, l.origin: {"10.2.0.1", "fd02::1"}} {
		node.Route("default", by[0])
		node.Route("default", by[1])
	}
	l.gateway.Sysctl("net.ipv4.ip_forward", "1")
	l.gateway.Sysctl("net.ipv6.conf.all.forwarding", "1")
	for _, port := range []string{"80", "8080"} {
		l.answer(l.origin, "origin", func(ctx context.Context) ([]*net.TCPListener, error) {
			ln, err := net.Listen("tcp", ":"+port)
			return []*net.TCPListener{ln.(*net.TCPListener)}, err
		})
	}
	return l
}

// intercept listens in the gateway, as wanted by inlineWant.
func (l *inline) intercept() {
	for port, transparent := range map[uint16]bool{80: true, 3128: false} {
		l.answer(l.gateway, "gateway", func(ctx context.Context) ([]*net.TCPListener, error) {
			return tproxy.Listen(ctx, tproxy.ListenOptions{SocketOptions: tproxy.SocketOptions{Mark: tproxy.OwnMark},
				Addr: netip.AddrPortFrom(netip.Addr{}, port), Transparent: transparent})
		})
	}
}

// answer has a node answer each line with a name. A line "end" ends the
// connection from that side.
func (l *inline) answer(n *netlab.Node, name string, listen func(context.Context) ([]*net.TCPListener, error)) {
	var ls []*net.TCPListener
	must(l.t, n.Do(func() (err error) { ls, err = listen(context.Background()); return err }))
	var all sync.WaitGroup
	l.t.Cleanup(all.Wait) // the last to be cleaned up
	for _, ln := range ls {
		all.Go(func() {
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				l.t.Cleanup(func() { c.Close() })
				all.Go(func() {
					defer c.Close()
					for lines := bufio.NewScanner(c); lines.Scan() && lines.Text() != "end"; {
						fmt.Fprintln(c, name)
					}
				})
			}
		})
		l.t.Cleanup(func() { ln.Close() })
	}
}

// dial connects the client to the origin.
func (l *inline) dial(family, port string) net.Conn {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), 30*time.Second)
	defer cancel()
	c, err := l.client.Dial(ctx, net.JoinHostPort(inlineOrigins[family], port))
	must(l.t, err)
	l.t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(30 * time.Second))
	return c
}

// ask sends a line; what comes back says who has the connection.
func ask(c net.Conn) (who string, err error) {
	if _, err := fmt.Fprintln(c, "hello"); err != nil {
		return "", err
	}
	who, err = bufio.NewReader(c).ReadString('\n')
	return strings.TrimSpace(who), err
}

func (l *inline) isWith(c net.Conn, want string) {
	l.t.Helper()
	if who, err := ask(c); err != nil || who != want {
		l.t.Errorf("the connection to %v is with %q (%v), want the %s", c.RemoteAddr(), who, err, want)
	}
}

// replace puts the rules in place after a change to the intercepting chain.
func (l *inline) replace(change func(*chain)) {
	l.t.Helper()
	chains := wantedChains(inlineWant)
	change(&chains[0])
	must(l.t, l.gateway.Do(func() error { return replaceTable(chains) }))
}

// setup makes the rules, or has the commands for iptables make them.
func (l *inline) setup(iptables bool) {
	l.t.Helper()
	o := Options{StateDir: l.t.TempDir(), Iptables: iptables}
	if !iptables {
		must(l.t, l.gateway.Do(func() error { return Setup(inlineWant, o) }))
		return
	}
	needsIpset(l.t)
	var script strings.Builder
	must(l.t, l.gateway.Do(func() error { return Script(inlineWant, o, &script) }))
	l.gateway.Must("sh", "-ec", script.String())
}

func needsIpset(t testing.TB) {
	if _, err := exec.LookPath("ipset"); err != nil {
		t.Skip("needs ipset")
	}
}

// The commands of the README do what setup does, for IPv4 and port 80.
func TestReadmeCommands(t *testing.T) {
	t.Parallel()
	needsIpset(t)
	readme, err := os.ReadFile("../../README.md")
	must(t, err)
	_, block, _ := strings.Cut(string(readme), "By hand the core is:\n\n")
	block, _, found := strings.Cut(block, "\n\n")
	if !found {
		t.Fatal("no commands")
	}
	l := newInline(t)
	before := l.dial("IPv4", "80")
	l.isWith(before, "origin")
	l.gateway.Must("sh", "-ec", strings.ReplaceAll(block, ".eth0.", ".lan0."))
	l.intercept()
	for _, cookies := range []string{"1", "2"} {
		l.gateway.Sysctl("net.ipv4.tcp_syncookies", cookies)
		l.isWith(l.dial("IPv4", "80"), "gateway")
		l.isWith(before, "origin")
	}
}

// When interception begins, connections that go past it stay what they are, by
// TPROXY and by REDIRECT, and the next ones are taken.
func TestConnectionsUnderWayGoOn(t *testing.T) {
	for tool, iptables := range map[string]bool{"nftables": false, "iptables": true} {
		t.Run(tool, func(t *testing.T) { connectionsUnderWayGoOn(t, iptables) })
	}
}

func connectionsUnderWayGoOn(t *testing.T, iptables bool) {
	t.Parallel()
	l := newInline(t)
	type way struct{ family, port string }
	before := map[way]net.Conn{}
	for family := range inlineOrigins {
		for _, port := range []string{"80", "8080"} {
			c := l.dial(family, port)
			l.isWith(c, "origin")
			before[way{family, port}] = c
		}
	}
	l.setup(iptables)
	l.intercept()
	for w, c := range before {
		l.isWith(c, "origin")
		l.isWith(l.dial(w.family, w.port), "gateway")
		l.isWith(c, "origin")
	}
	l.gateway.Sysctl("net.ipv4.tcp_syncookies", "2") // always, for both families
	for w := range before {
		l.isWith(l.dial(w.family, w.port), "gateway")
	}
}

// A flood of SYNs makes the kernel answer with cookies: it knows nothing of a
// connection until the ACK. The rules remember, and when they cannot, they let the
// listener have everything.
func TestCookiesFindTheListener(t *testing.T) {
	t.Parallel()
	l := newInline(t)
	l.setup(false)
	l.intercept()
	l.gateway.Sysctl("net.ipv4.tcp_syncookies", "2")
	l.gateway.Must("nft", "flush", "chain", "inet", TableName, "intercept")
	stranger := l.dial("IPv4", "80")
	l.isWith(stranger, "origin")
	l.replace(func(c *chain) {
		for i := range c.sets {
			if c.sets[i].name != crowdedSet {
				c.sets[i].size = 1
			}
		}
	})
	l.isWith(stranger, "origin")
	for range 3 {
		l.isWith(l.dial("IPv4", "80"), "gateway")
	}
	if list := l.gateway.Must("nft", "list", "set", "inet", TableName, crowdedSet); !strings.Contains(list, "80 ") && !strings.Contains(list, "http ") {
		t.Errorf("a full memory was not noticed:\n%s", list)
	}
	if who, err := ask(stranger); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("with a full memory a stranger's connection is with %q (%v), want a reset", who, err)
	}
}

// Connections that are beginning are found by their socket, remembered or not.
func TestBeginningsAreFoundBySocket(t *testing.T) {
	t.Parallel()
	l := newInline(t)
	l.setup(false)
	l.intercept()
	l.replace(func(c *chain) {
		var kept []rule
		for _, r := range c.rules {
			if r.role != roleTProxy || strings.Contains(r.text, "syn") {
				kept = append(kept, r)
			}
		}
		c.rules = kept
	})
	for family := range inlineOrigins {
		l.isWith(l.dial(family, "80"), "gateway")
	}
}

// A connection that has ended at the proxy still answers a client that repeats
// its last packet; the origin never hears of it.
func TestEndingsAreFoundBySocket(t *testing.T) {
	for name, f := range map[string]family{"IPv4": ipv4, "IPv6": ipv6} {
		t.Run(name, func(t *testing.T) { endingsAreFoundBySocket(t, name, f) })
	}
}

func endingsAreFoundBySocket(t *testing.T, name string, f family) {
	t.Parallel()
	l := newInline(t)
	l.setup(false)
	l.intercept()
	l.origin.Must("nft", "add table inet seen; add chain inet seen in { type filter hook prerouting priority 0; }; add rule inet seen in tcp dport 80 counter")
	c := l.dial(name, "80")
	l.isWith(c, "gateway")
	// The memory's time being over, only the socket is left to tell.
	l.gateway.Must("nft", "flush", "set", "inet", TableName, openingSet(f))
	// The client's FIN is answered, and the answer lost until the FIN came twice.
	l.client.Must("nft", "add table inet lose; add set inet lose fins { type inet_service; flags dynamic; size 9; }; "+
		"add chain inet lose out { type filter hook output priority 0; }; "+
		"add chain inet lose in { type filter hook input priority 0; }; "+
		"add rule inet lose out tcp dport 80 tcp flags & fin == fin counter; "+
		"add rule inet lose in tcp sport 80 tcp flags & (fin | rst) == 0 limit rate over 1/hour burst 1 packets accept; "+
		"add rule inet lose in tcp sport 80 tcp flags & (fin | rst) == 0 counter drop")
	fmt.Fprintln(c, "end")
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("the gateway did not end the connection")
	}
	c.Close()
	fins := func() string { return l.client.Must("nft", "list", "chain", "inet", "lose", "out") }
	for n := 0; !strings.Contains(fins(), "packets 2"); n++ {
		if n == 500 {
			t.Fatalf("the client did not repeat its last packet:\n%s", fins())
		}
		time.Sleep(10 * time.Millisecond)
	}
	for n := 0; strings.Contains(l.client.Must("ss", "-tan", "dport", "=", ":80"), "LAST-ACK"); n++ {
		if n == 500 {
			t.Fatal("the repeated packet was not answered")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if seen := l.origin.Must("nft", "list", "chain", "inet", "seen", "in"); !strings.Contains(seen, "packets 0 ") {
		t.Errorf("the origin got packets of it:\n%s", seen)
	}
}
