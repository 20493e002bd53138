package peer

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/peer/htcp"
	"github.com/cuttle-proxy/cuttle/forward/peer/icp"
)

// Neighbours listen at 23131 and 24828: the usual ports may be taken on all addresses of
// the host.

// cacheAt is a neighbour that answers ICP queries with what, until the test ends.
func cacheAt(t testing.TB, at netip.AddrPort, answer func(c *net.UDPConn, m *icp.Message, from netip.AddrPort)) {
	c := socketAt(t, at)
	done := make(chan struct{})
	go func() {
		defer close(done)
		room := make([]byte, 64<<10)
		for {
			n, from, err := c.ReadFromUDPAddrPort(room)
			if err != nil {
				return
			}
			var m icp.Message
			if err := m.Parse(room[:n]); err != nil {
				t.Errorf("a neighbour got %x: %v", room[:n], err)
				continue
			}
			answer(c, &m, from)
		}
	}()
	t.Cleanup(func() { c.Close(); <-done })
}

func say(c *net.UDPConn, to netip.AddrPort, what icp.Opcode, number uint32) {
	b, _ := (&icp.Message{Opcode: what, Number: number, URL: []byte("http://o.test/")}).Append(nil)
	c.WriteToUDPAddrPort(b, to)
}

// Neighbours are asked over the network, all at once, and the one that has the
// object is chosen.
func TestNeighboursAreAsked(t *testing.T) {
	one, two, three := anAddress(), anAddress(), anAddress()
	f := listening(t, fmt.Sprintf("icp_query_timeout 20000\ncache_peer %s parent 1 23131\ncache_peer %s sibling 1 23131\ncache_peer %s parent 1 24828 htcp\n", one, two, three))
	cacheAt(t, netip.AddrPortFrom(one, 23131), func(c *net.UDPConn, m *icp.Message, from netip.AddrPort) {
		if m.Opcode != icp.Query || string(m.URL) != "http://o.test/" || from != f.port(23130) {
			t.Errorf("%s asked %+v", from, m)
		}
		say(c, from, icp.Miss, m.Number)
	})
	cacheAt(t, netip.AddrPortFrom(two, 23131), func(c *net.UDPConn, m *icp.Message, from netip.AddrPort) {
		time.Sleep(10 * time.Millisecond) // behind the miss
		say(c, from, icp.Hit, m.Number)
	})
	over := socketAt(t, netip.AddrPortFrom(three, 24828))
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		room := make([]byte, 64<<10)
		n, from, err := over.ReadFromUDPAddrPort(room)
		var m htcp.Message
		var s htcp.Specifier
		if err != nil || m.Parse(room[:n]) != nil || s.Parse(m.Data) != nil {
			t.Errorf("asked by HTCP: %x, %v", room[:n], err)
			return
		}
		if m.Opcode != htcp.TST || !m.F1 || string(s.URI) != "http://o.test/" || string(s.Version) != "1/0" || string(s.Fields) != "To: "+three.String()+"\r\n" || from != f.port(24827) {
			t.Errorf("%s asked %+v %q", from, m, s)
		}
	}()
	q := question(t, "GET", "http://o.test/", "")
	q.Major, q.Head = 1, toWhom{}
	hops, _ := f.rig.Select(t.Context(), q, nil)
	<-asked
	if want := fmt.Sprintf("SIBLING_HIT/%s FIRST_UP_PARENT/%s DIRECT", two, one); words(hops) != want {
		t.Errorf("%s, want %s", words(hops), want)
	}
}

// toWhom is a request with one field: the peer's name.
type toWhom struct{}

func (toWhom) AppendLines(dst []byte, to *Peer) []byte {
	return append(append(append(dst, "To: "...), to.Name...), "\r\n"...)
}

