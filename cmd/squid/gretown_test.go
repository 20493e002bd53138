package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// The founding network with the binaries as they are shipped:
//
//	client 10.1.0.2 --- sub0 [router] net0 --- origin 10.2.0.2
//	                     proxy0
//	                       |
//	                  gateway 10.66.0.20, the cache
const (
	townRouter, townCache = "10.66.0.1", "10.66.0.20"
	// townSegment is 1500 octets less GRE's 28 and the 40 of IP and TCP.
	townSegment = 1432
)

const townLines = `http_port 80 transparent tproxy
wccp2_router 10.66.0.1
wccp2_service dynamic 80
wccp2_service_info 80 protocol=tcp flags=src_ip_hash priority=240 ports=80
wccp2_service dynamic 90
wccp2_service_info 90 protocol=tcp flags=dst_ip_hash,ports_source priority=240 ports=80
wccp2_shutdown_wait 1 second
`

// routersimBinary is bin/routersim.
var routersimBinary = sync.OnceValues(func() (string, error) {
	squid, err := binary()
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(squid), "routersim")
	if out, err := exec.Command("go", "build", "-o", path, "../routersim").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building routersim: %w\n%s", err, out)
	}
	return path, nil
})

// newTown is a street whose gateway is a cache beside a WCCP router.
func newTown(t testing.TB) (s *street, router *netlab.Node) {
	dir := t.TempDir() // before the lab, as in newStreet
	lab := netlab.ForTest(t)
	s = &street{t: t, dir: dir, client: lab.Node("client"), gateway: lab.Node("gateway"), origin: lab.Node("origin")}
	router = lab.Node("router")
	lab.Link(netlab.End{Node: s.client, Name: "eth0", Addrs: []string{streetClient4 + "/24"}},
		netlab.End{Node: router, Name: "sub0", Addrs: []string{streetGateway4 + "/24"}})
	lab.Link(netlab.End{Node: s.origin, Name: "eth0", Addrs: []string{streetOrigin4 + "/24"}},
		netlab.End{Node: router, Name: "net0", Addrs: []string{streetOutside4 + "/24"}})
	lab.Link(netlab.End{Node: s.gateway, Name: "eth0", Addrs: []string{townCache + "/24"}},
		netlab.End{Node: router, Name: "proxy0", Addrs: []string{townRouter + "/24"}})
	s.client.Route("default", streetGateway4)
	s.origin.Route("default", streetOutside4)
	s.gateway.Route("default", townRouter)
	s.makeDir()
	return s, router
}

// startRouter runs routersim until it redirects.
func (s *street) startRouter(router *netlab.Node) (control func(words ...string) string) {
	s.t.Helper()
	path, err := routersimBinary()
	if err != nil {
		s.t.Fatal(err)
	}
	socket := filepath.Join(s.t.TempDir(), "control")
	args := []string{"-router", townRouter, "-control", socket, "-events", "/dev/null"}
	for _, line := range []string{"interface sub0", "ip wccp 80 redirect in", "ip wccp 90 redirect out", "interface proxy0", "ip wccp redirect exclude in"} {
		args = append(args, "-command", line)
	}
	cmd := exec.Command(path, args...)
	cmd.Stderr = os.Stderr
	if _, err := router.Start(cmd); err != nil {
		s.t.Fatal(err)
	}
	control = func(words ...string) string {
		out, _ := exec.Command(path, append([]string{"ctl", socket}, words...)...).Output()
		return string(out)
	}
	s.until("the router obeys", func() bool { return control("status") != "" })
	return control
}

// content is what the origin serves under a number.
func content(number uint64, size int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{byte(number), byte(number >> 8)}), size)
}

func digestOf(r io.Reader) (string, error) {
	h := sha256.New()
	_, err := io.Copy(h, r)
	return fmt.Sprintf("%x", h.Sum(nil)), err
}

// segment is the largest segment a socket sends.
func segment(c net.Conn) (size int, err error) {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	outer := raw.Control(func(fd uintptr) { size, err = unix.GetsockoptInt(int(fd), unix.SOL_TCP, unix.TCP_MAXSEG) })
	if err == nil {
		err = outer
	}
	return size, err
}

type connKey struct{}

// tunnelsOf are the devices a router's packets enter the tunnel by.
func tunnelsOf(router *netlab.Node) (names []string) {
	for line := range strings.Lines(router.Must("ip", "-o", "link", "show", "type", "tun")) {
		if words := strings.SplitN(line, ": ", 3); len(words) == 3 {
			names = append(names, words[1])
		}
	}
	return names
}

