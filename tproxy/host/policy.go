package host

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
	// rulePriority puts the rule for marked packets before everything but the
	// local table, so that no other rule can take them first.
	rulePriority = 1
	// origin marks rules and routes as ours (the protocol field of both).
	origin = 80
)

// markRule sends marked packets to the divert table (fact 5).
func markRule(f family) *netlink.Rule {
	mask := uint32(tproxy.DivertMark)
	r := netlink.NewRule()
	r.Family, r.Priority, r.Mark, r.Mask, r.Table, r.Protocol =
		f.netlink, rulePriority, tproxy.DivertMark, &mask, tproxy.DivertTable, origin
	return r
}

func markRuleText(f family, verb string) string {
	return fmt.Sprintf("ip %s rule %s priority %d fwmark 0x%x/0x%x lookup %d protocol %d",
		f.option, verb, rulePriority, tproxy.DivertMark, tproxy.DivertMark, tproxy.DivertTable, origin)
}

// localRoute delivers whatever comes to the divert table to this host (fact 5).
func localRoute(f family) (*netlink.Route, error) {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return nil, fmt.Errorf("interface lo: %w", err)
	}
	return &netlink.Route{
		LinkIndex: lo.Attrs().Index, Table: tproxy.DivertTable, Type: unix.RTN_LOCAL,
		Scope: netlink.SCOPE_HOST, Dst: f.all(), Protocol: origin, Family: f.netlink,
	}, nil
}

func localRouteText(f family, verb string) string {
	return fmt.Sprintf("ip %s route %s local default dev lo table %d proto %d", f.option, verb, tproxy.DivertTable, origin)
}

// found is what there is of a rule or route.
type found struct {
	any     bool   // one that does the job, whoever made it
	ours    bool   // that one is ours
	blocked string // what is in its place and is not ours
}

func findMarkRule(f family) (found, error) {
	rules, err := netlink.RuleList(f.netlink)
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return found{}, fmt.Errorf("listing rules: %w", err)
	}
	var is found
	for _, r := range rules {
		whole := r.Mask == nil || *r.Mask&tproxy.DivertMark != 0
		if r.Mark&tproxy.DivertMark == 0 || !whole || r.Table != tproxy.DivertTable || r.Invert {
			continue
		}
		is.any = true
		is.ours = is.ours || r.Protocol == origin
	}
	return is, nil
}

func findLocalRoute(f family) (found, error) {
	routes, err := netlink.RouteListFiltered(f.netlink, &netlink.Route{Table: tproxy.DivertTable}, netlink.RT_FILTER_TABLE)
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return found{}, fmt.Errorf("listing routes: %w", err)
	}
	var is found
	for _, r := range routes {
		if r.Dst != nil && r.Dst.String() != f.any {
			continue
		}
		if r.Type == unix.RTN_LOCAL {
			is.any = true
			is.ours = is.ours || r.Protocol == origin
		} else {
			is.blocked = fmt.Sprintf("table %d has another default route: %v", tproxy.DivertTable, r)
		}
	}
	return is, nil
}

func addRule(f family) error {
	err := netlink.RuleAdd(markRule(f))
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	return rights.Explain(err, "adding a routing rule", cap.NET_ADMIN)
}

func delRule(f family) error {
	err := netlink.RuleDel(markRule(f))
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return rights.Explain(err, "removing a routing rule", cap.NET_ADMIN)
}

func addRoute(f family) error {
	route, err := localRoute(f)
	if err == nil {
		err = netlink.RouteReplace(route)
	}
	return rights.Explain(err, "adding a route", cap.NET_ADMIN)
}

func delRoute(f family) error {
	route, err := localRoute(f)
	if err == nil {
		err = netlink.RouteDel(route)
	}
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	return rights.Explain(err, "removing a route", cap.NET_ADMIN)
}
