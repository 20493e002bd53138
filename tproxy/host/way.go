package host

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// Way is how packets to an address leave this host.
type Way struct {
	Device string
	MTU    int
	// Source is the address they leave with.
	Source netip.Addr
}

// WayTo asks the kernel's routing.
func WayTo(to netip.Addr) (Way, error) {
	routes, err := netlink.RouteGet(to.AsSlice())
	if err != nil || len(routes) == 0 {
		return Way{}, fmt.Errorf("no route to %v: %w", to, err)
	}
	r := routes[0]
	link, err := netlink.LinkByIndex(r.LinkIndex)
	if err != nil {
		return Way{}, fmt.Errorf("the interface to %v: %w", to, err)
	}
	way := Way{Device: link.Attrs().Name, MTU: link.Attrs().MTU}
	if r.MTU != 0 {
		way.MTU = r.MTU
	}
	if src, ok := netip.AddrFromSlice(r.Src); ok {
		way.Source = src.Unmap()
	}
	return way, nil
}

// Octets GRE adds to a packet with WCCP's redirect header, and those of an IPv4
// and a TCP header without options (fact 23).
const (
	greOverhead = 20 + 4 + 4
	tcpOverhead = 20 + 20
)

// SegmentSize is the largest TCP segment that fits, wrapped by a router, into
// the packets of the way to it.
func (w Way) SegmentSize() uint16 {
	return uint16(min(max(w.MTU-greOverhead-tcpOverhead, 536), 0xffff))
}
