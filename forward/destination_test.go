package forward

import (
	"bufio"
	"context"
	"fmt"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/dns"
)

// transparent makes the ports of a configuration intercept.
func transparent(c *conf.Config) {
	for _, p := range c.HTTPPorts {
		p.Transparent = true
	}
}

// statusOf asks for /x as the client of an intercepted connection and gives the
// status of the answer.
func statusOf(t *testing.T, r *rig, host string) string {
	t.Helper()
	conn := r.dial()
	defer conn.Close()
	fmt.Fprintf(conn, "GET /x HTTP/1.0\r\nHost: %s\r\n\r\n", host)
	head, err := readHead(bufio.NewReader(conn))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(head)[1]
}

// Rules about destinations judge where an intercepted request goes, 127.0.0.1, and
// not where its Host would lead: elsewhere.test is 127.0.0.2. Rules about names know
// nothing of a name that does not belong there: what lets in does not, what keeps out
// does, negated or not.
func TestRulesJudgeTheDestinationUsed(t *testing.T) {
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
	dst := netip.MustParseAddrPort(origin)
	own, forged, absent := fmt.Sprintf("origin.test:%d", dst.Port()), fmt.Sprintf("elsewhere.test:%d", dst.Port()), "absent.test"
	for _, c := range []struct{ rules, own, forged, absent string }{
		{"acl x dst 127.0.0.1\nhttp_access deny x\nhttp_access allow all", "403", "403", "403"},
		{"acl x dst 127.0.0.2\nhttp_access deny x\nhttp_access allow all", "200", "200", "200"},
		{"acl x dst 127.0.0.2\nhttp_access allow x\nhttp_access deny all", "403", "403", "403"},
		{"acl x dst 127.0.0.1\nhttp_access allow x\nhttp_access deny all", "200", "200", "200"},
		{"acl x dst 127.0.0.2\nclient_dst_passthru off\nhttp_access allow x\nhttp_access deny all", "403", "403", "403"},

		{"acl x dstdomain .test\nhttp_access allow x\nhttp_access deny all", "200", "403", "403"},
		{"acl x dstdomain .example\nhttp_access allow !x\nhttp_access deny all", "200", "403", "403"},
		{"acl x dstdomain .example\nhttp_access deny x\nhttp_access allow all", "200", "403", "403"},
		{"acl x dstdomain .test\nhttp_access deny !x\nhttp_access allow all", "200", "403", "403"},
		{"acl x dstdom_regex test$\nhttp_access allow x\nhttp_access deny all", "200", "403", "403"},
		{"acl x dstdom_regex example$\nhttp_access deny x\nhttp_access allow all", "200", "403", "403"},
		{"acl x url_regex ^http://[a-z]*\\.test\nhttp_access allow x\nhttp_access deny all", "200", "403", "403"},
		{"acl x url_regex ^http://[a-z]*\\.test\nhttp_access deny !x\nhttp_access allow all", "200", "403", "403"},
		{"acl x url_regex \\.exe$\nhttp_access deny x\nhttp_access allow all", "200", "200", "200"},
		{"acl x urlpath_regex ^/x\nhttp_access allow x\nhttp_access deny all", "200", "200", "200"},

		// As 2.6: the proxy connects to what the name resolves to, and judges that.
		{"host_verify off\nacl x dst 127.0.0.1\nhttp_access allow x\nhttp_access deny all", "200", "403", "403"},
		{"host_verify off\nacl x dstdomain origin.test\nhttp_access allow x\nhttp_access deny all", "200", "403", "403"},
	} {
		r := start(t, loopback{dst: dst}, file(t, c.rules), transparent)
		for host, want := range map[string]string{own: c.own, forged: c.forged, absent: c.absent} {
			if got := statusOf(t, r, host); got != want {
				t.Errorf("%q, Host %s: %s, want %s", c.rules, host, got, want)
			}
		}
		if _, _, denied := r.srv.Verification(); !strings.Contains(c.rules, "host_verify off") {
			want := uint64(0)
			for _, status := range []string{c.forged, c.absent} {
				if status == "403" {
					want++
				}
			}
			if denied != want {
				t.Errorf("%q: %d denials of unverified names counted, want %d", c.rules, denied, want)
			}
		}
	}
}

// The port that is judged and logged is the port that is connected to, whatever Host
// says of it.
func TestRulesJudgeThePortUsed(t *testing.T) {
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
	dst := netip.MustParseAddrPort(origin)
	for rules, want := range map[string]string{
		"acl Safe port 80 8080\nhttp_access deny !Safe\nhttp_access allow all":              "403",
		fmt.Sprintf("acl x port %d\nhttp_access allow x\nhttp_access deny all", dst.Port()): "200",
	} {
		r := start(t, loopback{dst: dst}, file(t, rules), transparent)
		for i, host := range []string{"origin.test", "origin.test:80", "origin.test:8080", fmt.Sprintf("origin.test:%d", dst.Port())} {
			if got := statusOf(t, r, host); got != want {
				t.Errorf("%q, Host %s: %s, want %s", rules, host, got, want)
			}
			if line := r.log(i + 1)[i]; !strings.Contains(line, fmt.Sprintf(" http://origin.test:%d/x ", dst.Port())) {
				t.Errorf("Host %s is logged as %q", host, line)
			}
		}
	}
}

