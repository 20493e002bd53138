package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/tproxy"
	"github.com/cuttle-proxy/cuttle/tproxy/gre"
	"github.com/cuttle-proxy/cuttle/wccp2/routersim/simcache"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// The stand-in is the test binary playing bin/squid, so that the demo's judgement can
// be tried on caches that do something wrong. It proves nothing about the proxy.
// Which way it is wrong stands in the name it is called by.
const standInPrefix = "standin-"

// standInProgram gives the test binary the name of a variant.
func standInProgram(t *testing.T, variant string) string {
	t.Helper()
	self, err := os.Executable()
	path := filepath.Join(shortDirectory(t), standInPrefix+variant)
	if err == nil {
		err = os.Symlink(self, path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// The ways the stand-in can be wrong.
const (
	faithful  = "faithful"
	unspoofed = "unspoofed" // speaks to origins with its own address
	unlogged  = "unlogged"  // writes no access.log
	unmarked  = "unmarked"  // adds no X-Cache
	bypassing = "bypassing" // never joins: the router forwards everything
	dying     = "dying"     // ends at once
	elsewhere = "elsewhere" // fetches from another address of the site than was asked
)

// standIn plays squid for the order given on the command line.
func standIn(variant string, args []string) error {
	conf, err := os.ReadFile(args[len(args)-1])
	if err != nil {
		return err
	}
	switch {
	case args[1] == "-k" && args[2] == "setup":
		return standInSetup(true)
	case args[1] == "-k" && args[2] == "teardown":
		return standInSetup(false)
	case variant == dying:
		return errors.New("the stand-in dies as told")
	}
	s := &standInCache{variant: variant, conf: string(conf)}
	return s.run()
}

func standInSetup(up bool) error {
	script := `nft delete table ip standin; ip rule del fwmark 1 lookup 100; ip route flush table 100; true`
	if up {
		script = `set -e
nft -f - <<END
table ip standin {
	chain pre {
		type filter hook prerouting priority mangle;
		meta l4proto tcp socket transparent 1 meta mark set 1 accept
		tcp dport 80 tproxy to :80 meta mark set 1 accept
	}
}
END
ip rule add fwmark 1 lookup 100
ip route add local 0.0.0.0/0 dev lo table 100
echo 1 > /proc/sys/net/ipv4/ip_forward
for f in all default; do echo 0 > /proc/sys/net/ipv4/conf/$f/rp_filter; done
echo the stand-in prepared the host`
	}
	cmd := exec.Command("sh", "-c", script)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err := cmd.Run()
	if !up {
		return nil
	}
	return err
}

type standInCache struct {
	variant string
	conf    string
	mu      sync.Mutex // of access.log
}

// value is the first argument of a directive.
func (s *standInCache) value(directive string) string {
	for line := range strings.Lines(s.conf) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == directive {
			return fields[1]
		}
	}
	return ""
}

func (s *standInCache) run() error {
	// Before the router hears of it and sends it connections.
	listeners, err := tproxy.Listen(context.Background(), tproxy.ListenOptions{Addr: netip.MustParseAddrPort("0.0.0.0:80"), Transparent: true})
	if err != nil {
		return err
	}
	if s.variant != bypassing {
		tunnel, err := gre.Open(gre.Config{})
		if err != nil {
			return err
		}
		go tunnel.Run()
		for _, service := range []wire.Service{
			{ServiceID: wire.ServiceID{Type: wire.Dynamic, ID: 80}, Priority: 240, Protocol: 6, Flags: wire.SrcIPHash | wire.PortsDefined, Ports: [8]uint16{80}},
			{ServiceID: wire.ServiceID{Type: wire.Dynamic, ID: 90}, Priority: 240, Protocol: 6, Flags: wire.DstIPHash | wire.PortsDefined | wire.PortsSource, Ports: [8]uint16{80}},
		} {
			if err := s.register(service); err != nil {
				return err
			}
		}
	}
	for {
		conn, err := listeners[0].AcceptTCP()
		if err != nil {
			return err
		}
		go s.serve(conn)
	}
}

// register joins a service and takes all its buckets, by a socket of its own.
func (s *standInCache) register(service wire.Service) error {
	router := netip.MustParseAddr(s.value("wccp2_router"))
	socket, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(router, wire.Port)))
	if err != nil {
		return err
	}
	c := &simcache.Cache{Address: netip.MustParseAddr(s.value("tcp_outgoing_address")), Router: router, Service: service}
	buffer := make([]byte, 65535)
	for !c.Usable() {
		socket.Write(c.HereIAm())
		socket.SetReadDeadline(time.Now().Add(time.Second))
		if n, err := socket.Read(buffer); err == nil {
			c.See(buffer[:n])
		}
	}
	_, err = socket.Write(c.AssignHash(c.Address))
	return err
}

func (s *standInCache) serve(client *net.TCPConn) {
	defer client.Close()
	request, err := http.ReadRequest(bufio.NewReader(client))
	if err != nil {
		return
	}
	subscriber := netip.MustParseAddrPort(client.RemoteAddr().String())
	target := tproxy.Target{To: netip.MustParseAddrPort(client.LocalAddr().String()), From: netip.AddrPortFrom(subscriber.Addr(), 0), Spoof: true}
	if s.variant == unspoofed {
		target.From, target.Spoof = netip.AddrPort{}, false
	}
	if s.variant == elsewhere {
		target.To = netip.AddrPortFrom(target.To.Addr().Next(), 80)
	}
	origin, err := tproxy.NewDialer(tproxy.SocketOptions{}, nil).Dial(context.Background(), target)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer origin.Close()
	request.Write(origin)
	response, err := http.ReadResponse(bufio.NewReader(origin), request)
	if err != nil {
		return
	}
	if s.variant != unmarked {
		response.Header.Set("X-Cache", "MISS from "+s.value("visible_hostname"))
	}
	response.Close = true
	counted := &countingWriter{to: client}
	response.Write(counted)
	if s.variant != unlogged {
		s.log(fmt.Sprintf("%d.000 %6d %s TCP_MISS/%d %d %s http://%s%s - DIRECT/%s text/plain\n",
			time.Now().Unix(), 1, subscriber.Addr(), response.StatusCode, counted.n, request.Method, request.Host, request.URL.Path, target.To.Addr()))
	}
}

func (s *standInCache) log(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	file, err := os.OpenFile(s.value("access_log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	io.WriteString(file, line)
	file.Close()
}

type countingWriter struct {
	to io.Writer
	n  int
}

func (w *countingWriter) Write(b []byte) (int, error) {
	n, err := w.to.Write(b)
	w.n += n
	return n, err
}
