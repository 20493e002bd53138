package tproxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// alley is a street whose gateway spoofs the client, and only that.
func alley(t *testing.T) street {
	s := newStreet(t)
	echoPeer(t, s.origin, ":80")
	s.divert("3129")
	return s
}

// asTCP is a dialled connection with all that package net can do with one.
func asTCP(f *os.File, err error) (*net.TCPConn, error) {
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	return c.(*net.TCPConn), nil
}

func (s street) dialer(t testing.TB) *Dialer {
	own := ownOf(t, s.gateway)
	return within(t, s.gateway, func() (*Dialer, error) {
		return NewDialer(SocketOptions{Mark: OwnMark}, own), nil
	})
}

// dial connects from the gateway and tells whom the origin saw.
func (s street) dial(t testing.TB, d *Dialer, target Target) (seen netip.AddrPort, c *net.TCPConn, err error) {
	t.Helper()
	s.gateway.Do(func() error {
		c, err = asTCP(d.Dial(context.Background(), target))
		return nil
	})
	if err != nil {
		return seen, nil, err
	}
	t.Cleanup(func() { c.Close() })
	text, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return netip.MustParseAddrPort(string(text)), c, nil
}

func TestDialAsTheClient(t *testing.T) {
	s := alley(t)
	d := s.dialer(t)
	for _, pair := range [][2]string{{originV4, clientV4}, {originV6, clientV6}} {
		to, from := netip.MustParseAddr(pair[0]), netip.MustParseAddr(pair[1])
		target := Target{To: netip.AddrPortFrom(to, 80), From: netip.AddrPortFrom(from, 0), Spoof: true}
		seen, _, err := s.dial(t, d, target)
		if err != nil || seen.Addr() != from {
			t.Errorf("as %v: origin saw %v, %v", from, seen, err)
		}
		target.From = netip.AddrPortFrom(from, 12345)
		seen, _, err = s.dial(t, d, target)
		if err != nil || seen != target.From {
			t.Errorf("as %v: origin saw %v, %v", target.From, seen, err)
		}
	}
	if n := d.Counts(); n != (DialCounts{Dials: 4}) {
		t.Errorf("counts %+v", n)
	}
}

func TestDialOptionsReachTheSocket(t *testing.T) {
	s := alley(t)
	d := s.dialer(t)
	d.SocketOptions = SocketOptions{Mark: 0x6, NoPMTUDisc: true, MSS: 1200}
	for _, to := range []string{originV4, originV6} {
		_, c, err := s.dial(t, d, Target{To: netip.AddrPortFrom(netip.MustParseAddr(to), 80), TOS: 0x20})
		if err != nil {
			t.Fatal(err)
		}
		level, tos, pmtu, dont := unix.SOL_IP, unix.IP_TOS, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT
		if to == originV6 {
			level, tos, pmtu, dont = unix.SOL_IPV6, unix.IPV6_TCLASS, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_DONT
		}
		expectOption(t, c, "mark", unix.SOL_SOCKET, unix.SO_MARK, 0x6)
		expectOption(t, c, "tos", level, tos, 0x20)
		expectOption(t, c, "pmtu", level, pmtu, dont)
		expectOption(t, c, "nodelay", unix.SOL_TCP, unix.TCP_NODELAY, 1)
		if mss := option(t, c, unix.SOL_TCP, unix.TCP_MAXSEG); mss > 1200 {
			t.Errorf("to %s: mss %d, want at most 1200", to, mss)
		}
	}
}

