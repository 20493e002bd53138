package host

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/vishvananda/netlink"

	"github.com/cuttle-proxy/cuttle/tproxy"
)

// paths looks at the ways to the routers, and at the addresses the configuration
// takes for the host's own.
func paths(i Inspection) []Finding {
	var all []Finding
	own := ownAddresses()
	for _, n := range i.Local {
		if !own[n.Addr] {
			all = append(all, Finding{"address", Fail, fmt.Sprintf("%s %v is not an address of this host", n.Directive, n.Addr),
				"connections from it cannot be made", "correct " + n.Directive + ", or add the address to an interface"})
		}
	}
	if i.GRE == nil {
		return all
	}
	for _, router := range i.GRE.Routers {
		all = append(all, pathTo(router, i)...)
	}
	return all
}

func pathTo(router netip.Addr, i Inspection) []Finding {
	way, err := WayTo(router)
	if err != nil {
		return []Finding{{"router", Fail, err.Error(), "the router cannot be told where to send packets", "see `ip route get " + router.String() + "`"}}
	}
	all := []Finding{{ID: "mtu", Fact: fmt.Sprintf("packets of %d octets reach router %v by %s; segments of connections are kept to %d", way.MTU, router, way.Device, way.SegmentSize())}}
	if way.MTU < 1280 {
		all[0].Level, all[0].Why, all[0].Remedy = Warn, "wrapped packets leave little room", fmt.Sprintf("ip link set %s mtu 1500, if the wire allows it", way.Device)
	}
	if i.Announced.IsValid() && i.Announced != way.Source {
		return append(all, Finding{"announced_address", Warn, fmt.Sprintf("router %v is told %v, but packets to it leave with %v", router, i.Announced, way.Source),
			"the router may answer, or send packets, to an address that is not reached", "correct wccp2_address, or the route's source address"})
	}
	return append(all, Finding{ID: "announced_address", Fact: fmt.Sprintf("router %v knows this cache as %v", router, way.Source)})
}

func ownAddresses() map[netip.Addr]bool {
	own := map[netip.Addr]bool{}
	list, err := netlink.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return own
	}
	for _, a := range list {
		if addr, ok := netip.AddrFromSlice(a.IP); ok {
			own[addr.Unmap()] = true
		}
	}
	return own
}

// sockets tries the ports the proxy will listen on.
func sockets(i Inspection) []Finding {
	var all []Finding
	for _, addr := range i.Listen {
		ls, err := tproxy.Listen(context.Background(), tproxy.ListenOptions{Addr: addr})
		for _, l := range ls {
			l.Close()
		}
		name := net.JoinHostPort(hostOf(addr), fmt.Sprint(addr.Port()))
		switch {
		case err == nil:
			all = append(all, Finding{ID: "port", Fact: name + " is free"})
		case errors.Is(err, syscall.EADDRINUSE) && i.Running:
			all = append(all, Finding{ID: "port", Fact: name + " is in use, as the proxy is running"})
		default:
			all = append(all, portFinding(name, addr, err))
		}
	}
	return all
}

func hostOf(addr netip.AddrPort) string {
	if !addr.Addr().IsValid() {
		return ""
	}
	return addr.Addr().String()
}

func portFinding(name string, addr netip.AddrPort, err error) Finding {
	f := Finding{"port", Fail, name + " cannot be opened: " + err.Error(), "the proxy will not start", ""}
	var refused *tproxy.ListenError
	if errors.As(err, &refused) && refused.Remedy != "" {
		f.Fact, f.Remedy = fmt.Sprintf("%s cannot be opened: %v", name, refused.Err), refused.Remedy
	}
	return f
}