// Through the router's GRE every byte arrives, both ways, whether its tunnel takes
// packets of 1500 octets and would have them fragmented, or of 1476 and would send
// ICMP. No packet of a connection is ever larger than the tunnel: fragments are
// dropped here, and both ends are told to keep their segments small.
func TestNothingBlackholesThroughGRE(t *testing.T) {
	for _, mtu := range []int{1500, 1476} {
		t.Run(fmt.Sprintf("MTU %d", mtu), func(t *testing.T) {
			t.Parallel() // most of it is waiting for the router's assignment
			throughGRE(t, mtu)
		})
	}
}

func throughGRE(t *testing.T, mtu int) {
	// Half of it each way.
	size, small := int64(10<<20), 300
	if os.Getenv("CUTTLE_FULL") != "" {
		size, small = 50<<20, 2000
	}
	s, router := newTown(t)
	var mu sync.Mutex
	largest := map[string]int{}
	saw := func(who string, c net.Conn) {
		size, err := segment(c)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			t.Errorf("%s: %v", who, err)
		}
		largest[who] = max(largest[who], size)
	}
	l, err := s.origin.Listen(":80")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) },
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			saw("origin", r.Context().Value(connKey{}).(net.Conn))
			host, _, _ := net.SplitHostPort(r.RemoteAddr)
			sum, err := digestOf(r.Body)
			number, _ := strconv.ParseUint(r.URL.Query().Get("number"), 10, 64)
			size, _ := strconv.ParseInt(r.URL.Query().Get("size"), 10, 64)
			w.Header().Set("Content-Length", fmt.Sprint(size))
			w.Header().Set("X-Uploaded", fmt.Sprintf("%s %v", sum, err))
			w.Header().Set("X-Seen", host)
			io.Copy(w, content(number, size))
		})}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })

	s.configure(townLines)
	if out, err := s.order("setup"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.gateway.Must("nft", "add table ip whole; add chain ip whole c { type filter hook prerouting priority -500; }; add rule ip whole c ip frag-off & 0x3fff != 0 counter drop")
	control := s.startRouter(router)
	s.launch()
	s.until("the router redirects both ways", func() bool {
		s.ended()
		var routers []struct {
			Groups []struct {
				Service string
				Caches  []struct{ Buckets int }
			}
		}
		json.Unmarshal([]byte(control("status")), &routers)
		held := 0
		for _, r := range routers {
			for _, g := range r.Groups {
				for _, c := range g.Caches {
					held += c.Buckets
				}
			}
		}
		return held == 512
	})
	for _, device := range tunnelsOf(router) {
		router.Must("ip", "link", "set", device, "mtu", strconv.Itoa(mtu))
	}
	client := &http.Client{Timeout: 5 * time.Minute, Transport: &http.Transport{DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			c, err := s.client.Dial(ctx, address)
			if err == nil {
				saw("client", c)
			}
			return c, err
		}}}
	fetch := func(number uint64, size, upload int64) error {
		url := fmt.Sprintf("http://%s/?number=%d&size=%d", streetOrigin4, number, size)
		request, err := http.NewRequest("POST", url, content(number+1, upload))
		if err != nil {
			return err
		}
		request.ContentLength = upload
		reply, err := client.Do(request)
		if err != nil {
			return err
		}
		defer reply.Body.Close()
		got, err := digestOf(reply.Body)
		want, _ := digestOf(content(number, size))
		sent, _ := digestOf(content(number+1, upload))
		if err != nil || got != want || reply.Header.Get("X-Uploaded") != sent+" <nil>" || reply.Header.Get("X-Seen") != streetClient4 || reply.Header.Get("X-Cache") == "" {
			return fmt.Errorf("number %d: %d %v, right body %v, headers %v", number, reply.StatusCode, err, got == want, reply.Header)
		}
		return nil
	}
	if err := fetch(1, size, size); err != nil {
		t.Error(err)
	}
	var fetches sync.WaitGroup
	for worker := range 10 {
		fetches.Go(func() {
			for i := range small / 10 {
				if err := fetch(uint64(100+worker*small/10+i), int64(i%20*700), int64(i%20*90)+1); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	fetches.Wait()
	for _, who := range []string{"client", "origin"} {
		// Time stamps take 12 octets of each segment.
		if size := largest[who]; size > townSegment || size < townSegment-12 {
			t.Errorf("the %s sends segments of %d octets, want %d", who, size, townSegment)
		}
	}
	if rules := s.gateway.Must("nft", "list", "table", "ip", "whole"); !strings.Contains(rules, "packets 0 ") {
		t.Errorf("fragments came:\n%s", rules)
	}
	if n := s.network().GRE; n == nil || n.Delivered < uint64(size)/townSegment || n.Stranger != 0 {
		t.Errorf("GRE: %+v", n)
	}
	if t.Failed() {
		t.Log(s.read("log/cache.log"))
	}
}
