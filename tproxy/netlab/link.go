package netlab

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// End is one end of a Link.
type End struct {
	Node  *Node
	Name  string   // of the interface
	Addrs []string // "10.0.0.1/24", "fd00::1/64"
	MTU   int      // 0: 1500
	MAC   string   // "": chosen by the kernel
}

// Link joins two nodes by a veth pair and brings it up.
func (l *Lab) Link(a, b End) {
	l.step(fmt.Sprintf("link %s/%s - %s/%s", a.Node.Name, a.Name, b.Node.Name, b.Name), func() error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = a.Name
		attrs.Namespace = netlink.NsFd(int(a.Node.ns))
		veth := &netlink.Veth{
			LinkAttrs:     attrs,
			PeerName:      b.Name,
			PeerNamespace: netlink.NsFd(int(b.Node.ns)),
		}
		if err := a.Node.link.LinkAdd(veth); err != nil {
			return err
		}
		for _, e := range []End{a, b} {
			if e.Node.here {
				e.Node.ends = append(e.Node.ends, e.Name)
			}
		}
		if err := a.up(); err != nil {
			return err
		}
		return b.up()
	})
}

func (e End) up() error {
	h := e.Node.link
	link, err := h.LinkByName(e.Name)
	if err != nil {
		return err
	}
	if err := e.Node.Do(func() error { return offloadsOff(e.Name) }); err != nil {
		return fmt.Errorf("offloads of %s: %w", e.Name, err)
	}
	if e.MTU != 0 {
		if err := h.LinkSetMTU(link, e.MTU); err != nil {
			return err
		}
	}
	if e.MAC != "" {
		mac, err := net.ParseMAC(e.MAC)
		if err != nil {
			return err
		}
		if err := h.LinkSetHardwareAddr(link, mac); err != nil {
			return err
		}
	}
	if err := h.LinkSetUp(link); err != nil {
		return err
	}
	for _, a := range e.Addrs {
		if err := addAddr(h, link, a); err != nil {
			return err
		}
	}
	return nil
}

func addAddr(h *netlink.Handle, link netlink.Link, text string) error {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return err
	}
	addr := &netlink.Addr{IPNet: ipNet(prefix)}
	if prefix.Addr().Is6() {
		addr.Flags = unix.IFA_F_NODAD
	}
	if err := h.AddrAdd(link, addr); err != nil {
		return fmt.Errorf("address %s: %w", text, err)
	}
	return nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	a := p.Addr()
	return &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(p.Bits(), a.BitLen())}
}

// Addr adds addresses to an interface of the node, "lo" for instance.
func (n *Node) Addr(iface string, addrs ...string) {
	n.lab.step(fmt.Sprintf("%s: addresses of %s", n.Name, iface), func() error {
		link, err := n.link.LinkByName(iface)
		if err != nil {
			return err
		}
		for _, a := range addrs {
			if err := addAddr(n.link, link, a); err != nil {
				return err
			}
		}
		return nil
	})
}

// Route adds a route to a prefix, or to "default", by a gateway. The family of
// a default route is the gateway's.
func (n *Node) Route(to, gateway string) {
	n.lab.step(fmt.Sprintf("%s: route %s by %s", n.Name, to, gateway), func() error {
		via, err := netip.ParseAddr(gateway)
		if err != nil {
			return err
		}
		route := &netlink.Route{Gw: via.AsSlice()}
		if to != "default" {
			prefix, err := netip.ParsePrefix(to)
			if err != nil {
				return err
			}
			route.Dst = ipNet(prefix)
		}
		return n.link.RouteReplace(route)
	})
}

// Bridge makes a bridge of interfaces the node has already and brings it up.
func (n *Node) Bridge(name string, addrs []string, ports ...string) {
	n.lab.step(fmt.Sprintf("%s: bridge %s", n.Name, name), func() error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name = name
		bridge := &netlink.Bridge{LinkAttrs: attrs}
		if err := n.link.LinkAdd(bridge); err != nil {
			return err
		}
		for _, p := range ports {
			port, err := n.link.LinkByName(p)
			if err != nil {
				return err
			}
			if err := n.link.LinkSetMaster(port, bridge); err != nil {
				return err
			}
		}
		return End{Node: n, Name: name, Addrs: addrs}.up()
	})
}
