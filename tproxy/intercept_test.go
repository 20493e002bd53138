package tproxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
)

// relay is the proxy of these tests: it answers every connection with one line
// about it, and for an intercepted one with what the origin says of us.
func (s street) relay(t *testing.T, how Interception, ls []*net.TCPListener) {
	own := ownOf(t, s.gateway)
	own.AddListeners(ls...)
	dialer := within(t, s.gateway, func() (*Dialer, error) {
		return NewDialer(SocketOptions{Mark: OwnMark}, own), nil
	})
	for _, l := range ls {
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.AcceptTCP()
				if err != nil {
					return
				}
				go s.answer(c, how, own, dialer)
			}
		}()
	}
}

func (s street) answer(c *net.TCPConn, how Interception, own *Own, dialer *Dialer) {
	defer c.Close()
	dst, intercepted, err := OriginalDestination(c, addrPort(c.LocalAddr()), how, own)
	if err != nil {
		fmt.Fprintf(c, "error %v", err)
		return
	}
	if !intercepted {
		fmt.Fprintf(c, "explicit %v", dst)
		return
	}
	target := Target{To: dst}
	if how.TProxy {
		target.From, target.Spoof = netip.AddrPortFrom(addrPort(c.RemoteAddr()).Addr(), 0), true
	}
	var out *net.TCPConn
	s.gateway.Do(func() error {
		out, err = asTCP(dialer.Dial(context.Background(), target))
		return nil
	})
	if err != nil {
		fmt.Fprintf(c, "error %v", err)
		return
	}
	defer out.Close()
	seen, _ := io.ReadAll(out)
	host, _, _ := net.SplitHostPort(string(seen))
	fmt.Fprintf(c, "intercepted %v origin saw %s", dst, host)
}

// ask connects from the client and returns the answer.
func (s street) ask(t *testing.T, address string) string {
	t.Helper()
	c, err := s.client.Dial(context.Background(), address)
	if err != nil {
		t.Fatalf("client to %s: %v", address, err)
	}
	defer c.Close()
	answer, err := io.ReadAll(c)
	if err != nil {
		t.Fatalf("client to %s: %v", address, err)
	}
	return string(answer)
}

func TestInterceptedAndExplicitClientsOnOnePort(t *testing.T) {
	s := newStreet(t)
	echoPeer(t, s.origin, ":80")
	ls := within(t, s.gateway, func() ([]*net.TCPListener, error) {
		return Listen(context.Background(), ListenOptions{
			Addr: netip.AddrPortFrom(netip.Addr{}, 3129), Transparent: true, SocketOptions: SocketOptions{Mark: OwnMark}})
	})
	s.divert("3129")
	s.relay(t, Interception{TProxy: true}, ls)
	for address, want := range map[string]string{
		originV4 + ":80":          "intercepted 10.2.0.2:80 origin saw 10.1.0.2",
		"[" + originV6 + "]:80":   "intercepted [fd02::2]:80 origin saw fd01::2",
		insideV4 + ":3129":        "explicit 10.1.0.1:3129",
		"[" + insideV6 + "]:3129": "explicit [fd01::1]:3129",
		insideV4 + ":80":          "explicit 10.1.0.1:80", // fact 6: diverted, but ours
		"[fd02::1]:3129":          "explicit [fd02::1]:3129",
	} {
		if got := s.ask(t, address); got != want {
			t.Errorf("client to %s: %q, want %q", address, got, want)
		}
	}
}

func TestRedirectedClients(t *testing.T) {
	s := newStreet(t)
	echoPeer(t, s.origin, ":80")
	ls := within(t, s.gateway, func() ([]*net.TCPListener, error) {
		return Listen(context.Background(), ListenOptions{Addr: netip.AddrPortFrom(netip.Addr{}, 3128)})
	})
	s.gateway.Must("nft", `add table inet t; add chain inet t c { type nat hook prerouting priority dstnat; };
		add rule inet t c tcp dport 80 redirect to :3128`)
	s.relay(t, Interception{NAT: true}, ls)
	for address, want := range map[string]string{
		originV4 + ":80":          "intercepted 10.2.0.2:80 origin saw 10.2.0.1",
		"[" + originV6 + "]:80":   "intercepted [fd02::2]:80 origin saw fd02::1",
		insideV4 + ":3128":        "explicit 10.1.0.1:3128",
		"[" + insideV6 + "]:3128": "explicit [fd01::1]:3128",
		insideV4 + ":80":          "explicit 10.1.0.1:80",
	} {
		if got := s.ask(t, address); got != want {
			t.Errorf("client to %s: %q, want %q", address, got, want)
		}
	}
}

func TestWithoutConnectionTrackingEveryClientIsExplicit(t *testing.T) {
	s := newStreet(t)
	ls := within(t, s.gateway, func() ([]*net.TCPListener, error) {
		return Listen(context.Background(), ListenOptions{Addr: netip.AddrPortFrom(netip.Addr{}, 3128)})
	})
	s.relay(t, Interception{NAT: true}, ls)
	for _, at := range []string{insideV4 + ":3128", "[" + insideV6 + "]:3128"} {
		if got := s.ask(t, at); got != "explicit "+at {
			t.Error(got)
		}
	}
}