func option(t *testing.T, c syscall.Conn, level, name int) (value int) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err == nil {
		err = control(raw, func(fd uintptr) (err error) {
			value, err = unix.GetsockoptInt(int(fd), level, name)
			return err
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func expectOption(t *testing.T, c syscall.Conn, what string, level, name, want int) {
	t.Helper()
	if got := option(t, c, level, name); got != want {
		t.Errorf("%s is %d, want %d", what, got, want)
	}
}

// Ports are chosen per destination, so a narrow range serves many of them; when
// it is used up for one, ports outside of it are tried and counted.
func TestDialWhenPortsRunOut(t *testing.T) {
	s := alley(t)
	s.gateway.Sysctl("net.ipv4.ip_local_port_range", "40000 40004") // IPv6's too
	for _, way := range [][2]string{{clientV4 + ":0", originV4 + ":80"}, {"[" + clientV6 + "]:0", "[" + originV6 + "]:80"}} {
		s.runOut(t, netip.MustParseAddrPort(way[0]), netip.MustParseAddrPort(way[1]))
	}
}

// runOut opens more connections from one address to another than the range has ports.
func (s street) runOut(t *testing.T, from, to netip.AddrPort) {
	d := s.dialer(t)
	d.ports.low, d.ports.high = 40000, 65533 // two spare ports above, those below too
	hold := Target{To: to, From: from, Spoof: true}
	inside, outside := 0, 0
	for range 12 {
		seen, _, err := s.dial(t, d, hold)
		if err != nil {
			t.Fatal(err)
		}
		if p := seen.Port(); p >= 40000 && p <= 40004 {
			inside++
		} else {
			outside++
		}
	}
	if inside > 5 || outside < 7 {
		t.Errorf("%d inside, %d outside of the range", inside, outside)
	}
	n := d.Counts()
	if n.Dials != 12 || n.Retries < 7 || n.Exhausted != 0 {
		t.Errorf("counts %+v", n)
	}
	// Nothing spare is left: an error with a name.
	d.ports = spare{firstPort, 65535}
	_, _, err := s.dial(t, d, hold)
	if !errors.Is(err, ErrNoLocalPort) || d.Counts().Exhausted != 1 {
		t.Errorf("%v, counts %+v", err, d.Counts())
	}
	// The client's own port is the last resort.
	hold.LastPort = 7777
	if seen, _, err := s.dial(t, d, hold); err != nil || seen.Port() != 7777 {
		t.Errorf("last resort: %v %v", seen, err)
	}
}

func TestDialErrorsNameTheFact(t *testing.T) {
	s := alley(t)
	d := s.dialer(t)
	ls := within(t, s.gateway, func() ([]*net.TCPListener, error) {
		return Listen(context.Background(), ListenOptions{Addr: netip.AddrPortFrom(netip.Addr{}, 3128)})
	})
	for _, l := range ls {
		defer l.Close()
	}
	d.Own.AddListeners(ls...)
	to := netip.MustParseAddrPort(originV4 + ":80")
	for _, c := range []struct {
		name   string
		target Target
		is     error
		text   string
	}{
		{"foreign address, not spoofed", Target{To: to, From: netip.MustParseAddrPort(clientV4 + ":0")}, ErrNotLocal,
			"connecting to 10.2.0.2:80 as 10.1.0.2: the local address is not one of this host (bind: cannot assign requested address)"},
		{"own listener", Target{To: netip.MustParseAddrPort(insideV4 + ":3128")}, ErrOwnListener,
			"connecting to 10.1.0.1:3128: the destination is the proxy itself"},
		{"own listener by a mapped address", Target{To: netip.MustParseAddrPort("[::ffff:10.1.0.1]:3128")}, ErrOwnListener, ""},
		{"own listener by 0.0.0.0", Target{To: netip.MustParseAddrPort("0.0.0.0:3128")}, ErrOwnListener, ""},
		{"own listener by loopback", Target{To: netip.MustParseAddrPort("127.0.0.9:3128")}, ErrOwnListener, ""},
		{"closed port", Target{To: netip.MustParseAddrPort(originV4 + ":81")}, syscall.ECONNREFUSED,
			"connecting to 10.2.0.2:81: connect: connection refused"},
	} {
		_, _, err := s.dial(t, d, c.target)
		var dialed *DialError
		if !errors.Is(err, c.is) || !errors.As(err, &dialed) || c.text != "" && err.Error() != c.text {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestDialTimeout(t *testing.T) {
	s := alley(t)
	d := s.dialer(t)
	s.origin.Must("nft", "add table inet t; add chain inet t i { type filter hook input priority 0; }; add rule inet t i tcp dport 9 drop")
	for _, to := range []string{originV4 + ":9", "[" + originV6 + "]:9"} {
		ctx, cancel := context.WithTimeout(context.Background(), 1e8)
		var err error
		s.gateway.Do(func() error {
			_, err = d.Dial(ctx, Target{To: netip.MustParseAddrPort(to)})
			return nil
		})
		cancel()
		var dialed *DialError
		if !errors.As(err, &dialed) || !dialed.Timeout() {
			t.Errorf("%s: %v", to, err)
		}
	}
}

func TestListenErrorsSayWhatToDo(t *testing.T) {
	s := newStreet(t)
	taken, taken6 := echoPeer(t, s.gateway, insideV4+":0"), echoPeer(t, s.gateway, "["+insideV6+"]:0")
	for _, c := range []struct {
		addr netip.AddrPort
		is   error
		text string
	}{
		{addrPort(taken.Addr()), syscall.EADDRINUSE, "ss -ltnp"},
		{addrPort(taken6.Addr()), syscall.EADDRINUSE, "ss -ltnp"},
		{netip.MustParseAddrPort("[fd09::9]:80"), syscall.EADDRNOTAVAIL, "no interface has this address"},
		{netip.MustParseAddrPort("10.9.9.9:80"), syscall.EADDRNOTAVAIL, "no interface has this address"},
	} {
		var err error
		s.gateway.Do(func() error {
			_, err = Listen(context.Background(), ListenOptions{Addr: c.addr})
			return nil
		})
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%v: %v", c.addr, err)
		}
	}
}

func TestListenWithoutIPv6(t *testing.T) {
	s := newStreet(t)
	s.gateway.Sysctl("net.ipv6.conf.all.disable_ipv6", "1")
	ls := within(t, s.gateway, func() ([]*net.TCPListener, error) {
		return Listen(context.Background(), ListenOptions{Addr: netip.AddrPortFrom(netip.Addr{}, 80), Backlog: 7})
	})
	for _, l := range ls {
		defer l.Close()
	}
	// The kernel still binds "::" here; what matters is that IPv4 serves.
	if len(ls) == 0 || !addrPort(ls[0].Addr()).Addr().Unmap().Is4() {
		t.Fatalf("listeners %v", ls)
	}
}

func TestOwnFollowsTheHost(t *testing.T) {
	s := newStreet(t)
	own := ownOf(t, s.gateway)
	for text, want := range map[string]bool{
		insideV4: true, insideV6: true, "127.3.2.1": true, "::1": true, "0.0.0.0": true,
		"::ffff:10.1.0.1": true, clientV4: false, clientV6: false,
	} {
		if got := own.Has(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	late := netip.MustParseAddr("10.1.0.77")
	s.gateway.Addr("lan0", "10.1.0.77/24")
	waitUntil(t, "the new address is seen", func() bool { return own.Has(late) })
	s.gateway.Must("ip", "addr", "del", "10.1.0.77/24", "dev", "lan0")
	waitUntil(t, "the old address is forgotten", func() bool { return !own.Has(late) })
}

// What is delivered to a host: its addresses, broadcasts, groups; not its neighbours'.
func TestOwnDelivers(t *testing.T) {
	lab := netlab.ForTest(t)
	n := lab.Node("n")
	lab.Link(netlab.End{Node: n, Name: "eth0", Addrs: []string{"10.1.0.1/24", "10.2.0.1/31", "fd01::1/64"}}, netlab.End{Node: lab.Node("m"), Name: "eth0"})
	var own *Own
	if err := n.Do(func() (err error) { own, err = WatchOwn(); return err }); err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	for addr, want := range map[string]bool{
		"10.1.0.1": true, "10.1.0.255": true, "10.1.0.0": true, "255.255.255.255": true, "224.0.0.1": true, "ff02::1": true, "fd01::1": true,
		"127.0.0.1": true, "::1": true, "::ffff:10.1.0.1": true, "10.2.0.1": true, "0.0.0.0": true,
		"10.1.0.2": false, "10.2.0.0": false, "10.1.1.255": false, "fd01::2": false, "198.51.100.1": false,
	} {
		if got := own.Delivers(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: %v", addr, got)
		}
	}
}
