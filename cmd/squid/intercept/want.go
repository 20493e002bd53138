package intercept

import (
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/tproxy/gre"
	"github.com/cuttle-proxy/cuttle/tproxy/host"
)

// Want is what a configuration needs of the host.
func Want(cfg *conf.Config) host.Want {
	w := host.Want{IPv4: true}
	var listeners []*conf.HTTPPort
	for _, p := range cfg.Ports() {
		if p.Transparent || p.TProxy {
			listeners = append(listeners, p)
			w.IPv6 = w.IPv6 || anyAddress(p) && (p.Addr.Addr().Is6() || hostHasIPv6() && admitsIPv6(cfg))
		}
	}
	if len(listeners) == 0 {
		return w
	}
	w.RejectQUIC = cfg.RejectQUIC
	for _, of := range interceptedPorts(cfg, listeners) {
		p := listenerFor(of, listeners)
		port := host.Port{Of: of, To: p.Addr.Port()}
		if !anyAddress(p) {
			port.Addr = p.Addr.Addr()
			w.IPv6 = w.IPv6 || port.Addr.Is6()
		}
		if p.TProxy {
			w.TProxy = append(w.TProxy, port)
		} else {
			w.Redirect = append(w.Redirect, port)
		}
	}
	if decapsulates(cfg) {
		w.GRE = &host.GRE{Device: kernelTunnel(), MSS: segmentSize(cfg)}
		if w.GRE.Device == "" {
			w.GRE.Device = gre.DefaultDevice
		}
		w.GRE.Routers = greRouters(cfg)
	}
	return w
}

func anyAddress(p *conf.HTTPPort) bool {
	return p.Addr.Addr().IsUnspecified() && p.Host == ""
}

// listenerFor chooses among the intercepting ports: the one of the same number,
// else the first that speaks what is spoken there, TLS on 443 and HTTP elsewhere.
func listenerFor(of uint16, listeners []*conf.HTTPPort) *conf.HTTPPort {
	for _, p := range listeners {
		if p.Addr.Port() == of {
			return p
		}
	}
	for _, p := range listeners {
		if p.Passes == (of == portTLS) {
			return p
		}
	}
	return listeners[0]
}

// portTLS is where https is, unless a URL says otherwise.
const portTLS = 443

// interceptedPorts are the clients' destination ports: those of the WCCP
// services that look at destinations, or the web's where there are none: 80 for an
// http_port, 443 for an https_port.
func interceptedPorts(cfg *conf.Config, listeners []*conf.HTTPPort) []uint16 {
	seen := map[uint16]bool{}
	var list []uint16
	for _, s := range cfg.WCCP.Services {
		if !s.HasInfo || s.Flags&conf.WCCPPortsSource != 0 {
			continue
		}
		for _, port := range s.Ports {
			if port != 0 && !seen[port] {
				seen[port] = true
				list = append(list, port)
			}
		}
	}
	if len(list) > 0 {
		return list
	}
	for _, p := range listeners {
		of := uint16(80)
		if p.Passes {
			of = portTLS
		}
		if !seen[of] {
			seen[of] = true
			list = append(list, of)
		}
	}
	return list
}

// hostHasIPv6 reports whether this host takes part in IPv6: it has an address that
// others reach (a unique local one is enough), or forwards already, as a router
// with nothing but link-local addresses does. On other hosts a port of both
// families must not switch IPv6 forwarding on behind the operator's back; one
// that names an IPv6 address asks for it. Nor is it intercepted where the rules would
// refuse whoever comes by it (admitsIPv6).
func hostHasIPv6() bool {
	forwards, err := os.ReadFile("/proc/sys/net/ipv6/conf/all/forwarding")
	if err == nil && len(forwards) > 0 && forwards[0] == '1' {
		return true
	}
	addrs, err := netlink.AddrList(nil, netlink.FAMILY_V6)
	if err != nil {
		return false
	}
	for _, a := range addrs {
		ip, ok := netip.AddrFromSlice(a.IP)
		if ok && ip.IsGlobalUnicast() {
			return true
		}
	}
	return false
}

// segmentSize is the largest TCP segment that fits through the routers' GRE; 0
// when no router can be reached yet, which leaves segments alone.
func segmentSize(cfg *conf.Config) uint16 {
	var least uint16
	for _, r := range greRouters(cfg) {
		way, err := host.WayTo(r)
		if err != nil {
			continue
		}
		if size := way.SegmentSize(); least == 0 || size < least {
			least = size
		}
	}
	return least
}
