package acl

import (
	"net/netip"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
)

// neighbourAge is how long an entry of a reading of the neighbour table is believed.
const neighbourAge = time.Second

// Neighbours reads Ethernet addresses from the kernel's neighbour table (ARP and
// neighbour discovery). The zero value is ready; it implements HardwareAddresses.
//
// A hit costs a look into a map. That an address is not there is only said of a
// reading begun after the question: a client is in the kernel's table before its
// request is here, and one that just appeared must meet the rules about it. Those who
// ask meanwhile share the next reading (0.2 ms with 1,000 entries), so that clients
// behind a router, who are never found, cost no more than one reading after the other.
type Neighbours struct {
	mu   sync.Mutex // guards read and macs
	read time.Time  // when the reading of macs began
	macs map[netip.Addr][6]byte

	reading sync.Mutex // held while the table is read

	// table and now are the kernel and the clock, nil for the real ones.
	table func() map[netip.Addr][6]byte
	now   func() time.Time
}

// HardwareAddress gives the Ethernet address of a host on the same link; ok is
// false for all others and when the table cannot be read.
func (n *Neighbours) HardwareAddress(addr netip.Addr) (mac [6]byte, ok bool) {
	addr = addr.Unmap().WithZone("")
	asked := n.clock()
	if mac, ok = n.known(addr, asked.Add(-neighbourAge)); ok {
		return mac, true
	}
	n.reading.Lock()
	defer n.reading.Unlock()
	n.mu.Lock()
	shared := !n.read.Before(asked) // somebody began a reading after we asked
	n.mu.Unlock()
	if !shared {
		begun, macs := n.clock(), n.kernel()
		n.mu.Lock()
		n.read, n.macs = begun, macs
		n.mu.Unlock()
	}
	return n.known(addr, asked)
}

// known looks into the last reading, if it began at since or later.
func (n *Neighbours) known(addr netip.Addr, since time.Time) (mac [6]byte, ok bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.macs == nil || n.read.Before(since) {
		return mac, false
	}
	mac, ok = n.macs[addr]
	return mac, ok
}

func (n *Neighbours) clock() time.Time {
	if n.now != nil {
		return n.now()
	}
	return time.Now()
}

func (n *Neighbours) kernel() map[netip.Addr][6]byte {
	if n.table != nil {
		return n.table()
	}
	return neighbours()
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
