package dns

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Questions leave from udp_outgoing_address by UDP and by TCP, and from any address
// to a server of the other family.
func TestQuestionsLeaveFromTheLocalAddress(t *testing.T) {
	local := netip.MustParseAddr("127.0.0.2")
	var networks []string
	from := make(chan string, 1)
	server := truncating(t, func(id uint16) []byte {
		return message{id: id, name: "www.test", class: dnsmessage.TypeA, truncated: true}.pack(t)
	}, func(c *net.TCPConn, id uint16) {
		from <- c.RemoteAddr().(*net.TCPAddr).IP.String()
		c.Write(framed(message{id: id, name: "www.test", class: dnsmessage.TypeA}.pack(t)))
	})
	mark := func(network, _ string, _ syscall.RawConn) error { networks = append(networks, network); return nil }
	w := newWire(&Options{Local: local, Control: mark})
	if _, err := w.exchange(t.Context(), server, question{"www.test", dnsmessage.TypeA}); err != nil {
		t.Fatal(err)
	}
	if got := <-from; got != local.String() {
		t.Errorf("TCP from %s", got)
	}
	if got := strings.Join(networks, " "); got != "udp4 tcp4" {
		t.Errorf("marked %q: every socket is ours", got)
	}
	conn, err := w.dial(t.Context(), "udp", server)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := conn.LocalAddr().(*net.UDPAddr).IP.String(); got != local.String() {
		t.Errorf("UDP from %s", got)
	}
	other := newWire(&Options{Local: netip.MustParseAddr("2001:db8::1")})
	if conn, err := other.dial(t.Context(), "udp", server); err != nil {
		t.Errorf("a local address of the other family: %v", err)
	} else {
		conn.Close()
	}
}

// A socket that cannot be marked sends nothing.
func TestUnmarkedSocketsAskNothing(t *testing.T) {
	refuse := errors.New("no mark")
	w := newWire(&Options{Control: func(string, string, syscall.RawConn) error { return refuse }})
	s := serve(t, func(bool, dnsmessage.Question, uint16) [][]byte { t.Error("asked"); return nil })
	if _, err := w.exchange(t.Context(), s.addr, question{"www.test", dnsmessage.TypeA}); !errors.Is(err, refuse) {
		t.Error(err)
	}
}

// udp_outgoing_address counts unless it is 255.255.255.255, then
// udp_incoming_address does; any address is none.
func TestOutgoing(t *testing.T) {
	for _, c := range [][3]string{
		{"255.255.255.255", "0.0.0.0", ""}, {"255.255.255.255", "192.0.2.1", "192.0.2.1"}, {"192.0.2.2", "192.0.2.1", "192.0.2.2"},
		{"0.0.0.0", "192.0.2.1", ""}, {"", "192.0.2.1", "192.0.2.1"}, {"", "", ""},
	} {
		cfg := &conf.Config{}
		cfg.UDPOutgoingAddress, _ = netip.ParseAddr(c[0])
		cfg.UDPIncomingAddress, _ = netip.ParseAddr(c[1])
		want, _ := netip.ParseAddr(c[2])
		if got := outgoing(cfg); got != want {
			t.Errorf("%q, %q: %v, want %v", c[0], c[1], got, want)
		}
	}
}

// Servers that are no addresses are told of and passed over; a resolv.conf that is
// missing is told of and leaves everything as it was.
func TestServersThatAreNone(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	o := Options{Dots: 1}
	o.readResolvConf(t.TempDir()+"/absent", true, zap.New(core))
	o.addServer("name.test", zap.New(core))
	o.addServer("192.0.2.1:53", zap.New(core))
	o.addServer("", zap.New(core))
	o.addServer("0.0.0.0", zap.New(core))
	o.addServer("::ffff:192.0.2.1", zap.New(core))
	if len(o.Servers) != 2 || o.Servers[0].String() != "127.0.0.1:53" || o.Servers[1].String() != "192.0.2.1:53" || o.Search != nil || o.Dots != 1 {
		t.Errorf("%+v", o)
	}
	if n := logs.FilterMessageSnippet("rejecting").Len(); n != 3 || logs.Len() != 4 {
		t.Errorf("%d rejected in %d lines", n, logs.Len())
	}
}

// Each reason has words of its own, and says whether asking again is worth it.
func TestKinds(t *testing.T) {
	seen := map[string]Kind{}
	for k := NotFound; k <= Overloaded+1; k++ {
		words := k.String()
		if before, twice := seen[words]; twice || words == "" {
			t.Errorf("%d and %d are both %q", k, before, words)
		}
		seen[words] = k
		e := &Error{"a.test", k, "why"}
		if want := "looking up a.test: " + words + " (why)"; e.Error() != want {
			t.Errorf("%q, want %q", e.Error(), want)
		}
		if lasting := k <= BadName; e.Lasting() != lasting {
			t.Errorf("%s: lasting %v", words, !lasting)
		}
	}
	if got := Overloaded.String(); got == (Overloaded+1).String() || (Overloaded+1).String() != "unknown reason" {
		t.Errorf("the last kind is %q", got)
	}
}
