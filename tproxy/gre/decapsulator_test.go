package gre

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// crossing is a router and a cache on one wire, and a raw socket of the router.
type crossing struct {
	router, cache *netlab.Node
	d             *Decapsulator
	wire          *net.IPConn
}

const routerAddr, cacheAddr = "10.5.0.1", "10.5.0.2"

// newCrossing is openCrossing with the decapsulator running.
func newCrossing(t testing.TB, config Config) *crossing {
	c := openCrossing(t, config)
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.d.Run(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(func() { c.d.Close(); running.Wait() })
	return c
}

func openCrossing(t testing.TB, config Config) *crossing {
	lab := netlab.ForTest(t)
	c := &crossing{router: lab.Node("router"), cache: lab.Node("cache")}
	lab.Link(netlab.End{Node: c.router, Name: "eth0", Addrs: []string{routerAddr + "/24"}},
		netlab.End{Node: c.cache, Name: "eth0", Addrs: []string{cacheAddr + "/24"}})
	err := c.cache.Do(func() (err error) { c.d, err = Open(config); return err })
	if err == nil {
		err = c.router.Do(func() (err error) {
			c.wire, err = net.ListenIP("ip4:47", &net.IPAddr{IP: net.IPv4zero})
			return err
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.wire.Close(); c.d.Close() })
	return c
}

func (c *crossing) send(t testing.TB, packet []byte) {
	t.Helper()
	if _, err := c.wire.WriteToIP(packet, &net.IPAddr{IP: net.ParseIP(cacheAddr)}); err != nil {
		t.Fatal(err)
	}
}

// packets opens a socket that sees what arrives at the cache's device.
func (c *crossing) packets(t testing.TB) *os.File {
	var fd int
	err := c.cache.Do(func() error {
		device, err := net.InterfaceByName(c.d.Device())
		if err != nil {
			return err
		}
		network := uint16(unix.ETH_P_ALL)<<8 | unix.ETH_P_ALL>>8
		fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, int(network))
		if err != nil {
			return err
		}
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: network, Ifindex: device.Index})
	})
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "packets")
	f.SetReadDeadline(time.Now().Add(30 * time.Second))
	t.Cleanup(func() { f.Close() })
	return f
}

func TestDecapsulatedPacketsArriveOnTheDevice(t *testing.T) {
	c := newCrossing(t, Config{})
	seen := c.packets(t)
	// Larger than the wire: the outer packet is fragmented and put together again.
	inner := ip4("1.2.3.4", "5.6.7.8", bytes.Repeat([]byte("x"), 1480))
	for _, h := range []Header{
		{Protocol: ProtocolWCCP, Redirected: true, Redirect: Redirect{Dynamic: true, Service: 80}},
		{Protocol: ProtocolWCCP},
		{Protocol: ProtocolIPv4, Checksummed: true, Keyed: true, Key: 3, Sequenced: true},
	} {
		c.send(t, h.Append(nil, inner))
		got := make([]byte, 4096)
		for {
			n, err := seen.Read(got)
			if err != nil {
				t.Fatalf("%+v: %v; counts %+v", h, err, c.d.Counts())
			}
			if got[0]>>4 == 6 {
				continue // the kernel greets a new device
			}
			if !bytes.Equal(got[:n], inner) {
				t.Errorf("%+v: %d octets arrived, want %d", h, n, len(inner))
			}
			break
		}
	}
	// The last one may be seen before it is counted.
	n := c.d.Counts()
	for wait := 0; n.Delivered != 3 && wait < 2000; wait++ {
		time.Sleep(5 * time.Millisecond)
		n = c.d.Counts()
	}
	if n.Received != 3 || n.Delivered != 3 || n.Lost != 0 {
		t.Errorf("%+v", n)
	}
}

func TestPacketsThatAreNotOursGoBackToTheirRouter(t *testing.T) {
	c := newCrossing(t, Config{Return: true, Mark: 2})
	c.cache.Sysctl("net.ipv4.ip_forward", "1")
	c.cache.Sysctl("net.ipv4.conf.all.rp_filter", "0")
	inner := ip4("1.2.3.4", "5.6.7.8", bytes.Repeat([]byte("y"), 1480))
	sent := Header{Protocol: ProtocolWCCP, Redirected: true, Redirect: Redirect{Dynamic: true, Service: 80, Bucket: 77}}
	c.send(t, sent.Append(nil, inner))
	got := make([]byte, 4096)
	c.wire.SetReadDeadline(time.Now().Add(30 * time.Second))
	n, from, err := c.wire.ReadFromIP(got)
	if err != nil {
		t.Fatalf("%v; counts %+v", err, c.d.Counts())
	}
	h, payload, err := Parse(got[:n])
	if err != nil || h != sent || from.String() != cacheAddr {
		t.Fatalf("%+v from %v: %v", h, from, err)
	}
	if p, err := Inner(payload); err != nil || p.Bytes[8] != 63 || !bytes.Equal(p.Bytes[20:], inner[20:]) {
		t.Errorf("inner packet %v: time to live %d", err, p.Bytes[8])
	}
	if n := c.d.Counts(); n.Unsent != 0 || n.Unknown != 0 {
		t.Errorf("%+v", n)
	}
}

