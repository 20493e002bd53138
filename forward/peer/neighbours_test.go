package peer

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/peer/digest"
	"github.com/cuttle-proxy/cuttle/forward/peer/htcp"
	"github.com/cuttle-proxy/cuttle/forward/peer/icp"
	"go.uber.org/zap"
)

// shelf is a cache in which URLs with "hit" in them are.
type shelf struct {
	mu      sync.Mutex
	removed []string
}

func (*shelf) Find(_ http1.Method, url []byte, _ time.Duration) (htcp.Object, bool) {
	return htcp.Object{}, bytes.Contains(url, []byte("hit"))
}

func (*shelf) Len() int { return 0 }

func (*shelf) Walk(uint64, time.Time, func(digest.Key, bool) bool) uint64 { return 0 }

func (s *shelf) Remove(url []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removed = append(s.removed, string(url))
	return true
}

// anAddress is one of this host that nothing else in the tests uses.
func anAddress() netip.Addr {
	return netip.AddrFrom4([4]byte{127, byte(1 + rand.IntN(250)), byte(rand.IntN(256)), byte(1 + rand.IntN(250))})
}

// family is Neighbours on sockets of their own.
type family struct {
	*Neighbours
	rig     *rig
	at      netip.Addr
	shelf   shelf
	queries chan Query
}

