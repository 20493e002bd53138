package acl

import (
	"net/netip"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
)

// neighbourAge is how long a reading of the neighbour table is used: a request
// costs at most one look into a map, and a client that just appeared is found
// after that time at the latest.
const neighbourAge = time.Second

// Neighbours reads Ethernet addresses from the kernel's neighbour table (ARP and
// neighbour discovery). The zero value is ready; it implements HardwareAddresses.
type Neighbours struct {
	mu   sync.Mutex
	read time.Time
	macs map[netip.Addr][6]byte
}

// HardwareAddress gives the Ethernet address of a host on the same link; ok is
// false for all others and when the table cannot be read. 2.6 asks the kernel
// each time, and so sees what we see at most a second later.
func (n *Neighbours) HardwareAddress(addr netip.Addr) (mac [6]byte, ok bool) {
	addr = addr.Unmap().WithZone("")
	n.mu.Lock()
	defer n.mu.Unlock()
	if now := time.Now(); n.macs == nil || now.Sub(n.read) >= neighbourAge {
		n.read, n.macs = now, neighbours()
	}
	mac, ok = n.macs[addr]
	return mac, ok
}

// neighbours reads the whole table, of all interfaces and both families. Entries
// without an Ethernet address (incomplete, failed) are left out.
func neighbours() map[netip.Addr][6]byte {
	macs := map[netip.Addr][6]byte{}
	list, err := netlink.NeighList(0, netlink.FAMILY_ALL)
	if err != nil {
		return macs
	}
	const usable = netlink.NUD_REACHABLE | netlink.NUD_STALE | netlink.NUD_DELAY | netlink.NUD_PROBE | netlink.NUD_PERMANENT
	for i := range list {
		addr, ok := netip.AddrFromSlice(list[i].IP)
		if ok && len(list[i].HardwareAddr) == 6 && list[i].State&usable != 0 {
			macs[addr.Unmap()] = [6]byte(list[i].HardwareAddr)
		}
	}
	return macs
}
