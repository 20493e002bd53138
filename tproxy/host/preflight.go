package host

import (
	"fmt"
	"net/netip"

	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// Inspection says what Preflight is to look at.
type Inspection struct {
	Want
	// Listen are the sockets the proxy will open.
	Listen []netip.AddrPort
	// Running says that the proxy is running now, so that its ports are taken.
	Running bool
	// Local are addresses the configuration takes for this host's own:
	// tcp_outgoing_address, wccp2_address.
	Local []Named
	// Announced is the address given to the routers (wccp2_address); the zero value
	// when the kernel chooses.
	Announced netip.Addr
	// Needs are the capabilities a serving process needs; Starts those it needs
	// besides to start as root and change its user.
	Needs, Starts []cap.Value
	// UnitDirs are searched for squid.service; nil for systemd's own.
	UnitDirs []string
	// Quick leaves out what takes namespaces of its own: probing the kernel and the
	// end-to-end test. A start-up does that; the operator's preflight does not.
	Quick bool
}

// Named is a value with the directive it came from.
type Named struct {
	Directive string
	Addr      netip.Addr
}

// Preflight looks at everything interception depends on and explains what is
// missing. Findings that are well are among them, so that a reader sees what was
// looked at. It changes nothing on the host; its own probes live in namespaces
// that are gone when it returns, one interface of the end-to-end test aside.
func Preflight(i Inspection) []Finding {
	if !i.Intercepts() {
		return []Finding{{ID: "interception", Fact: "no http_port intercepts (transparent or tproxy)"}}
	}
	i.Want = i.Want.onThisHost()
	var all []Finding
	add := func(parts ...Finding) { all = append(all, parts...) }
	if !i.Quick {
		add(features(i.Want)...)
	}
	add(capabilities(i.Needs)...)
	add(units(i)...)
	add(kernelVariables(i.Want)...)
	add(routing(i.Want)...)
	add(rulesFindings(i.Want)...)
	add(surroundings(i.Want)...)
	add(quicFinding(i.Want)...)
	add(paths(i)...)
	add(sockets(i)...)
	if !i.Quick {
		add(endToEnd(i)...)
	}
	return all
}

// kernelVariables compares the variables with what setup would make of them.
func kernelVariables(w Want) []Finding {
	var all []Finding
	good := map[string]int{}
	var order []string
	for _, v := range variables(w) {
		now, err := readVariable(v.name)
		if err != nil {
			continue
		}
		if _, seen := good[v.id]; !seen {
			order = append(order, v.id)
			good[v.id] = 0
		}
		if v.right(now) {
			good[v.id]++
			continue
		}
		good[v.id] = -1 << 20
		all = append(all, Finding{ID: v.id, Level: v.level, Fact: fmt.Sprintf("%s is %s", dotted(v.name), now), Why: v.why,
			Remedy: fmt.Sprintf("sysctl -w %s=%q, or %s", dotted(v.name), v.to, setupMends)})
	}
	for _, id := range order {
		if good[id] > 0 {
			all = append(all, Finding{ID: id, Fact: fmt.Sprintf("as it should be (%d looked at)", good[id])})
		}
	}
	return all
}

// routing asks for the rule and the route, and then for what they come to.
func routing(w Want) []Finding {
	if len(w.TProxy) == 0 {
		return nil
	}
	var all []Finding
	if _, missing, err := loStep(); err == nil && missing {
		all = append(all, Finding{"lo", Fail, "interface lo is down",
			"intercepted packets are delivered by it", "ip link set lo up, or " + setupMends})
	}
	for _, f := range w.families() {
		all = append(all, routingOf(f)...)
	}
	return all
}

func routingOf(f family) []Finding {
	rule, err := findMarkRule(f)
	if err != nil {
		return []Finding{{ID: "fwmark_rule", Level: Warn, Fact: err.Error(), Why: "it could not be looked at"}}
	}
	route, err := findLocalRoute(f)
	if err != nil {
		return []Finding{{ID: "local_route", Level: Warn, Fact: err.Error(), Why: "it could not be looked at"}}
	}
	var all []Finding
	if !rule.any {
		all = append(all, Finding{"fwmark_rule", Fail, "no " + f.name + " rule sends marked packets to the divert table",
			"intercepted packets are forwarded, not delivered: clients time out", markRuleText(f, "add") + ", or " + setupMends})
	}
	if !route.any {
		fact := "the " + f.name + " divert table has no local default route"
		if route.blocked != "" {
			fact = route.blocked
		}
		all = append(all, Finding{"local_route", Fail, fact,
			"intercepted packets are forwarded, not delivered: clients time out", localRouteText(f, "replace") + ", or " + setupMends})
	}
	if len(all) > 0 {
		return all
	}
	if !divertWorks(f) {
		return []Finding{{"marked_lookup", Fail, fmt.Sprintf("a marked %s packet to %v would not be delivered here", f.name, f.example()),
			"another routing rule comes before the one for marked packets: see `ip " + f.option + " rule`", setupMends}}
	}
	return []Finding{{ID: "marked_lookup", Fact: fmt.Sprintf("a marked %s packet to %v is delivered here", f.name, f.example())}}
}