// What is not known to belong to where the client dialled goes to no peer, which would
// connect to the name; never_direct wants it there all the same.
func TestUnverifiedNamesGoToNoPeer(t *testing.T) {
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
	parent := answering(t, "HTTP/1.0 202 Accepted\r\nContent-Length: 2\r\n\r\nok")
	dst := netip.MustParseAddrPort(origin)
	peer := fmt.Sprintf("cache_peer 127.0.0.1 parent %d 0 no-query default\n", netip.MustParseAddrPort(parent).Port())
	for _, c := range []struct{ lines, own, forged string }{
		{peer, "202", "200"},
		{peer + "never_direct allow all", "202", "202"},
		{peer + "prefer_direct on", "200", "200"},
		{peer + "host_verify off", "202", "202"},
	} {
		r := start(t, loopback{dst: dst}, file(t, c.lines), transparent)
		for host, want := range map[string]string{"origin.test": c.own, "elsewhere.test": c.forged} {
			if got := statusOf(t, r, fmt.Sprintf("%s:%d", host, dst.Port())); got != want {
				t.Errorf("%q, Host %s: %s, want %s", c.lines, host, got, want)
			}
		}
	}
}

// Of the addresses of a name those that http_access would refuse are not connected to,
// nor those of this host that no URL may name.
func TestRefusedAddressesAreNotDialled(t *testing.T) {
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
	port := netip.MustParseAddrPort(origin).Port()
	for _, c := range []struct{ rules, host, want, dialled string }{
		{"acl x dst 127.0.0.1\nhttp_access allow x\nhttp_access deny all", "many.test", "200", "127.0.0.1"},
		{"acl x dst 127.0.0.2\nhttp_access allow x\nhttp_access deny all", "many.test", "503", "127.0.0.2"},
		{"acl x dst 127.0.0.2\nhttp_access deny x\nhttp_access allow all", "many.test", "403", ""},
		{"acl x dst 127.0.0.0/8\nhttp_access deny x\nhttp_access allow all", "loop6.test", "403", ""},
		{"", "loop6.test", "503", ""},
	} {
		network := &noting{}
		r := start(t, network, file(t, c.rules), func(cfg *conf.Config) { cfg.MaximumSingleAddrTries = 1 })
		got := r.exchange(fmt.Sprintf("GET http://%s:%d/x HTTP/1.0\r\n\r\n", c.host, port))
		if status := strings.Fields(got)[1]; status != c.want {
			t.Errorf("%q, %s: %s, want %s", c.rules, c.host, status, c.want)
		}
		for _, addr := range network.to.Load().([]string) {
			if host, _, _ := net.SplitHostPort(addr); host != c.dialled {
				t.Errorf("%q, %s: %s was dialled", c.rules, c.host, addr)
			}
		}
	}
}

// noting is a Network that remembers where connections went.
type noting struct {
	loopback
	to atomic.Value
}

func (n *noting) Listen(ctx context.Context, port *conf.HTTPPort) ([]*net.TCPListener, error) {
	n.to.Store([]string(nil))
	return n.loopback.Listen(ctx, port)
}

func (n *noting) Dial(ctx context.Context, d Dialing) (sock.Socket, error) {
	n.to.Store(append(n.to.Load().([]string), d.To.String()))
	return n.loopback.Dial(ctx, d)
}

// turning is DNS that gives another address each time it is asked.
type turning struct {
	names
	asked atomic.Int32
}

func (n *turning) Addrs(context.Context, string) (dns.Answer, error) {
	return dns.NewAnswer(netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + n.asked.Add(1)%2)})), nil
}

func (n *turning) Look(ctx context.Context, host string) (dns.Answer, error) {
	return n.Addrs(ctx, host)
}

// A name that leads elsewhere by the time of the connection, as after a slow body, is
// judged by where it leads then.
func TestNameThatTurnsIsJudgedByWhereItLeads(t *testing.T) {
	network := &noting{}
	r := startWith(t, network, &turning{}, file(t, "acl x dst 127.0.0.1\nhttp_access deny x\nhttp_access allow all"))
	for range 4 {
		got := r.exchange("GET http://turns.test:1/x HTTP/1.0\r\n\r\n")
		if status := strings.Fields(got)[1]; status != "403" && status != "503" {
			t.Errorf("%s", status)
		}
	}
	for _, addr := range network.to.Load().([]string) {
		if strings.HasPrefix(addr, "127.0.0.1:") {
			t.Errorf("%s was dialled", addr)
		}
	}
}
