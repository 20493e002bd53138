package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
	"github.com/cuttle-proxy/cuttle/wccp2/routersim/simcache"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// patience is how long anything in the lab may take; passing it is a failure, not a measure.
const patience = 20 * time.Second

// TestMain lets the test binary be the program, so that it can run inside a namespace.
func TestMain(m *testing.M) {
	if os.Getenv("ROUTERSIM_BE_THE_PROGRAM") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// The network of these tests:
//
//	client 10.1.0.2 --- sub0 [router] net0 --- origin 192.0.2.2
//	                     proxy0
//	                       |
//	                  cache 10.66.0.20
const (
	clientAddr = "10.1.0.2"
	originAddr = "192.0.2.2"
	routerAddr = "10.66.0.1"
	cacheAddr  = "10.66.0.20"

	commands = `interface sub0
		ip wccp 80 redirect in
		ip wccp 90 redirect out
		interface proxy0
		ip wccp redirect exclude in`
)

type network struct {
	t                             *testing.T
	client, router, cache, origin *netlab.Node
	process                       *netlab.Process
	events                        chan map[string]any
	control                       string
}

func buildNetwork(t *testing.T) *network {
	lab := netlab.ForTest(t)
	n := &network{t: t, client: lab.Node("client"), router: lab.Node("router"), cache: lab.Node("cache"), origin: lab.Node("origin")}
	lab.Link(netlab.End{Node: n.client, Name: "eth0", Addrs: []string{clientAddr + "/24"}}, netlab.End{Node: n.router, Name: "sub0", Addrs: []string{"10.1.0.1/24"}})
	lab.Link(netlab.End{Node: n.origin, Name: "eth0", Addrs: []string{originAddr + "/24"}}, netlab.End{Node: n.router, Name: "net0", Addrs: []string{"192.0.2.1/24"}})
	lab.Link(netlab.End{Node: n.cache, Name: "eth0", Addrs: []string{cacheAddr + "/24"}}, netlab.End{Node: n.router, Name: "proxy0", Addrs: []string{routerAddr + "/24"}})
	n.client.Route("default", "10.1.0.1")
	n.origin.Route("default", "192.0.2.1")
	n.cache.Route("default", routerAddr)
	return n
}

// start runs the program in the router.
func (n *network) start(args ...string) {
	n.t.Helper()
	n.control = filepath.Join(n.t.TempDir(), "control")
	args = append([]string{"-router", routerAddr, "-control", n.control}, args...)
	for line := range strings.Lines(commands) {
		args = append(args, "-command", strings.TrimSpace(line))
	}
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "ROUTERSIM_BE_THE_PROGRAM=1")
	cmd.Stderr = os.Stderr
	out, in := io.Pipe()
	cmd.Stdout = in
	process, err := n.router.Start(cmd)
	if err != nil {
		n.t.Fatal(err)
	}
	n.process = process
	go func() {
		<-process.Done()
		in.Close()
	}()
	n.events = make(chan map[string]any, 4096)
	go func() {
		defer close(n.events)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			event := map[string]any{}
			if json.Unmarshal(lines.Bytes(), &event) == nil {
				n.events <- event
			}
		}
	}()
	n.await("started", "")
}

// await waits for an event, of a service if one is named.
func (n *network) await(name, service string) map[string]any {
	n.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case event, open := <-n.events:
			if !open {
				n.t.Fatalf("the router ended while waiting for %q: %v", name, n.process.Err())
			}
			if event["event"] == name && (service == "" || event["service"] == service) {
				return event
			}
		case <-timeout:
			n.t.Fatalf("no event %q %s", name, service)
		}
	}
}

// order sends a command by the control socket.
func (n *network) order(line string) string {
	n.t.Helper()
	var answer strings.Builder
	if err := control(append([]string{n.control}, strings.Fields(line)...), &answer); err != nil {
		n.t.Fatalf("%s: %v %s", line, err, answer.String())
	}
	return answer.String()
}

