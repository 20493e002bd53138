package acl

import (
	"maps"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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
	var n Neighbours
	n.HardwareAddress(netip.MustParseAddr("192.0.2.7")) // whoever shows up afterwards is found all the same
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 7}
	for _, ip := range []string{"192.0.2.7", "2001:db8::7"} {
		addr := net.ParseIP(ip)
		if err := netlink.NeighSet(&netlink.Neigh{LinkIndex: link.Attrs().Index, State: netlink.NUD_PERMANENT, IP: addr, HardwareAddr: mac}); err != nil {
			t.Fatal(err)
		}
	}
	for ip, want := range map[string]bool{"192.0.2.7": true, "::ffff:192.0.2.7": true, "2001:db8::7": true, "192.0.2.8": false} {
		got, ok := n.HardwareAddress(netip.MustParseAddr(ip))
		if ok != want || ok && got != [6]byte(mac) {
			t.Errorf("%s: %x, %v", ip, got, ok)
		}
	}
}

// TestNewNeighboursMeetTheirRules: an address is called unknown only by a reading
// begun after the question, however young the last one; a hit is believed for a while.
func TestNewNeighboursMeetTheirRules(t *testing.T) {
	table, readings := map[netip.Addr][6]byte{}, 0
	now := time.Unix(1000, 0)
	n := Neighbours{now: func() time.Time { return now }, table: func() map[netip.Addr][6]byte { readings++; return maps.Clone(table) }}
	for i := range 22 {
		now = now.Add(10 * time.Millisecond)
		addr := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
		table[addr] = [6]byte{2, 0, 0, 0, 0, byte(i)}
		for range 3 {
			if mac, ok := n.HardwareAddress(addr); !ok || mac[5] != byte(i) {
				t.Fatalf("%v: %x, %v", addr, mac, ok)
			}
		}
	}
	if readings != 22 {
		t.Errorf("%d readings for 22 new clients", readings)
	}
	now = now.Add(neighbourAge + 1)
	delete(table, netip.MustParseAddr("192.0.2.3"))
	if _, ok := n.HardwareAddress(netip.MustParseAddr("192.0.2.3")); ok || readings != 23 {
		t.Errorf("who left is known after %v (%d readings)", neighbourAge, readings)
	}
}

// TestNeighboursShareReadings: those who ask while the table is read share the next
// reading, and all are answered by one begun after their question.
func TestNeighboursShareReadings(t *testing.T) {
	const askers = 50
	begun, goOn, asked := make(chan bool, askers), make(chan bool), make(chan bool, 2*askers)
	var tick atomic.Int64
	n := Neighbours{
		table: func() map[netip.Addr][6]byte { begun <- true; <-goOn; return map[netip.Addr][6]byte{} },
		now:   func() time.Time { asked <- true; return time.Unix(tick.Load(), 0) },
	}
	var group sync.WaitGroup
	ask := func() {
		defer group.Done()
		if _, ok := n.HardwareAddress(netip.MustParseAddr("192.0.2.1")); ok {
			t.Error("found in an empty table")
		}
	}
	group.Add(1 + askers)
	go ask()
	<-begun
	<-asked
	<-asked // the clock is asked once more when a reading begins
	tick.Store(1)
	for range askers {
		go ask()
	}
	for range askers {
		<-asked
	}
	tick.Store(2)
	close(goOn)
	group.Wait()
	if further := len(begun); further != 1 {
		t.Errorf("%d further readings for %d askers", further, askers)
	}
}
