package main

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/cmd/squid/intercept"
)

// network asks the running copy -k network --json.
func (s *street) network() (n intercept.Counts) {
	s.t.Helper()
	out, err := s.order("network", "--json")
	if err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	if err := json.Unmarshal([]byte(out), &n); err != nil {
		s.t.Fatalf("%v\n%s", err, out)
	}
	return n
}

// reconfigure gives the running copy other lines.
func (s *street) reconfigure(lines string) {
	s.t.Helper()
	ready := strings.Count(s.read("log/cache.log"), "Ready to serve requests.")
	s.configure(lines)
	s.squid.Cmd.Process.Signal(syscall.SIGHUP)
	s.until("it is reconfigured", func() bool {
		return strings.Count(s.read("log/cache.log"), "Ready to serve requests.") > ready
	})
}

// A reconfigure that names the first router makes the process receive GRE although
// it gave root up long ago; only routers of the configuration may send any, and
// who else does is named in the log and in -k network.
func TestGREFromRoutersOfAReconfigureAlone(t *testing.T) {
	const ports = "http_port 3129 transparent tproxy\n"
	s := newStreet(t)
	s.configure(ports)
	s.start("3129")
	if n := s.network(); n.GRE != nil {
		t.Errorf("GRE is received: %+v", n.GRE)
	}
	s.reconfigure(ports + "wccp2_router 10.2.0.9\n")
	var wire *net.IPConn
	err := s.origin.Do(func() (err error) {
		wire, err = net.ListenIP("ip4:47", &net.IPAddr{IP: net.IPv4zero})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer wire.Close()
	// A segment to the web from one address of nobody's to another.
	inner := append([]byte{0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 1, 0, 9, 0, 80}, make([]byte, 16)...)
	send := func() {
		packet := append([]byte{0, 0, 0x88, 0x3e, 0, 0, 0, 0}, inner...)
		if _, err := wire.WriteToIP(packet, &net.IPAddr{IP: net.ParseIP(streetOutside4)}); err != nil {
			t.Fatal(err)
		}
	}
	send()
	s.until("the stranger is counted", func() bool {
		n := s.network()
		return n.GRE != nil && n.GRE.Stranger == 1 && n.GRE.Delivered == 0 && n.Stranger == streetOrigin4
	})
	s.until("the stranger is named", func() bool {
		return strings.Contains(s.read("log/cache.log"), "1 GRE packets dropped, the last from "+streetOrigin4+", which is no router of ours")
	})
	s.reconfigure(ports + "wccp2_router 10.2.0.9\nwccp2_router " + streetOrigin4 + "\n")
	s.until("the new router is heard", func() bool {
		send()
		n := s.network()
		return n.GRE.Delivered > 0
	})
	// What is for this host itself, or of no service, is not unwrapped.
	copy(inner[16:], net.ParseIP(streetGateway4).To4())
	send()
	copy(inner[16:], []byte{198, 51, 100, 1, 0, 9, 0, 22})
	send()
	s.until("both are refused", func() bool { n := s.network(); return n.GRE.Here > 0 && n.GRE.Other > 0 })
	// Nor is what is wrapped twice.
	before := s.network().GRE
	copy(inner[16:], []byte{198, 51, 100, 1, 0, 9, 0, 80})
	inner[9] = 47
	send()
	s.until("nested GRE is refused", func() bool {
		n := s.network()
		return n.GRE.Other > before.Other && n.GRE.Delivered == before.Delivered
	})
	out, err := s.order("network")
	if err != nil || !strings.Contains(out, "GRE last stranger: "+streetOrigin4) || !strings.Contains(out, "connections: 0 asked for") {
		t.Errorf("%v\n%s", err, out)
	}
	s.reconfigure(ports)
	if n := s.network(); n.GRE != nil {
		t.Errorf("GRE is still received: %+v", n.GRE)
	}
	if t.Failed() {
		t.Log(s.read("log/cache.log"))
	}
}

// The client's own port reaches the origin where it is asked for, for one
// intercepted connection after the other from that port.
func TestClientPortIsKept(t *testing.T) {
	s := newStreet(t)
	s.configure("http_port 3129 transparent tproxy\ntproxy_client_port on\nserver_persistent_connections off\n")
	if out, err := s.order("setup"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.start("3129")
	for i := range 6 {
		origin := net.JoinHostPort([]string{streetOrigin4, streetOrigin6}[i%2], "80")
		c, err := s.client.Dial(t.Context(), origin)
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(20 * time.Second))
		fmt.Fprintf(c, "GET /whole HTTP/1.0\r\nHost: %s\r\n\r\n", origin)
		got := readAll(c)
		if want := c.LocalAddr().String(); !strings.HasSuffix(got, "\r\n\r\n"+want) {
			t.Errorf("the origin did not see %s: %q", want, got)
		}
		c.Close()
	}
	if n := s.network(); n.Dial.Dials != 6 {
		t.Errorf("%+v", n.Dial)
	}
}

// Questions to name servers carry our mark, as connections do: no rule takes them.
func TestLookupsAreMarked(t *testing.T) {
	s := newStreet(t)
	s.gateway.Must("nft", "add table inet seen; add chain inet seen c { type filter hook output priority 0; }")
	for _, family := range []string{"ipv4", "ipv6"} {
		for _, mark := range []string{"& 2 == 2", "0"} {
			s.gateway.Must("nft", "add rule inet seen c meta nfproto "+family+" udp dport 53 meta mark "+mark+" counter")
		}
	}
	s.configure("http_port 3129 transparent tproxy\ndns_timeout 3 seconds\ndns_retransmit_interval 1 second\ndns_nameservers ::1\n") // beside 127.0.0.1
	s.start("3129")
	if status, _, err := s.ask(streetGateway4+":3129", absoluteForm("unknown.example")); status < 500 || err != nil {
		t.Errorf("%d, %v", status, err)
	}
	rules := s.gateway.Must("nft", "list", "table", "inet", "seen")
	for line := range strings.Lines(rules) {
		if strings.Contains(line, "dport 53") && strings.Contains(line, "packets 0 ") == strings.Contains(line, "0x00000002") {
			t.Errorf("lookups:\n%s", rules)
		}
	}
}

// Out of descriptors: said once, WCCP withheld, what is there goes on, and new
// connections are served again as soon as there are descriptors.
func TestOutOfDescriptors(t *testing.T) {
	s := newStreet(t)
	s.configure("http_port 3129 transparent tproxy\nmax_filedescriptors 64\nwccp2_router 10.2.0.9\n")
	s.start("3129")
	fetch := visit{"a client", streetGateway4 + ":3129", absoluteForm("four.example"), streetOutside4}
	s.visits([]visit{fetch})
	began := time.Now()
	kept, err := s.client.Dial(t.Context(), fetch.to)
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	var crowd []net.Conn
	for range 100 {
		c, err := s.client.Dial(t.Context(), fetch.to)
		if err != nil {
			t.Fatal(err)
		}
		crowd = append(crowd, c)
	}
	const warning = "WARNING! Your cache is running out of filedescriptors"
	s.until("it runs out", func() bool { return strings.Contains(s.read("log/cache.log"), warning) })
	kept.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprint(kept, "GET http://four.example/squid-internal-static/icons/none HTTP/1.0\r\n\r\n")
	// Who has said nothing for three seconds may be let go.
	if got := readAll(kept); !strings.HasPrefix(got, "HTTP/1.0 ") && time.Since(began) < 3*time.Second {
		t.Errorf("a connection from before got %q", got)
	}
	for _, c := range crowd {
		c.Close()
	}
	s.visits([]visit{fetch})
	if out, err := s.order("wccp"); err != nil || !strings.Contains(out, "nothing is announced: "+"the process is out of descriptors or memory") {
		t.Errorf("%v\n%s", err, out)
	}
	if n := s.network().Overload; !n.Now || n.Times != 1 || n.Shortages == 0 {
		t.Errorf("%+v", n)
	}
	s.until("it is well again", func() bool { return strings.Contains(s.read("log/cache.log"), "announcing to routers again") })
	if n := strings.Count(s.read("log/cache.log"), warning); n != 1 {
		t.Errorf("logged %d times", n)
	}
}

func readAll(c net.Conn) string {
	var b strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			return b.String()
		}
	}
}