// counted is the number of packets of a service with a fate.
func (n *network) counted(service, fate string) int {
	var counts []struct {
		Service, Fate string
		Packets       int
	}
	if err := json.Unmarshal([]byte(n.order("counts")), &counts); err != nil {
		n.t.Fatal(err)
	}
	total := 0
	for _, c := range counts {
		if c.Service == service && c.Fate == fate {
			total += c.Packets
		}
	}
	return total
}

// fakeCache speaks WCCP for one address and no HTTP: what the router sends it, it
// returns, by the way the methods say.
type fakeCache struct {
	*network
	caches []*simcache.Cache
	socket *net.UDPConn
}

func (n *network) fakeCache(shape func(*simcache.Cache)) *fakeCache {
	n.t.Helper()
	f := &fakeCache{network: n}
	err := n.cache.Do(func() (err error) {
		f.socket, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(cacheAddr), Port: wire.Port})
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { f.socket.Close() })
	for _, service := range []wire.Service{
		{ServiceID: wire.ServiceID{Type: wire.Dynamic, ID: 80}, Priority: 240, Protocol: 6, Flags: wire.SrcIPHash | wire.PortsDefined, Ports: [8]uint16{80}},
		{ServiceID: wire.ServiceID{Type: wire.Dynamic, ID: 90}, Priority: 240, Protocol: 6, Flags: wire.DstIPHash | wire.PortsDefined | wire.PortsSource, Ports: [8]uint16{80}},
	} {
		c := &simcache.Cache{Address: netip.MustParseAddr(cacheAddr), Router: netip.MustParseAddr(routerAddr), Service: service}
		shape(c)
		f.caches = append(f.caches, c)
	}
	return f
}

// join makes the cache usable in both services.
func (f *fakeCache) join() {
	f.t.Helper()
	for _, c := range f.caches {
		for !c.Usable() {
			f.exchange(c)
		}
	}
}

func (f *fakeCache) exchange(c *simcache.Cache) {
	f.t.Helper()
	f.send(c.HereIAm())
	buffer := make([]byte, 65535)
	f.socket.SetReadDeadline(time.Now().Add(patience))
	n, err := f.socket.Read(buffer)
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := c.See(buffer[:n]); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fakeCache) send(datagram []byte) {
	f.t.Helper()
	if _, err := f.socket.WriteTo(datagram, &net.UDPAddr{IP: net.ParseIP(routerAddr), Port: wire.Port}); err != nil {
		f.t.Fatal(err)
	}
}

// assign gives all buckets to the cache and waits until the router obeys.
func (f *fakeCache) assign() {
	f.t.Helper()
	for _, c := range f.caches {
		f.send(c.AssignHash(c.Address))
		f.await("assigned", c.Service.ServiceID.String())
	}
}

// returnGRE sends every redirected packet back in GRE until the test ends.
func (f *fakeCache) returnGRE() {
	f.t.Helper()
	var raw *net.IPConn
	err := f.cache.Do(func() (err error) {
		raw, err = net.ListenIP("ip4:47", &net.IPAddr{IP: net.ParseIP(cacheAddr)})
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	fragmentOutside(f.t, raw)
	f.t.Cleanup(func() { raw.Close() })
	go func() {
		buffer := make([]byte, 65535)
		for {
			n, err := raw.Read(buffer)
			if err != nil {
				return
			}
			header := int(buffer[0]&0xF) * 4
			raw.WriteTo(buffer[header:n], &net.IPAddr{IP: net.ParseIP(routerAddr)})
		}
	}()
}

// fetch sends size octets from the client to the origin, which sends them back.
func (n *network) fetch(size int) {
	n.t.Helper()
	listener, err := n.origin.Listen(originAddr + ":80")
	if err != nil {
		n.t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if conn, err := listener.Accept(); err == nil {
			io.Copy(conn, conn)
			conn.Close()
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := n.client.Dial(ctx, originAddr+":80")
	if err != nil {
		n.t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	go func() {
		conn.Write(make([]byte, size))
		conn.(*net.TCPConn).CloseWrite()
	}()
	if got, err := io.Copy(io.Discard, conn); got != int64(size) || err != nil {
		n.t.Fatalf("%d of %d octets came back: %v", got, size, err)
	}
}
