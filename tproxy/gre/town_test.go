package gre_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/cuttle-proxy/cuttle/tproxy"
	"github.com/cuttle-proxy/cuttle/tproxy/gre"
	"github.com/cuttle-proxy/cuttle/tproxy/host"
	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// town is the founding network with the plainest parts that will do:
//
//	clients --- router --- internet
//	              |
//	            cache
//
// The router sends port 80, both ways, to the cache in GRE; the cache is a relay
// of bytes on the sockets and the host setup of this room.
type town struct {
	townOptions
	clients, router, cache, internet *netlab.Node

	receiver gre.Receiver
	dialer   *tproxy.Dialer
	failed   chan error // of the relay, for the test to report
	open     sync.Map   // connections of the relay, closed at the end
}

const (
	cacheAddr, cacheGate = "10.5.0.2", "10.5.0.1"
	originAddr           = "10.2.0.2"
	originAddr6          = "fd02::2"
	clientCount          = 50
)

func clientAddr(n int) string  { return fmt.Sprintf("10.1.%d.2", n+1) }
func clientAddr6(n int) string { return fmt.Sprintf("fd01::%d:2", n+1) }

type townOptions struct {
	tunnelMTU int  // of the router's tunnel: above the wire's, outer packets are fragmented
	clamp     bool // the cache offers segments that fit
	back      bool // return method GRE
	v6        bool // what is inside is IPv6
}

func (o townOptions) client(n int) string {
	if o.v6 {
		return clientAddr6(n)
	}
	return clientAddr(n)
}

func (o townOptions) origin(port string) string {
	if o.v6 {
		return net.JoinHostPort(originAddr6, port)
	}
	return net.JoinHostPort(originAddr, port)
}

func newTown(t testing.TB, o townOptions) *town {
	lab := netlab.ForTest(t)
	w := &town{townOptions: o, clients: lab.Node("clients"), router: lab.Node("router"), cache: lab.Node("cache"),
		internet: lab.Node("internet"), failed: make(chan error, 100)}
	lab.Link(netlab.End{Node: w.clients, Name: "eth0", Addrs: []string{"10.1.0.2/16", "fd01::2/64"}},
		netlab.End{Node: w.router, Name: "lan0", Addrs: []string{"10.1.0.1/16", "fd01::1/64"}})
	for n := range clientCount {
		w.clients.Addr("eth0", clientAddr(n)+"/16")
		w.clients.Addr("eth0", clientAddr6(n)+"/64")
	}
	lab.Link(netlab.End{Node: w.cache, Name: "eth0", Addrs: []string{cacheAddr + "/24", "fd05::2/64"}},
		netlab.End{Node: w.router, Name: "cache0", Addrs: []string{cacheGate + "/24", "fd05::1/64"}})
	lab.Link(netlab.End{Node: w.internet, Name: "eth0", Addrs: []string{originAddr + "/24", originAddr6 + "/64"}},
		netlab.End{Node: w.router, Name: "wan0", Addrs: []string{"10.2.0.1/24", "fd02::1/64"}})
	w.clients.Route("default", "10.1.0.1")
	w.cache.Route("default", cacheGate)
	w.internet.Route("default", "10.2.0.1")
	w.clients.Route("default", "fd01::1")
	w.cache.Route("default", "fd05::1")
	w.internet.Route("default", "fd02::1")
	w.router.Sysctl("net.ipv6.conf.all.forwarding", "1")
	w.router.Sysctl("net.ipv4.ip_forward", "1")
	w.router.Sysctl("net.ipv4.conf.all.rp_filter", "0")
	w.startRouter(t, o)
	w.startCache(t, o)
	return w
}

