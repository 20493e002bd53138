package tproxy

import (
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// street is the smallest network with interception: a client, a gateway that
// diverts, an origin. Both families.
type street struct {
	client, gateway, origin *netlab.Node
}

const (
	clientV4, clientV6 = "10.1.0.2", "fd01::2"
	originV4, originV6 = "10.2.0.2", "fd02::2"
	insideV4, insideV6 = "10.1.0.1", "fd01::1" // the gateway, seen by the client
)

func newStreet(t testing.TB) street {
	lab := netlab.ForTest(t)
	s := street{lab.Node("client"), lab.Node("gateway"), lab.Node("origin")}
	lab.Link(netlab.End{Node: s.client, Name: "eth0", Addrs: []string{clientV4 + "/24", clientV6 + "/64"}},
		netlab.End{Node: s.gateway, Name: "lan0", Addrs: []string{insideV4 + "/24", insideV6 + "/64"}})
	lab.Link(netlab.End{Node: s.origin, Name: "eth0", Addrs: []string{originV4 + "/24", originV6 + "/64"}},
		netlab.End{Node: s.gateway, Name: "wan0", Addrs: []string{"10.2.0.1/24", "fd02::1/64"}})
	s.gateway.Sysctl("net.ipv4.ip_forward", "1")
	s.gateway.Sysctl("net.ipv6.conf.all.forwarding", "1")
	for _, side := range []*netlab.Node{s.client, s.origin} {
		by := map[*netlab.Node][]string{s.client: {insideV4, insideV6}, s.origin: {"10.2.0.1", "fd02::1"}}[side]
		side.Route("default", by[0])
		side.Route("default", by[1])
	}
	return s
}

// divert installs the rules and routes of facts 3 to 5 by hand, as the tests of
// the sockets must not depend on what sets a host up.
func (s street) divert(port string) {
	s.gateway.Must("nft", `add table inet t; add chain inet t c { type filter hook prerouting priority mangle; };
		add rule inet t c meta l4proto tcp socket transparent 1 meta mark set 1 accept;
		add rule inet t c tcp dport 80 meta mark set 1 tproxy to :`+port+` accept`)
	for _, family := range []string{"-4", "-6"} {
		s.gateway.Must("ip", family, "rule", "add", "fwmark", "1", "lookup", "100")
		s.gateway.Must("ip", family, "route", "add", "local", "default", "dev", "lo", "table", "100")
	}
}

// echoPeer serves "who are you" on a node: each connection is told its own address.
func echoPeer(t testing.TB, n *netlab.Node, address string) net.Listener {
	l, err := n.Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				io.WriteString(c, c.RemoteAddr().String())
				c.Close()
			}()
		}
	}()
	return l
}

// within runs f in the node's namespace and returns what it made.
func within[T any](t testing.TB, n *netlab.Node, f func() (T, error)) T {
	t.Helper()
	var made T
	if err := n.Do(func() (err error) { made, err = f(); return err }); err != nil {
		t.Fatal(err)
	}
	return made
}

// ownOf follows the addresses of a node.
func ownOf(t testing.TB, n *netlab.Node) *Own {
	own := within(t, n, WatchOwn)
	t.Cleanup(own.Close)
	return own
}

func addrPort(a net.Addr) netip.AddrPort { return a.(*net.TCPAddr).AddrPort() }

// waitUntil waits for something another process or the kernel does on its own;
// the bound is there only so that a failure ends.
func waitUntil(t testing.TB, what string, done func() bool) {
	t.Helper()
	for range 2000 {
		if done() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("waited in vain until %s", what)
}