func TestHostilePacketsAreCountedAndHarmless(t *testing.T) {
	c := newCrossing(t, Config{Own: func(a netip.Addr) bool { return a == netip.MustParseAddr(cacheAddr) }})
	inner := ip4("1.2.3.4", "5.6.7.8", nil)
	good := Header{Protocol: ProtocolWCCP}
	c.d.SetRouters([]netip.Addr{netip.MustParseAddr(routerAddr)})
	for _, packet := range [][]byte{
		good.Append(nil, ip4(cacheAddr, "5.6.7.8", nil)), // own
		good.Append(nil, inner[:19]),                     // malformed
		{0, 0, 0x88},                                     // malformed
		{0x30, 1, 0x88, 0x0b, 0, 0, 0, 0},                // foreign
		append([]byte{0x80, 0, 8, 0, 1, 2, 0, 0}, inner...),
		good.Append(nil, inner),
	} {
		c.send(t, packet)
	}
	want := Counts{Received: 6, Delivered: 1, Own: 1, Malformed: 2, Foreign: 1, Checksum: 1}
	var n Counts
	for range 2000 {
		n = c.d.Counts()
		n.Batches = 0
		if n == want {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("%+v, want %+v", n, want)
}

// Where the kernel has tunnels it does the same as the process does.
func TestKernelTunnel(t *testing.T) {
	if err := KernelTunnels(); errors.Is(err, ErrNoKernelTunnels) {
		t.Skipf("kernel GRE: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	c := newCrossing(t, Config{Device: "other"})
	var r Receiver
	err := c.cache.Do(func() (err error) { r, err = OpenBest(Config{}); return err })
	if err != nil {
		t.Fatal(err)
	}
	h := Header{Protocol: ProtocolWCCP, Redirected: true, Redirect: Redirect{Dynamic: true, Service: 80}}
	c.send(t, h.Append(nil, ip4("1.2.3.4", "5.6.7.8", nil)))
	for range 2000 {
		var n Counts
		c.cache.Do(func() error { n = r.Counts(); return nil })
		if n.Delivered == 1 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := c.cache.Do(r.Close); err != nil {
		t.Error(err)
	}
	if err := r.Run(); err != nil {
		t.Error(err)
	}
}

func TestOneDeviceOneOwner(t *testing.T) {
	c := newCrossing(t, Config{})
	err := c.cache.Do(func() error {
		second, err := Open(Config{})
		if err == nil {
			second.Close()
		}
		return err
	})
	if !errors.Is(err, unix.EBUSY) {
		t.Errorf("second Open: %v", err)
	}
}

// Only the routers named may send; who else did is known. A socket opened by
// another process does as well as one opened here.
func TestStrangersAreDropped(t *testing.T) {
	c := newCrossing(t, Config{})
	if who := c.d.Stranger(); who.IsValid() {
		t.Errorf("stranger %v before anything was sent", who)
	}
	packet := Header{Protocol: ProtocolWCCP}.Append(nil, ip4("1.2.3.4", "5.6.7.8", nil))
	for i, step := range []struct {
		routers []netip.Addr
		want    Counts
	}{
		{[]netip.Addr{netip.MustParseAddr("192.0.2.1")}, Counts{Received: 1, Stranger: 1}},
		{[]netip.Addr{}, Counts{Received: 2, Stranger: 2}},
		{[]netip.Addr{netip.MustParseAddr(routerAddr)}, Counts{Received: 3, Stranger: 2, Delivered: 1}},
		{nil, Counts{Received: 4, Stranger: 2, Delivered: 2}},
	} {
		c.d.SetRouters(step.routers)
		c.send(t, packet)
		var n Counts
		for range 2000 {
			n = c.d.Counts()
			if n.Batches = 0; n == step.want {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		if n != step.want {
			t.Errorf("step %d: %+v, want %+v", i, n, step.want)
		}
	}
	if who := c.d.Stranger(); who.String() != routerAddr {
		t.Errorf("the last stranger was %v", who)
	}
}

func TestSocketOfAnotherProcess(t *testing.T) {
	lab := netlab.ForTest(t)
	cache := lab.Node("cache")
	err := cache.Do(func() error {
		socket, err := OpenSocket(Config{})
		if err != nil {
			return err
		}
		tun, err := OpenTUN(Config{})
		if err != nil {
			return err
		}
		d, err := Open(Config{Socket: socket, TUN: tun})
		if err != nil {
			return err
		}
		return d.Close()
	})
	if err != nil {
		t.Error(err)
	}
	notRaw, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := Open(Config{Socket: notRaw}); err == nil {
		t.Error("a pipe was taken for a raw socket")
	}
}

// The socket holds a burst, and what it cannot hold is counted.
func TestLossIsCounted(t *testing.T) {
	c := openCrossing(t, Config{}) // nobody reads
	var size int
	c.d.raw.Control(func(fd uintptr) { size, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF) })
	if size < receiveBuffer {
		t.Errorf("a receive buffer of %d octets, want %d", size, receiveBuffer)
	}
	if n := c.d.Counts().Lost; n != 0 {
		t.Errorf("%d lost before any came", n)
	}
	if err := c.d.socket.SetReadBuffer(1); err != nil {
		t.Fatal(err)
	}
	h := Header{Protocol: ProtocolWCCP}
	packet := h.Append(nil, ip4("1.2.3.4", "5.6.7.8", make([]byte, 1400)))
	for range 200 {
		c.send(t, packet)
	}
	// The kernel brings them when it has the time.
	n := c.d.Counts().Lost
	for wait := 0; n == 0 && wait < 1000; wait++ {
		time.Sleep(10 * time.Millisecond)
		n = c.d.Counts().Lost
	}
	if n == 0 || n > 200 {
		t.Errorf("%d of 200 lost", n)
	}
}
