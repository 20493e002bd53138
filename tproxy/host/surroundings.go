package host

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/google/nftables"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// surroundings looks at what other software on the host may do to packets.
func surroundings(w Want) []Finding {
	var all []Finding
	all = append(all, bridges()...)
	all = append(all, tracking()...)
	all = append(all, invalidDrops()...)
	all = append(all, inputPolicy(w)...)
	if v, err := readVariable("net/ipv4/ip_nonlocal_bind"); err == nil && v != "0" {
		all = append(all, Finding{"nonlocal_bind", Warn, "net.ipv4.ip_nonlocal_bind is " + v,
			"it is not needed, and hides a mistaken tcp_outgoing_address", "sysctl -w net.ipv4.ip_nonlocal_bind=0"})
	}
	return all
}

// bridges: br_netfilter shows bridged frames to the rules, TPROXY among them.
func bridges() []Finding {
	calls, err := readVariable("net/bridge/bridge-nf-call-iptables")
	if err != nil || calls == "0" {
		return nil
	}
	links, err := netlink.LinkList()
	if err != nil {
		return nil
	}
	for _, l := range links {
		if l.Type() == "bridge" {
			return []Finding{{"bridge_nf", Warn, "net.bridge.bridge-nf-call-iptables is 1 and there is a bridge (" + l.Attrs().Name + ")",
				"connections merely bridged through this host are intercepted too",
				"sysctl -w net.bridge.bridge-nf-call-iptables=0 net.bridge.bridge-nf-call-ip6tables=0, unless containers need it"}}
		}
	}
	return nil
}

// tracking: a full connection table drops new connections.
func tracking() []Finding {
	number := func(name string) int {
		text, _ := readVariable("net/netfilter/" + name)
		n, _ := strconv.Atoi(text)
		return n
	}
	count, most := number("nf_conntrack_count"), number("nf_conntrack_max")
	if most == 0 {
		return nil
	}
	fact := fmt.Sprintf("connection tracking holds %d of %d", count, most)
	if count > most*4/5 {
		return []Finding{{"conntrack", Warn, fact, "when it is full, new connections are dropped",
			fmt.Sprintf("sysctl -w net.netfilter.nf_conntrack_max=%d", most*4)}}
	}
	return []Finding{{ID: "conntrack", Fact: fact}}
}

// invalidDrops: half-seen and mirrored connections are normal here (fact 30), and
// connection tracking calls their packets invalid.
func invalidDrops() []Finding {
	rules, err := liveRules()
	if err != nil {
		return nil
	}
	for _, r := range rules {
		if r.dropsInvalid() {
			return []Finding{{"conntrack_invalid", Warn,
				fmt.Sprintf("a rule drops packets connection tracking calls invalid (nftables %s %s %s)", tableFamilies[r.family], r.table, r.chain),
				"packets of intercepted connections, of which tracking sees one half, may be among them",
				fmt.Sprintf("nft insert rule %s %s %s meta mark and 0x1 == 0x1 accept", tableFamilies[r.family], r.table, r.chain)}}
		}
	}
	return nil
}

// dropsInvalid recognises "ct state invalid drop", alone or among other states.
func (r liveRule) dropsInvalid() bool {
	const invalid = 1 // NF_CT_STATE_INVALID_BIT
	state := false
	for n, e := range r.exprs {
		switch e.name {
		case "ct":
			if key, _ := e.number(unix.NFTA_CT_KEY); key == unix.NFT_CT_STATE && n+1 < len(r.exprs) {
				mask := nestedValue(r.exprs[n+1], unix.NFTA_BITWISE_MASK)
				state = len(mask) == 4 && binary.NativeEndian.Uint32(mask)&invalid != 0
			}
		case "immediate":
			data := liveExpr{data: e.attribute(unix.NFTA_IMMEDIATE_DATA)}
			verdict := liveExpr{data: data.attribute(unix.NFTA_DATA_VERDICT)}
			if code := verdict.attribute(unix.NFTA_VERDICT_CODE); state && len(code) == 4 && binary.BigEndian.Uint32(code) == 0 {
				return true // NF_DROP
			}
		}
	}
	return false
}

// inputPolicy: an intercepted packet passes the input hook with its foreign
// destination, where a firewall may not expect it.
func inputPolicy(w Want) []Finding {
	conn, err := nftables.New()
	if err != nil {
		return nil
	}
	chains, err := conn.ListChains()
	if err != nil {
		return nil
	}
	for _, c := range chains {
		if c.Hooknum != nil && *c.Hooknum == *nftables.ChainHookInput && c.Policy != nil && *c.Policy == nftables.ChainPolicyDrop {
			table := fmt.Sprintf("%s %s %s", tableFamilies[byte(c.Table.Family)], c.Table.Name, c.Name)
			return []Finding{{"input_policy", Warn, "a firewall drops by default what comes in (nftables " + table + ")",
				"it has to accept intercepted connections, whose destination is foreign: they carry mark 1",
				"nft insert rule " + table + " meta mark and 0x1 == 0x1 accept"}}
		}
	}
	return nil
}
