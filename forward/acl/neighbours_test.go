package acl

import (
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
)

func TestNeighbours(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("making a network namespace needs root")
	}
	runtime.LockOSThread() // never unlocked: the thread ends with the test
	space, err := netns.New()
	if err != nil {
		t.Skip("no network namespace: ", err)
	}
	defer space.Close()
	link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "acltest"}, PeerName: "acltest2"}
	if err := netlink.LinkAdd(link); err != nil {
		t.Skip("no veth interface: ", err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		t.Fatal(err)
	}
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 7}
	for _, ip := range []string{"192.0.2.7", "2001:db8::7"} {
		addr := net.ParseIP(ip)
		if err := netlink.NeighSet(&netlink.Neigh{LinkIndex: link.Attrs().Index, State: netlink.NUD_PERMANENT, IP: addr, HardwareAddr: mac}); err != nil {
			t.Fatal(err)
		}
	}
	var n Neighbours
	for ip, want := range map[string]bool{"192.0.2.7": true, "::ffff:192.0.2.7": true, "2001:db8::7": true, "192.0.2.8": false} {
		got, ok := n.HardwareAddress(netip.MustParseAddr(ip))
		if ok != want || ok && got != [6]byte(mac) {
			t.Errorf("%s: %x, %v", ip, got, ok)
		}
	}
}
