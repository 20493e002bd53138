package main

import (
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/wccp2/routersim/simcache"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

func fragmentOutside(t *testing.T, conn *net.IPConn) {
	raw, err := conn.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DONT)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func plain(*simcache.Cache) {}

func TestWithoutACacheTheRouterForwards(t *testing.T) {
	n := buildNetwork(t)
	n.start()
	n.fetch(1000)
	if rules := n.router.Must("nft", "list", "table", "ip", "routersim"); strings.Contains(rules, "mark set") {
		t.Errorf("packets are marked though no service has a cache:\n%s", rules)
	}
}

func TestBothDirectionsGoThroughTheCacheByGRE(t *testing.T) {
	n := buildNetwork(t)
	n.start()
	cache := n.fakeCache(plain)
	cache.join()
	cache.assign()
	cache.returnGRE()
	n.fetch(300_000) // full packets do not fit in GRE: the outer ones are fragmented
	out := n.await("redirected", "dynamic/80")
	if out["cache"] != cacheAddr || out["destination"] != originAddr+":80" {
		t.Errorf("request %v", out)
	}
	back := n.await("redirected", "dynamic/90")
	if back["cache"] != cacheAddr || back["source"] != originAddr+":80" || back["bucket"] != out["bucket"] {
		t.Errorf("reply %v", back)
	}
	for _, service := range []string{"dynamic/80", "dynamic/90"} {
		if n.counted(service, "gre") == 0 {
			t.Errorf("%s: nothing sent in GRE; counts %s", service, n.order("counts"))
		}
	}
}

func TestBothDirectionsGoThroughTheCacheByLayer2(t *testing.T) {
	n := buildNetwork(t)
	n.cache.Sysctl("net.ipv4.ip_forward", "1")
	n.cache.Sysctl("net.ipv4.conf.all.send_redirects", "0")
	n.cache.Sysctl("net.ipv4.conf.eth0.send_redirects", "0")
	n.start()
	cache := n.fakeCache(func(c *simcache.Cache) { c.Forwarding, c.Return = wire.MethodL2, wire.MethodL2 })
	cache.join()
	cache.assign()
	n.fetch(300_000)
	for _, service := range []string{"dynamic/80", "dynamic/90"} {
		if n.counted(service, "l2") == 0 {
			t.Errorf("%s: nothing sent by layer 2; counts %s", service, n.order("counts"))
		}
	}
}

func TestMaskAssignmentRedirects(t *testing.T) {
	n := buildNetwork(t)
	n.start()
	cache := n.fakeCache(func(c *simcache.Cache) { c.Assignment = wire.MethodMask })
	cache.join()
	two, none := netip.MustParseAddr("0.0.0.2"), netip.IPv4Unspecified()
	for i, mask := range []wire.Mask{{SrcAddr: two, DstAddr: none}, {SrcAddr: none, DstAddr: two}} { // the client's address ends in 2
		c := cache.caches[i]
		cache.send(c.AssignMask(wire.MaskValueSet{Mask: mask, Values: []wire.Value{{Mask: wire.Mask{SrcAddr: none, DstAddr: none}, Cache: c.Router}, {Mask: mask, Cache: c.Address}}}))
		n.await("assigned", c.Service.ServiceID.String())
	}
	cache.returnGRE()
	n.fetch(1000)
	if out := n.await("redirected", "dynamic/80"); out["bucket"] != 1.0 {
		t.Errorf("request %v", out)
	}
	n.await("redirected", "dynamic/90")
}

func TestUnassignedBucketsAreForwarded(t *testing.T) {
	n := buildNetwork(t)
	n.start()
	cache := n.fakeCache(plain)
	cache.join()
	var nobody = cache.caches[0].Address
	nobody = nobody.Prev() // not a cache of the group
	for _, c := range cache.caches {
		cache.send(c.AssignHash(nobody))
		n.await("assigned", c.Service.ServiceID.String())
	}
	n.fetch(100_000)
	if n.counted("dynamic/80", "unassigned") == 0 || n.counted("dynamic/80", "gre") != 0 {
		t.Errorf("counts %s", n.order("counts"))
	}
}

func TestARestartStopsRedirection(t *testing.T) {
	n := buildNetwork(t)
	n.start()
	cache := n.fakeCache(plain)
	cache.join()
	cache.assign()
	n.order("restart")
	n.await("restarted", "")
	n.fetch(1000)
	if got := n.counted("dynamic/80", "gre"); got != 0 {
		t.Errorf("%d packets redirected", got)
	}
	cache.join() // still believes it is listed
	for _, c := range cache.caches {
		cache.exchange(c)
		cache.exchange(c)
	}
	cache.assign()
	cache.returnGRE()
	n.fetch(1000)
	n.await("redirected", "dynamic/90")
}

// TestTheNamespaceIsGivenBack compares what the kernel shows before and after, for
// an orderly end and for a kill followed by another run.
func TestTheNamespaceIsGivenBack(t *testing.T) {
	n := buildNetwork(t)
	picture := func() string {
		state := n.router.Must("nft", "list", "ruleset") + n.router.Must("ip", "rule") + n.router.Must("ip", "-4", "route", "show", "table", "all") + n.router.Must("ip", "-o", "link", "show", "type", "tun")
		for _, name := range []string{"net.ipv4.ip_forward", "net.ipv4.conf.all.rp_filter"} {
			value, err := n.router.ReadSysctl(name)
			if err != nil {
				t.Fatal(err)
			}
			state += name + "=" + value + "\n"
		}
		return state
	}
	n.router.Sysctl("net.ipv4.conf.all.rp_filter", "1")
	before := picture()
	redirecting := func() {
		n.start()
		cache := n.fakeCache(plain)
		cache.join()
		cache.assign()
		cache.socket.Close()
		if picture() == before {
			t.Error("nothing to see of a redirecting router")
		}
	}
	redirecting()
	n.process.Stop()
	if after := picture(); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}

	redirecting()
	syscall.Kill(n.process.Cmd.Process.Pid, syscall.SIGKILL)
	<-n.process.Done()
	redirecting()
	n.process.Stop()
	if rules := n.router.Must("nft", "list", "ruleset") + n.router.Must("ip", "rule"); strings.Contains(rules, "routersim") || strings.Contains(rules, "fwmark") {
		t.Errorf("left over after a kill and a clean run:\n%s", rules)
	}
}
