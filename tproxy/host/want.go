package host

import (
	"net/netip"
	"slices"
)

// Port is a port of other hosts whose connections are to arrive at a port of ours.
type Port struct {
	Of uint16 // the clients' destination
	To uint16 // the proxy's listener
	// Addr is the listener's address when it has a certain one. A rule without it
	// finds listeners on any address only.
	Addr netip.Addr
}

// serves reports whether the listener takes connections of a family.
func (p Port) serves(f family) bool {
	return !p.Addr.IsValid() || p.Addr.Is4() == (f.number == ipv4.number)
}

// GRE says that a router sends packets wrapped.
type GRE struct {
	// Device is where unwrapped packets appear: the decapsulator's TUN device or
	// the kernel's tunnel. It need not exist yet.
	Device string
	// Routers are the addresses of the routers, as far as known.
	Routers []netip.Addr
	// MSS is the largest TCP segment of IPv4 that fits through the wrapping (fact 23), of
	// which IPv6's is smaller by what its header is longer;
	// connections that are merely forwarded are clamped to it. 0 for no clamping.
	MSS uint16
}

// Want is what the proxy needs of the host.
type Want struct {
	// TProxy ports are taken by TPROXY rules, Redirect ports by REDIRECT.
	TProxy, Redirect []Port
	// IPv4 and IPv6 say which families are intercepted.
	IPv4, IPv6 bool
	// Interfaces limits interception to what comes in by them; empty for all.
	Interfaces []string
	// RejectQUIC has UDP to port 443 refused that this host forwards.
	RejectQUIC bool
	// GRE is nil where packets come unwrapped.
	GRE *GRE
}

// Intercepts reports whether there is anything to do.
func (w Want) Intercepts() bool { return len(w.TProxy)+len(w.Redirect) > 0 }

// families lists the address families wanted, IPv4 first.
func (w Want) families() []family {
	var list []family
	if w.IPv4 {
		list = append(list, ipv4)
	}
	if w.IPv6 {
		list = append(list, ipv6)
	}
	return list
}

// usesGRE reports whether an interface is the one unwrapped packets come by.
func (w Want) usesGRE(iface string) bool { return w.GRE != nil && w.GRE.Device == iface }

func (w Want) listens(iface string) bool {
	return len(w.Interfaces) == 0 || slices.Contains(w.Interfaces, iface) || w.usesGRE(iface)
}
