package host

import (
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/tproxy"
)

// example are addresses for documentation (RFC 5737, RFC 3849), which belong to
// nobody: where they go tells where any foreign address would go.
func (f family) example() netip.Addr {
	if f.number == unix.AF_INET6 {
		return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 15: 1})
	}
	return netip.AddrFrom4([4]byte{192, 0, 2, 1})
}

// divertWorks asks the kernel where a marked packet to a foreign address goes:
// it must be this host.
func divertWorks(f family) bool {
	routes, err := netlink.RouteGetWithOptions(f.example().AsSlice(), &netlink.RouteGetOptions{Mark: tproxy.DivertMark})
	return err == nil && len(routes) == 1 && routes[0].Type == unix.RTN_LOCAL
}