// Answers of others than those asked, with other numbers than those asked with, change
// nothing, however many there are.
func TestForgedAnswersAreNotHeard(t *testing.T) {
	one, stranger := anAddress(), anAddress()
	f := listening(t, fmt.Sprintf("icp_query_timeout 20000\ncache_peer %s parent 1 23131 closest-only\ncache_peer %s sibling 1 9\n", one, stranger))
	elsewhere := socketAt(t, netip.AddrPortFrom(stranger, 23131)) // a peer's address, not its port
	cacheAt(t, netip.AddrPortFrom(one, 23131), func(c *net.UDPConn, m *icp.Message, from netip.AddrPort) {
		say(elsewhere, from, icp.Hit, m.Number)         // the number is right, the sender is not
		say(elsewhere, from, icp.MissNoFetch, m.Number) // as 2.6 would have counted
		for range 100 {
			say(c, from, icp.Hit, rand.Uint32()) // the sender is right, the number is not
		}
		for i := range uint32(8) {
			say(c, from, icp.Hit, m.Number^(1<<(13+i))) // equal in the low 13 bits
		}
		say(c, from, icp.Hit, 0)
		say(c, from, icp.Miss, m.Number)
		say(c, from, icp.Miss, m.Number)
	})
	hops, _ := f.rig.Select(t.Context(), question(t, "GET", "http://o.test/", ""), nil)
	if want := fmt.Sprintf("FIRST_UP_PARENT/%s DIRECT", one); words(hops) != want {
		t.Errorf("%s, want %s", words(hops), want)
	}
}

// Of two neighbours at one address who comes first in the configuration has answered an ICP
// question, whoever was asked first; an HTCP answer is of whom its number was sent to.
func TestTwoNeighboursAtOneAddress(t *testing.T) {
	one := anAddress()
	f := listening(t, fmt.Sprintf("icp_query_timeout 20000\ncache_peer %s parent 1 23131 name=p\ncache_peer %s sibling 2 23131 name=s\n", one, one))
	cacheAt(t, netip.AddrPortFrom(one, 23131), func(c *net.UDPConn, m *icp.Message, from netip.AddrPort) {
		say(c, from, icp.Miss, m.Number)
	})
	for range 3 {
		hops, _ := f.rig.Select(t.Context(), question(t, "GET", "http://o.test/", ""), nil)
		if want := "FIRST_PARENT_MISS/p FIRST_UP_PARENT/p DIRECT"; words(hops) != want {
			t.Errorf("%s, want %s", words(hops), want)
		}
	}
	at := netip.AddrPortFrom(one, 24828)
	set := &Set{list: []*Peer{{Peer: &conf.Peer{HTCP: true}}, {Peer: &conf.Peer{HTCP: true}}}}
	w := &waiting{set: set, round: &round{asked: []asked{{peer: set.list[1], to: at, number: 7}, {peer: set.list[0], to: at, number: 8}}}}
	for number, want := range map[uint32]int{7: 0, 8: 1, 9: -1} {
		if got := w.find(number, speaksHTCP, at); got != want {
			t.Errorf("HTCP number %d: %d, want %d", number, got, want)
		}
	}
	if got := w.find(7, speaksICP, at); got != -1 {
		t.Errorf("an ICP answer of whom was asked by HTCP: %d", got)
	}
}

// However many rounds there are, only so many numbers are remembered.
func TestNumbersAreBounded(t *testing.T) {
	one := anAddress()
	f := listening(t, fmt.Sprintf("icp_query_timeout 1\ncache_peer %s parent 1 23131\ncache_peer %s parent 1 24828 htcp name=h\n", one, one))
	q := question(t, "GET", "http://o.test/", "")
	p := f.rig.list[0]
	for range 3 * mostLate {
		r := &round{began: time.Now(), asked: []asked{{peer: p, to: netip.AddrPortFrom(one, 23131)}, {peer: f.rig.list[1], to: netip.AddrPortFrom(one, 24828)}}}
		f.ask(t.Context(), f.rig.Set, q, r)
	}
	if n := len(f.rounds.byICP); n > mostLate {
		t.Errorf("%d numbers", n)
	}
	if n := len(f.rounds.byHTCP); n > mostLate {
		t.Errorf("%d HTCP numbers", n)
	}
	f.rounds.forgetLate()
	if icps, htcps := len(f.rounds.byICP), len(f.rounds.byHTCP); icps+htcps > 0 {
		t.Errorf("%d and %d numbers, and all were to be forgotten", icps, htcps)
	}
}
