package host

import (
	"fmt"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// portQUIC is where HTTP/3 is spoken, and where browsers try it first.
const portQUIC = 443

// quicChain refuses QUIC that this host forwards. Clients take the ICMP for "nobody
// is there" and go on with TCP at once; silence would cost them a time-out.
func quicChain(w Want) chain {
	c := chain{
		name: "quic", kind: nftables.ChainTypeFilter,
		hook: nftables.ChainHookForward, priority: nftables.ChainPriorityFilter,
		head: "type filter hook forward priority filter; policy accept;",
	}
	for _, f := range w.families() {
		for _, iface := range perInterface(w) {
			in, inTables, from := inputText(iface)
			c.rules = append(c.rules, rule{
				role: roleQUIC, family: &f,
				text:   fmt.Sprintf("%smeta nfproto ipv%c udp dport %d reject with icmpx port-unreachable", in, f.name[3], portQUIC),
				exprs:  join(from, isFamily(f), isUDP(), toPort(portQUIC), reject()),
				tables: fmt.Sprintf("%s-p udp --dport %d -j REJECT --reject-with %s", inTables, portQUIC, f.unreachable()),
			})
		}
	}
	return c
}

// unreachable is the ICMP message as iptables(8) calls it.
func (f family) unreachable() string {
	if f.number == ipv6.number {
		return "icmp6-port-unreachable"
	}
	return "icmp-port-unreachable"
}

func isUDP() []expr.Any {
	return []expr.Any{meta(expr.MetaKeyL4PROTO), equal([]byte{unix.IPPROTO_UDP})}
}

// reject answers "port unreachable" in the packet's own family.
func reject() []expr.Any {
	return []expr.Any{&expr.Reject{Type: unix.NFT_REJECT_ICMPX_UNREACH, Code: unix.NFT_REJECT_ICMPX_PORT_UNREACH}}
}

// quicFinding says what becomes of QUIC where TLS is intercepted.
func quicFinding(w Want) []Finding {
	tls := func(p Port) bool { return p.Of == portQUIC }
	if !slices.ContainsFunc(w.TProxy, tls) && !slices.ContainsFunc(w.Redirect, tls) {
		return nil
	}
	if w.RejectQUIC {
		return []Finding{{ID: "quic", Fact: "UDP to port 443 that this host forwards is to be refused"}}
	}
	return []Finding{{"quic", Warn, "QUIC (UDP to port 443) passes by the proxy",
		"browsers that speak HTTP/3 are neither judged nor logged", "intercept_quic reject, and the same on a router that does not send UDP here"}}
}