// startRouter redirects port 80 in both directions: to a device, from there in
// GRE to the cache. What the cache gives back is forwarded without a second look.
func (w *town) startRouter(t testing.TB, o townOptions) {
	redirect, back := w.device(t, "redirect"), w.device(t, "back")
	w.router.Must("ip", "link", "set", "redirect", "mtu", fmt.Sprint(o.tunnelMTU))
	for _, family := range []string{"-4", "-6"} {
		w.router.Must("ip", family, "route", "add", "default", "dev", "redirect", "table", "7")
		w.router.Must("ip", family, "rule", "add", "iif", "lan0", "ipproto", "tcp", "dport", "80", "lookup", "7")
		w.router.Must("ip", family, "rule", "add", "iif", "wan0", "ipproto", "tcp", "sport", "80", "lookup", "7")
	}
	var wire *net.IPConn
	err := w.router.Do(func() (err error) {
		wire, err = net.ListenIP("ip4:47", &net.IPAddr{IP: net.IPv4zero})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { wrapAll(redirect, wire) })
	running.Go(func() { unwrapAll(wire, back) })
	t.Cleanup(func() { redirect.Close(); back.Close(); wire.Close(); running.Wait() })
}

func (w *town) device(t testing.TB, name string) *os.File {
	var f *os.File
	if err := w.router.Do(func() (err error) { f, err = gre.OpenTUN(gre.Config{Device: name}); return err }); err != nil {
		t.Fatal(err)
	}
	return f
}

func wrapAll(from *os.File, wire *net.IPConn) {
	packet, wrapped := make([]byte, 65536), []byte(nil)
	cache := &net.IPAddr{IP: net.ParseIP(cacheAddr)}
	for {
		n, err := from.Read(packet)
		if err != nil {
			return
		}
		if packet[0]>>4 == 6 && packet[24] == 0xff {
			continue // the kernel greets a new device
		}
		h := gre.Header{Protocol: gre.ProtocolWCCP, Redirected: true, Redirect: gre.Redirect{Dynamic: true, Service: 80}}
		wrapped = h.Append(wrapped[:0], packet[:n])
		wire.WriteToIP(wrapped, cache)
	}
}

func unwrapAll(wire *net.IPConn, to *os.File) {
	packet := make([]byte, 65536)
	for {
		n, _, err := wire.ReadFromIP(packet)
		if err != nil {
			return
		}
		if _, payload, err := gre.Parse(packet[:n]); err == nil {
			to.Write(payload)
		}
	}
}

// startCache sets the host up and relays what is intercepted.
func (w *town) startCache(t testing.TB, o townOptions) {
	want := host.Want{TProxy: []host.Port{{Of: 80, To: 3129}}, IPv4: true, IPv6: o.v6, GRE: &host.GRE{Device: gre.DefaultDevice}}
	sockets := tproxy.SocketOptions{Mark: tproxy.OwnMark}
	var own *tproxy.Own
	var ls []*net.TCPListener
	err := w.cache.Do(func() error {
		way, err := host.WayTo(netip.MustParseAddr(cacheGate))
		if err != nil {
			return err
		}
		if o.clamp {
			want.GRE.MSS = way.SegmentSize()
			sockets.MSS = int(want.GRE.MSS)
		}
		if err := host.Setup(want, host.Options{StateDir: t.TempDir()}); err != nil {
			return err
		}
		if own, err = tproxy.WatchOwn(); err != nil {
			return err
		}
		if w.receiver, err = gre.OpenBest(gre.Config{Own: own.Has, Mark: tproxy.OwnMark, Return: o.back}); err != nil {
			return err
		}
		w.dialer = tproxy.NewDialer(sockets, own)
		any := netip.IPv4Unspecified()
		if o.v6 {
			any = netip.IPv6Unspecified()
		}
		ls, err = tproxy.Listen(context.Background(), tproxy.ListenOptions{
			Addr: netip.AddrPortFrom(any, 3129), Transparent: true, SocketOptions: sockets})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { w.receiver.Run() })
	running.Go(func() { w.relay(ls[0], own) })
	t.Cleanup(func() {
		ls[0].Close()
		w.open.Range(func(c, _ any) bool { c.(net.Conn).Close(); return true })
		w.receiver.Close()
		own.Close()
		running.Wait()
	})
}

func (w *town) fail(format string, args ...any) {
	select {
	case w.failed <- fmt.Errorf(format, args...):
	default:
	}
}

// relay passes bytes between each client and the origin it wanted, in its name.
func (w *town) relay(l *net.TCPListener, own *tproxy.Own) {
	var open sync.WaitGroup
	defer open.Wait()
	for {
		c, err := l.AcceptTCP()
		if err != nil {
			return
		}
		open.Go(func() {
			defer w.closing(c)()
			dst, intercepted, err := tproxy.OriginalDestination(c, c.LocalAddr().(*net.TCPAddr).AddrPort(), tproxy.Interception{TProxy: true}, own)
			if err != nil || !intercepted {
				w.fail("connection from %v: to %v, intercepted %v, %v", c.RemoteAddr(), dst, intercepted, err)
				return
			}
			from := netip.AddrPortFrom(c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr(), 0)
			var out net.Conn
			err = w.cache.Do(func() (err error) {
				f, err := w.dialer.Dial(context.Background(), tproxy.Target{To: dst, From: from, Spoof: true})
				if err == nil {
					defer f.Close()
					out, err = net.FileConn(f)
				}
				return err
			})
			if err != nil {
				w.fail("%v", err)
				return
			}
			defer w.closing(out)()
			var back sync.WaitGroup
			back.Go(func() { pass(c, out); c.CloseWrite() })
			pass(out, c)
			out.(*net.TCPConn).CloseWrite()
			back.Wait()
		})
	}
}

// pass copies by a buffer; Go's own splice would hold a pipe, two more descriptors,
// for each direction that waits.
func pass(to, from net.Conn) {
	io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 16<<10))
}

// closing notes a connection and returns what closes it.
func (w *town) closing(c net.Conn) func() {
	w.open.Store(c, nil)
	return func() { w.open.Delete(c); c.Close() }
}

// failures are what the relay met.
func (w *town) failures() string {
	var all []string
	for {
		select {
		case err := <-w.failed:
			all = append(all, err.Error())
		default:
			return strings.Join(all, "\n")
		}
	}
}
