package host

import (
	"net"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// family is what differs between IPv4 and IPv6.
type family struct {
	name    string // in findings
	option  string // of ip(8)
	nft     string // of nft(8)
	tables  string // the iptables command
	number  int    // AF_INET, AF_INET6: also nftables' meta nfproto
	netlink int
	any     string
	// how sets and packets hold an address
	address     nftables.SetDatatype
	addressKey  string // of nft(8)
	ipset       string // of ipset(8)
	addressesAt uint32 // offset of the source address in the header
}

var (
	ipv4 = family{"IPv4", "-4", "ip", "iptables", unix.AF_INET, netlink.FAMILY_V4, "0.0.0.0/0", nftables.TypeIPAddr, "ipv4_addr", "inet", 12}
	ipv6 = family{"IPv6", "-6", "ip6", "ip6tables", unix.AF_INET6, netlink.FAMILY_V6, "::/0", nftables.TypeIP6Addr, "ipv6_addr", "inet6", 8}
)

// all is the prefix of every address of the family.
func (f family) all() *net.IPNet {
	_, all, err := net.ParseCIDR(f.any)
	if err != nil {
		panic(err) // a constant above
	}
	return all
}
