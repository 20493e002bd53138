package gre

import (
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/cuttle-proxy/cuttle/tproxy"
	"github.com/cuttle-proxy/cuttle/tproxy/rights"
)

const (
	// returnTable is the routing table of packets that go back to their router.
	returnTable = tproxy.DivertTable + 1
	// returnPriority is behind the rule for marked packets (priority 1), which
	// therefore never come back to the device.
	returnPriority = 2
	// protocol marks routes and rules as ours.
	protocol = 80
)

// wayBack routes what came in by the device, and no rule took, back to it. The
// route goes with the device; the rule alone, left by a process that was killed,
// finds no route and so does nothing.
func wayBack(device string) error {
	link, err := netlink.LinkByName(device)
	if err != nil {
		return err
	}
	for family, all := range anywhere {
		err = netlink.RouteReplace(&netlink.Route{
			LinkIndex: link.Attrs().Index, Table: returnTable, Scope: scopeOf[family],
			Dst: all, Protocol: protocol,
		})
		if err == nil {
			err = netlink.RuleAdd(returnRule(device, family))
		}
		if family == netlink.FAMILY_V6 && !errors.Is(err, unix.EPERM) {
			continue // a host without IPv6 gets no packets of it either
		}
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("routing packets back to the router: %w", rights.Explain(err, "adding a route", cap.NET_ADMIN))
		}
	}
	return nil
}

// scopeOf is the scope of a route to a device; IPv6 has none.
var scopeOf = map[int]netlink.Scope{netlink.FAMILY_V4: netlink.SCOPE_LINK, netlink.FAMILY_V6: netlink.SCOPE_UNIVERSE}

func forgetWayBack(device string) {
	for family := range anywhere {
		netlink.RuleDel(returnRule(device, family))
	}
}

func returnRule(device string, family int) *netlink.Rule {
	r := netlink.NewRule()
	r.Family, r.Priority, r.IifName, r.Table, r.Protocol = family, returnPriority, device, returnTable, protocol
	return r
}
