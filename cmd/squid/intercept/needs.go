package intercept

import (
	"net/netip"

	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Rights are the capabilities a serving process keeps when it gives root up. A
// plain forward proxy keeps only the right to low ports (a reconfigure may name
// one); a proxy that intercepts also marks sockets and binds to foreign addresses, and
// one that marks hits may need more (zph_mode).
func Rights(cfg *conf.Config) []cap.Value {
	rights := []cap.Value{cap.NET_BIND_SERVICE}
	if Wanted(cfg) || cfg.ZPHMode == conf.ZPHPriority && max(cfg.ZPHLocal, cfg.ZPHSibling, cfg.ZPHParent) > 6 {
		rights = append(rights, cap.NET_ADMIN)
	}
	if decapsulates(cfg) || cfg.ZPHMode == conf.ZPHOption {
		rights = append(rights, cap.NET_RAW)
	}
	return rights
}

// Wanted reports whether any port takes connections meant for other hosts.
func Wanted(cfg *conf.Config) bool {
	for _, p := range cfg.Ports() {
		if p.Transparent || p.TProxy {
			return true
		}
	}
	return false
}

// spoofs reports whether any port connects under its clients' addresses.
func spoofs(cfg *conf.Config) bool {
	for _, p := range cfg.Ports() {
		if p.TProxy {
			return true
		}
	}
	return false
}

// decapsulates reports whether packets of a WCCP router may reach us in GRE.
func decapsulates(cfg *conf.Config) bool {
	return len(greRouters(cfg)) > 0 && Wanted(cfg)
}

// greRouters are the routers that send packets in GRE: those of version 2 where
// that is the method, and that of version 1, which knows no other.
func greRouters(cfg *conf.Config) (list []netip.Addr) {
	if cfg.WCCP.ForwardingMethod == conf.WCCPGRE {
		for _, r := range cfg.WCCP.V2Routers {
			list = append(list, r.Addr().Unmap())
		}
	}
	if r := cfg.WCCP.Router; r.IsValid() && !r.IsUnspecified() {
		list = append(list, r.Unmap())
	}
	return list
}
