package pinger

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
)

func TestHops(t *testing.T) {
	for ttl, want := range map[int]int{64: 1, 60: 5, 33: 32, 32: 1, 30: 3, 128: 1, 118: 11, 255: 1, 250: 6, 300: 1} {
		if got := Hops(ttl); got != want {
			t.Errorf("%d left: %d hops, want %d", ttl, got, want)
		}
	}
}

// reply is what a host says to an echo.
func reply(t testing.TB, m icmp.Message) []byte {
	t.Helper()
	m.Type = ipv4.ICMPTypeEchoReply
	b, err := m.Marshal(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var (
	here  = netip.MustParseAddr("192.0.2.1")
	there = netip.MustParseAddr("192.0.2.2")
	begin = time.Unix(1e9, 0)
)

// Only the host asked is heard, once, with the number and the secret of the echo, and
// not for ever.
func TestMatch(t *testing.T) {
	var p Pinger
	good := reply(t, p.await(there, begin))
	if _, _, ok := p.match(good, here, begin); ok {
		t.Error("another host was heard")
	}
	for at := range good {
		if at == 2 || at == 3 || at == 4 || at == 5 {
			continue // the checksum is the kernel's, the identifier too
		}
		bad := append([]byte(nil), good...)
		bad[at] ^= 1
		if _, _, ok := p.match(bad, there, begin); ok {
			t.Errorf("octet %d counts for nothing", at)
		}
	}
	from, rtt, ok := p.match(good, there, begin.Add(30*time.Millisecond))
	if !ok || from != there || rtt != 30*time.Millisecond {
		t.Errorf("%v %v %v", from, rtt, ok)
	}
	if _, _, ok := p.match(good, there, begin.Add(40*time.Millisecond)); ok {
		t.Error("a doubled reply was heard")
	}
	late := reply(t, p.await(there, begin))
	if _, _, ok := p.match(late, there, begin.Add(2*longest)); ok {
		t.Error("a reply of two minutes was believed")
	}
	old := reply(t, p.await(there, begin))
	for range mostEchoes {
		p.await(here, begin)
	}
	if _, _, ok := p.match(old, there, begin); ok {
		t.Error("more are awaited than there is room for")
	}
}

// The own host is measured, where the kernel gives a socket.
func TestOwnHost(t *testing.T) {
	p, err := Open()
	if err != nil {
		t.Skip(err)
	}
	type one struct {
		from netip.Addr
		rtt  time.Duration
		hops int
	}
	heard := make(chan one, 1)
	over := make(chan struct{})
	go func() {
		defer close(over)
		p.Receive(func(from netip.Addr, rtt time.Duration, hops int) { heard <- one{from, rtt, hops} })
	}()
	to := netip.MustParseAddr("127.0.0.1")
	p.Send(netip.MustParseAddr("::1")) // is not measured
	p.Send(to)
	select {
	case got := <-heard:
		if got.from != to || got.rtt <= 0 || got.hops != 1 {
			t.Errorf("%+v", got)
		}
	case <-time.After(20 * time.Second):
		t.Error("no reply")
	}
	p.Close()
	<-over
}

// Nothing that comes from the network counts but the reply.
func FuzzMatch(f *testing.F) {
	var seed Pinger
	good := reply(f, seed.await(there, begin))
	f.Add(good)
	f.Add(good[:8])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var p Pinger
		p.await(there, begin)
		if _, _, ok := p.match(b, there, begin); ok {
			t.Fatalf("%x", b) // 128 random bits were found
		}
	})
}
