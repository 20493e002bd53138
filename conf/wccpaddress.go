package conf

import (
	"fmt"
	"net/netip"
	"slices"
)

// checkWCCPAddress refuses wccp2_address beside an IPv6 router: WCCP has one socket, and
// none that is bound to an address reaches both families.
func (b *builder) checkWCCPAddress() {
	w := &b.cfg.WCCP
	if w.V2Address.IsUnspecified() {
		return
	}
	if i := slices.IndexFunc(w.V2Routers, func(a netip.AddrPort) bool { return a.Addr().Is6() }); i >= 0 {
		b.refuseWhole("wccp2_address", 1, fmt.Sprintf("wccp2_address %s cannot be given beside the IPv6 router %s", w.V2Address, w.V2Routers[i].Addr()),
			"Routers of both families are spoken to from one socket, which then has no address of its own: leave the line out.")
	}
}
