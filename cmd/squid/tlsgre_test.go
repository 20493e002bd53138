package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/tproxy/gre"
	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// wrap has the router send what subscribers of both families say to port 443, and what
// is answered from there, to the cache in the GRE of WCCP. The simulated router wraps
// IPv4 alone.
func (s *street) wrap(router *netlab.Node) {
	s.t.Helper()
	var device *os.File
	var wire *net.IPConn
	if err := router.Do(func() (err error) {
		if device, err = gre.OpenTUN(gre.Config{Device: "wrap"}); err != nil {
			return err
		}
		wire, err = net.ListenIP("ip4:47", &net.IPAddr{IP: net.ParseIP(townRouter)})
		return err
	}); err != nil {
		s.t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		packet, wrapped, cache := make([]byte, 1<<16), []byte(nil), &net.IPAddr{IP: net.ParseIP(townCache)}
		h := gre.Header{Protocol: gre.ProtocolWCCP, Redirected: true, Redirect: gre.Redirect{Dynamic: true, Service: 80}}
		for {
			n, err := device.Read(packet)
			if err != nil {
				return
			}
			if packet[0]>>4 == 6 && packet[24] == 0xff {
				continue // the kernel greets a new device
			}
			wrapped = h.Append(wrapped[:0], packet[:n])
			wire.WriteToIP(wrapped, cache)
		}
	})
	s.t.Cleanup(func() { device.Close(); wire.Close(); running.Wait() })
	router.Sysctl("net.ipv6.conf.all.forwarding", "1")
	for _, family := range []string{"-4", "-6"} {
		router.Must("ip", family, "route", "add", "default", "dev", "wrap", "table", "7")
		router.Must("ip", family, "rule", "add", "iif", "sub0", "ipproto", "tcp", "dport", "443", "lookup", "7")
		router.Must("ip", family, "rule", "add", "iif", "net0", "ipproto", "tcp", "sport", "443", "lookup", "7")
	}
}

// TLS of both families inside the router's GRE is known by its name, and no segment of
// it is larger than fits the wrapping, of whichever end: fragments are dropped here.
func TestTLSThroughGRE(t *testing.T) {
	t.Parallel() // most of it is waiting for the router's assignment
	s, router := newTown(t)
	s.configure(`http_port 80 transparent tproxy
https_port 443 transparent tproxy
wccp2_router 10.66.0.1
wccp2_service dynamic 80
wccp2_service_info 80 protocol=tcp flags=src_ip_hash priority=240 ports=80,443
wccp2_service dynamic 90
wccp2_service_info 90 protocol=tcp flags=dst_ip_hash,ports_source priority=240 ports=80,443
wccp2_shutdown_wait 1 second
acl CONNECT method CONNECT
acl refused dstdomain refused.example
http_access deny CONNECT refused
`)
	if out, err := s.order("setup"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	a := s.serveTLS()
	s.hosts(uploads4+" up4.example", uploads6+" up6.example")
	s.gateway.Must("nft", "add table ip whole; add chain ip whole c { type filter hook prerouting priority -500; }; add rule ip whole c ip frag-off & 0x3fff != 0 counter drop")
	s.startRouter(router)
	s.wrap(router)
	s.launch()
	s.until("the router gives buckets of both services", func() bool { s.ended(); return s.bucketsAt(townRouter) == 512 })
	for family, on := range s.sides(a) {
		t.Run(family, func(t *testing.T) {
			c, err := s.client.Dial(t.Context(), net.JoinHostPort(on.goServer, "443"))
			if err != nil {
				t.Fatal(err)
			}
			want := townSegment
			if family == "IPv6" {
				want -= 20
			}
			if size, err := segment(c); err != nil || size > want || size < want-12 { // time stamps
				t.Errorf("segments of %d octets, want %d; %v", size, want, err)
			}
			c.Close()
			on.uploads(t)
			on.refusals(t)
		})
	}
	if rules := s.gateway.Must("nft", "list", "table", "ip", "whole"); !strings.Contains(rules, "packets 0 ") {
		t.Errorf("fragments came:\n%s", rules)
	}
	if n := s.network().GRE; n == nil || n.Delivered < 2*uploadSize/townSegment || n.Stranger != 0 {
		t.Errorf("GRE: %+v", n)
	}
	if t.Failed() {
		t.Logf("cache.log:\n%s\naccess.log:\n%s", s.read("log/cache.log"), s.read("log/access.log"))
	}
}

// QUIC passes by the proxy, which preflight says, unless the file has it refused: then
// setup has it refused at once, in both families, and teardown takes that back.
func TestQUICByOrders(t *testing.T) {
	s := newStreet(t)
	for _, origin := range []string{streetOrigin4, streetOrigin6} {
		for _, port := range []string{"443", "4433"} {
			s.echo(net.JoinHostPort(origin, port))
		}
	}
	refused := func(want bool) {
		t.Helper()
		for _, origin := range []string{streetOrigin4, streetOrigin6} {
			for _, port := range []string{"443", "4433"} {
				err := s.datagram(net.JoinHostPort(origin, port))
				if got := errors.Is(err, syscall.ECONNREFUSED); got != (want && port == "443") || err != nil && !got {
					t.Errorf("%s port %s: %v", origin, port, err)
				}
			}
		}
	}
	says := func(order, text string) {
		t.Helper()
		if out, _ := s.order(order); !strings.Contains(out, text) {
			t.Errorf("%s does not say %q:\n%s", order, text, out)
		}
	}
	s.configure(tlsLines)
	says("setup", "")
	says("preflight", "QUIC (UDP to port 443) passes by the proxy")
	refused(false)
	s.configure(tlsLines + "intercept_quic reject\n")
	says("preflight", "UDP to port 443 that this host forwards is to be refused")
	says("setup", "")
	says("preflight", "UDP to port 443 that this host forwards is to be refused")
	refused(true)
	says("teardown", "removed nftables table")
	s.gateway.Sysctl("net.ipv4.ip_forward", "1") // which setup had changed
	s.gateway.Sysctl("net.ipv6.conf.all.forwarding", "1")
	refused(false)
}

// echo answers every datagram at an address of the origin with itself.
func (s *street) echo(address string) {
	var c net.PacketConn
	if err := s.origin.Do(func() (err error) { c, err = net.ListenPacket("udp", address); return err }); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			c.WriteTo(buf[:n], from)
		}
	}()
}

func (s *street) datagram(address string) error {
	var c net.Conn
	if err := s.client.Do(func() (err error) { c, err = net.Dial("udp", address); return err }); err != nil {
		return err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := fmt.Fprint(c, "initial"); err != nil {
		return err
	}
	_, err := c.Read(make([]byte, 100))
	return err
}
