package main

import (
	"strings"
	"testing"
)

// newInterface gives the gateway one that is strict about reverse paths.
func (s *street) newInterface(name string) {
	s.t.Helper()
	s.gateway.Sysctl("net.ipv4.conf.default.rp_filter", "1")
	s.gateway.Must("ip", "link", "add", name, "type", "veth", "peer", "name", name+"peer")
	s.gateway.Must("ip", "link", "set", name, "up")
}

// An interface that comes later is made ready by network_setup, although the
// process gave root up; a reconfigure that asks for network_setup does it, one that
// no longer does takes it back.
func TestNetworkSetupFollowsTheHost(t *testing.T) {
	const port = "http_port 3129 transparent tproxy\n"
	s := newStreet(t)
	s.configure(port)
	s.start("3129")
	fetches := []visit{
		{"intercepted", streetOrigin4 + ":80", originForm(streetOrigin4), streetClient4},
		{"intercepted IPv6", "[" + streetOrigin6 + "]:80", originForm("six.example"), streetClient6},
	}
	tables := func() bool { return strings.Contains(s.gateway.Must("nft", "list", "tables"), "cuttle") }
	if tables() {
		t.Fatal("rules without network_setup")
	}
	s.reconfigure(port + "network_setup on\n")
	s.until("there are rules", tables)
	s.visits(fetches)
	s.newInterface("late0")
	s.until("the late interface is ready", func() bool {
		v, err := s.gateway.ReadSysctl("net.ipv4.conf.late0.rp_filter")
		return err == nil && v != "1" // loose is enough
	})
	s.reconfigure(port)
	s.until("the rules are gone", func() bool { return !tables() })
	for _, forwards := range []string{"net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"} {
		if v, err := s.gateway.ReadSysctl(forwards); err != nil || v != "0" {
			t.Errorf("%s is %s, %v", forwards, v, err)
		}
	}
}

// Without network_setup an interface that comes later is looked at and told of.
func TestLateInterfaceIsToldOf(t *testing.T) {
	s := newStreet(t)
	s.configure("http_port 3129 transparent tproxy\n")
	if out, err := s.order("setup"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.start("3129")
	s.network() // the watching has begun
	s.newInterface("late0")
	s.until("it is told of", func() bool {
		log := s.read("log/cache.log")
		return strings.Contains(log, "preflight: rp_filter: ") && strings.Contains(log, "late0")
	})
	if n := strings.Count(s.read("log/cache.log"), "late0.rp_filter is"); n != 1 {
		t.Errorf("told of %d times", n)
	}
}
