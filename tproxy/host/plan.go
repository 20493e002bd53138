package host

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/tproxy"
)

// step is one thing to do, told, written as a command, remembered and done.
type step struct {
	what    string
	command string
	tables  string // the command's other form, for iptables; "" for the same
	intend  func(*state)
	do      func() error
}

// RefusedError: Setup found something in its way that it did not make.
type RefusedError struct {
	What, Remedy string
}

func (e *RefusedError) Error() string { return e.What + ": not touched; " + e.Remedy }

// plan lists what is missing, in the order it is done: variables and routing
// first, so that the first diverted packet finds its way.
func plan(w Want, known state) ([]step, error) {
	steps := variableSteps(w, known)
	if s, missing, err := loStep(); err != nil {
		return nil, err
	} else if missing {
		steps = append(steps, s)
	}
	if len(w.TProxy) > 0 {
		for _, f := range w.families() {
			routing, err := routingSteps(f)
			if err != nil {
				return nil, err
			}
			steps = append(steps, routing...)
		}
	}
	table, err := tableStep(w, known)
	return append(steps, table...), err
}

func variableSteps(w Want, known state) []step {
	var steps []step
	for _, v := range variables(w) {
		now, err := readVariable(v.name)
		if err != nil || v.right(now) {
			continue // absent: the kernel lacks what it would have switched
		}
		steps = append(steps, step{
			what:    fmt.Sprintf("%s=%s (was %s)", dotted(v.name), v.to, now),
			command: fmt.Sprintf("sysctl -w %s=%q", dotted(v.name), v.to),
			intend:  func(s *state) { s.changed(v.name, now, v.to) },
			do:      func() error { return writeVariable(v.name, v.to) },
		})
	}
	return steps
}

// changed remembers a variable's first value, whatever happened to it since.
func (s *state) changed(name, old, to string) {
	for i := range s.Variables {
		if s.Variables[i].Name == name {
			s.Variables[i].New = to
			return
		}
	}
	s.Variables = append(s.Variables, savedChange{Name: name, Old: old, New: to, Spread: spread(name, old)})
}

// spread reads what else a variable changes when it is written.
func spread(name, old string) map[string]string {
	proto := map[string]string{"net/ipv4/ip_forward": "ipv4", "net/ipv6/conf/all/forwarding": "ipv6"}[name]
	if proto == "" {
		return nil
	}
	others := map[string]string{}
	for _, iface := range append(interfaces(proto), "default") {
		each := "net/" + proto + "/conf/" + iface + "/forwarding"
		if value, err := readVariable(each); err == nil && value != old {
			others[each] = value
		}
	}
	return others
}

// loStep: routes to lo need it up.
func loStep() (step, bool, error) {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return step{}, false, fmt.Errorf("interface lo: %w", err)
	}
	if lo.Attrs().RawFlags&unix.IFF_UP != 0 {
		return step{}, false, nil
	}
	return step{
		what: "interface lo up", command: "ip link set lo up",
		intend: func(s *state) { s.LoUp = true },
		do:     func() error { return netlink.LinkSetUp(lo) },
	}, true, nil
}

func routingSteps(f family) ([]step, error) {
	rule, err := findMarkRule(f)
	if err != nil {
		return nil, err
	}
	route, err := findLocalRoute(f)
	if err != nil {
		return nil, err
	}
	if route.blocked != "" {
		return nil, &RefusedError{route.blocked, fmt.Sprintf("see `ip %s route show table %d` and remove it if nothing needs it", f.option, tproxy.DivertTable)}
	}
	var steps []step
	// A rule of somebody else may be there and yet come too late.
	if !rule.ours && !(rule.any && route.any && divertWorks(f)) {
		steps = append(steps, step{
			what:    fmt.Sprintf("%s rule: mark 0x%x to table %d", f.name, tproxy.DivertMark, tproxy.DivertTable),
			command: markRuleText(f, "add"),
			intend:  func(s *state) { s.Rules = with(s.Rules, f.name) },
			do:      func() error { return addRule(f) },
		})
	}
	if !route.any {
		steps = append(steps, step{
			what:    fmt.Sprintf("%s route: all of table %d is local", f.name, tproxy.DivertTable),
			command: localRouteText(f, "replace"),
			intend:  func(s *state) { s.Routes = with(s.Routes, f.name) },
			do:      func() error { return addRoute(f) },
		})
	}
	return steps, nil
}

func with(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

func tableStep(w Want, known state) ([]step, error) {
	exists, ours, err := tableOwner()
	if err != nil {
		return nil, err
	}
	if exists && !ours && !known.Table {
		return nil, &RefusedError{"nftables table inet " + TableName + " exists and was not made by squid -k setup",
			"remove it with `nft delete table inet " + TableName + "` if nothing needs it"}
	}
	chains := wantedChains(w)
	if same, err := tableIs(chains); err != nil || same && exists {
		return nil, err
	}
	return []step{{
		what:    fmt.Sprintf("nftables table inet %s (%d rules)", TableName, countRules(chains)),
		command: nftScript(chains),
		tables:  strings.Join(iptablesScript(w), "\n"),
		intend:  func(s *state) { s.Table = true },
		do:      func() error { return replaceTable(chains) },
	}}, nil
}

func countRules(chains []chain) (n int) {
	for _, c := range chains {
		n += len(c.rules)
	}
	return n
}
