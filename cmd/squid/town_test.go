package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
	"github.com/cuttle-proxy/cuttle/wccp2"
)

// The founding network with the binaries as they are shipped:
//
//	client 10.1.0.2 --- sub0 [router] net0 --- origin 10.2.0.2
//	                     proxy0
//	                       |
//	                  gateway 10.66.0.20, the cache
//
// WCCP is spoken by IPv4. With routeIPv6 the router sends the web of IPv6 to the cache
// by policy routing, both ways.
const (
	townRouter, townCache   = "10.66.0.1", "10.66.0.20"
	townRouter6, townCache6 = "fd66::1", "fd66::20"
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
	build := exec.Command("go", "build", "-o", path, "../routersim")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as everything else is built
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building routersim: %w\n%s", err, out)
	}
	return path, nil
})

// newTown is a street whose gateway is a cache beside a WCCP router.
func newTown(t testing.TB) (s *street, router *netlab.Node) {
	s, router, _ = newTownLab(t)
	return s, router
}

func newTownLab(t testing.TB) (s *street, router *netlab.Node, lab *netlab.Lab) {
	dir := t.TempDir() // before the lab, as in newStreet
	lab = netlab.ForTest(t)
	s = &street{t: t, dir: dir, client: lab.Node("client"), gateway: lab.Node("gateway"), origin: lab.Node("origin")}
	router = lab.Node("router")
	lab.Link(netlab.End{Node: s.client, Name: "eth0", Addrs: []string{streetClient4 + "/24", streetClient6 + "/64"}},
		netlab.End{Node: router, Name: "sub0", Addrs: []string{streetGateway4 + "/24", streetGateway6 + "/64"}})
	lab.Link(netlab.End{Node: s.origin, Name: "eth0", Addrs: []string{streetOrigin4 + "/24", streetOrigin6 + "/64"}},
		netlab.End{Node: router, Name: "net0", Addrs: []string{streetOutside4 + "/24", streetOutside6 + "/64"}})
	lab.Link(netlab.End{Node: s.gateway, Name: "eth0", Addrs: []string{townCache + "/24", townCache6 + "/64"}},
		netlab.End{Node: router, Name: "proxy0", Addrs: []string{townRouter + "/24", townRouter6 + "/64"}})
	for node, by := range map[*netlab.Node][]string{
		s.client: {streetGateway4, streetGateway6}, s.origin: {streetOutside4, streetOutside6}, s.gateway: {townRouter, townRouter6},
	} {
		node.Route("default", by[0])
		node.Route("default", by[1])
	}
	s.makeDir()
	return s, router, lab
}

// startRouter runs routersim, with more commands, until it redirects.
func (s *street) startRouter(router *netlab.Node, more ...string) (control func(words ...string) string) {
	s.t.Helper()
	path, err := routersimBinary()
	if err != nil {
		s.t.Fatal(err)
	}
	socket := filepath.Join(s.t.TempDir(), "control")
	args := []string{"-router", townRouter, "-control", socket, "-events", "/dev/null"}
	for _, line := range append([]string{"interface sub0", "ip wccp 80 redirect in", "ip wccp 90 redirect out", "interface proxy0", "ip wccp redirect exclude in"}, more...) {
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

// startRouter6 runs the control plane of a router with an IPv6 address, which
// redirects nothing.
func (s *street) startRouter6(router *netlab.Node) {
	s.t.Helper()
	path, err := routersimBinary()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(path, "-router", townRouter6, "-events", "/dev/null", "-command", "ip wccp 80", "-command", "ip wccp 90")
	cmd.Stderr = os.Stderr
	if _, err := router.Start(cmd); err != nil {
		s.t.Fatal(err)
	}
}

// bucketsAt is how many buckets of all services squid -k wccp shows at a router.
func (s *street) bucketsAt(router string) (sum int) {
	var status wccp2.Status
	out, err := s.order("wccp", "--json")
	if err != nil || json.Unmarshal([]byte(out), &status) != nil {
		return 0
	}
	for _, service := range status.Services {
		for _, r := range service.Routers {
			if r.Router.String() == router && r.State == wccp2.StateServing {
				sum += r.Buckets
			}
		}
	}
	return sum
}

// join runs routersim and launches the cache, until that has the buckets of both
// services.
func (s *street) join(router *netlab.Node) {
	s.t.Helper()
	control := s.startRouter(router)
	s.launch()
	s.until("the router redirects both ways", func() bool {
		s.ended()
		return bucketsHeld(control) == 512
	})
}

// bucketsHeld counts the buckets of all services.
func bucketsHeld(control func(...string) string) (held int) {
	var routers []struct {
		Groups []struct {
			Service string
			Caches  []struct{ Buckets int }
		}
	}
	json.Unmarshal([]byte(control("status")), &routers)
	for _, r := range routers {
		for _, g := range r.Groups {
			for _, c := range g.Caches {
				held += c.Buckets
			}
		}
	}
	return held
}

// routeIPv6 has the router send what subscribers say to these ports, and what is
// answered from them, to the cache.
func routeIPv6(router *netlab.Node, ports ...string) {
	const table = "166"
	router.Sysctl("net.ipv6.conf.all.forwarding", "1")
	router.Must("ip", "-6", "route", "add", "default", "via", townCache6, "dev", "proxy0", "table", table)
	for _, port := range ports {
		router.Must("ip", "-6", "rule", "add", "iif", "sub0", "ipproto", "tcp", "dport", port, "lookup", table)
		router.Must("ip", "-6", "rule", "add", "iif", "net0", "ipproto", "tcp", "sport", port, "lookup", table)
	}
}