func listening(t testing.TB, lines string) *family {
	t.Helper()
	f := &family{at: anAddress(), queries: make(chan Query, 1000)}
	f.rig = load(t, fmt.Sprintf("udp_incoming_address %s\nicp_port 23130\nhtcp_port 24827\n%s", f.at, lines))
	f.Neighbours = NewNeighbours(zap.NewNop())
	f.rig.env.Talk = f.Neighbours
	f.Use(f.local())
	if err := f.Listen(t.Context(), f.rig.cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func (f *family) local() *Local {
	return &Local{Config: f.rig.cfg, Lists: f.rig.lists, Peers: f.rig.Set, Methods: http1.NewMethods(nil), Cache: &f.shelf,
		Log: func(q Query) { q.URL = bytes.Clone(q.URL); f.queries <- q }}
}

func (f *family) port(number uint16) netip.AddrPort { return netip.AddrPortFrom(f.at, number) }

// socketAt opens a UDP socket that ends with the test.
func socketAt(t testing.TB, at netip.AddrPort) *net.UDPConn {
	t.Helper()
	c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

// exchange sends a packet and gives the answer, nil for none in the time.
func exchange(t testing.TB, c *net.UDPConn, to netip.AddrPort, packet []byte, wait time.Duration) []byte {
	t.Helper()
	if _, err := c.WriteToUDPAddrPort(packet, to); err != nil {
		t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(wait))
	room := make([]byte, 64<<10)
	n, _, err := c.ReadFromUDPAddrPort(room)
	if err != nil {
		return nil
	}
	return room[:n]
}

func query(url string) []byte {
	b, _ := (&icp.Message{Opcode: icp.Query, Number: 4711, URL: []byte(url)}).Append(nil)
	return b
}

// Queries are answered where they came from, and logged.
func TestQueriesAreAnswered(t *testing.T) {
	f := listening(t, "acl bad dstdomain .deny.test\nicp_access deny bad\nicp_access allow all\nhtcp_access allow all\nhtcp_clr_access allow all")
	c := socketAt(t, netip.AddrPortFrom(anAddress(), 0))
	for url, want := range map[string]string{
		"http://www.test/hit": "UDP_HIT", "http://www.test/other": "UDP_MISS", "http://x.deny.test/": "UDP_DENIED", "nonsense": "UDP_INVALID",
	} {
		var m icp.Message
		if err := m.Parse(exchange(t, c, f.port(23130), query(url), 20*time.Second)); err != nil || tags[m.Opcode] != want {
			t.Fatalf("%s: %v %v", url, m.Opcode, err)
		}
		if m.Sender != f.at.As4() || m.Number != 4711 {
			t.Errorf("sender %v, number %d", m.Sender, m.Number)
		}
		q := <-f.queries
		if q.Tag != want || string(q.URL) != url || q.Size != 21+len(url) || q.From != c.LocalAddr().(*net.UDPAddr).AddrPort() {
			t.Errorf("logged %+v", q)
		}
	}
	ask := func(op htcp.Opcode, data []byte) htcp.Message {
		spec := htcp.Specifier{Method: []byte("GET"), URI: []byte("http://www.test/hit")}
		data, _ = spec.Append(data)
		b, _ := (&htcp.Message{Minor: 1, Opcode: op, F1: true, Number: 7, Data: data}).Append(nil)
		var m htcp.Message
		if err := m.Parse(exchange(t, c, f.port(24827), b, 20*time.Second)); err != nil || m.Number != 7 {
			t.Fatalf("%v: %+v %v", op, m, err)
		}
		return m
	}
	if m := ask(htcp.TST, nil); m.Response != htcp.Present {
		t.Errorf("TST: %+v", m)
	}
	m := ask(htcp.CLR, []byte{0, 0})
	f.shelf.mu.Lock()
	if m.Response != htcp.Removed || strings.Join(f.shelf.removed, " ") != "http://www.test/hit" {
		t.Errorf("CLR: %+v, removed %q", m, f.shelf.removed)
	}
	f.shelf.mu.Unlock()
	// What is no message, or an answer nobody waits for, is followed by silence.
	hit, _ := (&icp.Message{Opcode: icp.Hit, Number: 4711, URL: []byte("http://www.test/hit")}).Append(nil)
	for _, junk := range [][]byte{nil, []byte("x"), hit, query("http://www.test/")[:30], bytes.Repeat([]byte{1}, 20000)} {
		if b := exchange(t, c, f.port(23130), junk, 20*time.Millisecond); b != nil {
			t.Errorf("%d octets were answered by %x", len(junk), b)
		}
	}
}

// A reconfigure keeps sockets that stay, and closes and opens others; a port that
// cannot be had changes nothing.
func TestListenAnew(t *testing.T) {
	f := listening(t, "icp_access allow all")
	before := f.sockets
	c := socketAt(t, netip.AddrPortFrom(anAddress(), 0))
	f.rig.cfg.HTCPPort = 0
	if err := f.Listen(t.Context(), f.rig.cfg); err != nil || len(f.sockets) != 1 || f.sockets[0] != before[0] {
		t.Fatalf("%v, %d sockets", err, len(f.sockets))
	}
	f.rig.cfg.UDPOutgoingAddress = anAddress()
	if err := f.Listen(t.Context(), f.rig.cfg); err != nil || len(f.sockets) != 2 {
		t.Fatalf("%v, %d sockets", err, len(f.sockets))
	}
	f.Use(f.local())
	for _, at := range []netip.Addr{f.at, f.rig.cfg.UDPOutgoingAddress} {
		var m icp.Message
		if err := m.Parse(exchange(t, c, netip.AddrPortFrom(at, 23130), query("http://www.test/hit"), 20*time.Second)); err != nil {
			t.Fatalf("at %s: %v", at, err)
		}
		if m.Sender != f.rig.cfg.UDPOutgoingAddress.As4() {
			t.Errorf("at %s: sender %v", at, m.Sender)
		}
	}
	bad := *f.rig.cfg
	bad.UDPIncomingAddress = netip.MustParseAddr("192.0.2.1") // not of this host
	if err := f.Listen(t.Context(), &bad); err == nil || !strings.Contains(err.Error(), "icp_port 23130") {
		t.Errorf("an address of somebody else: %v", err)
	}
	if b := exchange(t, c, f.port(23130), query("http://www.test/hit"), 20*time.Second); b == nil {
		t.Error("the old sockets are gone")
	}
	if err := f.Listen(t.Context(), func() *conf.Config { c := *f.rig.cfg; c.MulticastGroups = []string{"10.1.1.1"}; return &c }()); err == nil || !strings.Contains(err.Error(), "mcast_groups 10.1.1.1") {
		t.Errorf("a group that is none: %v", err)
	}
}
