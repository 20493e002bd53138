package host

import "fmt"

// rulesFindings compares the live rules, of whatever table and tool, with what
// is wanted: that each connection is taken, by the right listener, and that
// packets of existing connections are recognised before (fact 3).
func rulesFindings(w Want) []Finding {
	live, err := liveIntercepts()
	if err != nil {
		return []Finding{{"rules", Warn, err.Error(), "the rules could not be read", "sudo squid -k preflight"}}
	}
	var all []Finding
	for _, f := range w.families() {
		for _, p := range w.TProxy {
			if p.serves(f) {
				all = append(all, tproxyFinding(f, p, live))
			}
		}
		for _, p := range w.Redirect {
			if p.serves(f) {
				all = append(all, takenFinding(f, p, live, roleRedirect))
			}
		}
	}
	if Worst(all) == OK {
		all = append(all, ownTable(w)...)
	}
	return all
}

// tproxyFinding looks for the DIVERT rule, then for TPROXY, then at their order.
func tproxyFinding(f family, p Port, live []intercept) Finding {
	divert := first(live, func(i intercept) bool { return i.role == roleDivert && i.covers(f) })
	taking := first(live, func(i intercept) bool { return i.takes(f, p, roleTProxy) })
	switch {
	case taking >= 0 && divert < 0:
		return Finding{"divert_rule", Fail, "no " + f.name + " rule recognises packets of existing connections (socket match)",
			"answers to connections made in a client's name do not find the proxy: pages hang", setupMends}
	case taking >= 0 && divert > taking:
		return Finding{"rule_order", Fail, fmt.Sprintf("the %s TPROXY rule (%s) comes before the socket match (%s)", f.name, live[taking].where, live[divert].where),
			"packets of existing connections are taken for new ones: pages hang", setupMends}
	}
	return takenFinding(f, p, live, roleTProxy)
}

func takenFinding(f family, p Port, live []intercept, by role) Finding {
	at := first(live, func(i intercept) bool { return i.takes(f, p, by) })
	if at < 0 {
		return Finding{"intercept_rule", Fail, fmt.Sprintf("no %s rule takes %s connections to port %d", by, f.name, p.Of),
			"clients are not intercepted", setupMends}
	}
	if to := live[at].to; to != 0 && to != p.To {
		return Finding{"intercept_port", Fail, fmt.Sprintf("%s hands %s connections to port %d to port %d, not %d", live[at].where, f.name, p.Of, to, p.To),
			"nobody listens there: clients time out", setupMends}
	}
	return Finding{ID: "intercept_rule", Fact: fmt.Sprintf("%s takes %s connections to port %d", live[at].where, f.name, p.Of)}
}

// ownTable tells when our table exists but holds something else: the rules work,
// yet not as this configuration wants them.
func ownTable(w Want) []Finding {
	exists, ours, err := tableOwner()
	if err != nil || !exists || !ours {
		return nil
	}
	if same, err := tableIs(wantedChains(w)); err == nil && !same {
		return []Finding{{"rules", Warn, "table inet " + TableName + " is not what squid -k setup would make now",
			"it was changed by hand, or the configuration since", setupMends}}
	}
	return nil
}

func first(live []intercept, is func(intercept) bool) int {
	for n, i := range live {
		if is(i) {
			return n
		}
	}
	return -1
}

// takes reports whether a rule hands over connections to a port.
func (i intercept) takes(f family, p Port, by role) bool {
	return i.role == by && i.covers(f) && (i.of == p.Of || i.of == 0)
}

func (i intercept) covers(f family) bool { return i.family == 0 || i.family == f.number }
