package host

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"

	"github.com/cuttle-proxy/cuttle/tproxy"
)

// TableName is the nftables table Setup makes (family inet).
const TableName = "cuttle"

// marker is an empty chain that tells our table from anybody else's of that name.
const marker = "made_by_squid_k_setup"

// chain is one base chain with its rules, in order.
type chain struct {
	name     string
	kind     nftables.ChainType
	hook     *nftables.ChainHook
	priority *nftables.ChainPriority
	head     string // as nft(8) writes it
	sets     []set  // that its rules use
	rules    []rule
}

// rule is one rule in the three forms it is needed in.
type rule struct {
	role   role
	family *family // nil when it serves both
	text   string  // for nft(8)
	exprs  []expr.Any
	// tables are the arguments of iptables(8) after "-A CHAIN"; "" for a rule it
	// does not need.
	tables string
}

// role is what a rule is for; live rules are compared by it.
type role string

const (
	roleOwn      role = "own"      // our own packets pass
	roleDivert   role = "DIVERT"   // packets of connections that exist
	roleLocal    role = "local"    // packets to the host itself pass
	roleTProxy   role = "TPROXY"   // new connections
	roleRedirect role = "REDIRECT" // new connections, by address translation
	roleClamp    role = "MSS"
	roleQUIC     role = "QUIC"    // UDP to port 443 is refused
	roleUnknown  role = "unknown" // packets of connections that are not ours pass
)

// wantedChains are the rules a Want comes to. Their order is fact 3's.
func wantedChains(w Want) []chain {
	var chains []chain
	if len(w.TProxy) > 0 {
		chains = append(chains, interceptChain(w))
	}
	if len(w.Redirect) > 0 {
		chains = append(chains, redirectChain(w))
	}
	if w.GRE != nil && w.GRE.MSS > 0 {
		chains = append(chains, clampChain(w.GRE))
	}
	if w.RejectQUIC && w.Intercepts() {
		chains = append(chains, quicChain(w))
	}
	return chains
}

func interceptChain(w Want) chain {
	c := chain{
		name: "intercept", kind: nftables.ChainTypeFilter,
		hook: nftables.ChainHookPrerouting, priority: nftables.ChainPriorityMangle,
		head: "type filter hook prerouting priority mangle; policy accept;",
		sets: openingSets(w.families()),
		rules: []rule{
			ownRule(),
			{
				// "wildcard 0" leaves out listeners bound to any address: else every
				// port of theirs, on whatever host, would be taken.
				role:   roleDivert,
				text:   fmt.Sprintf("meta l4proto tcp socket wildcard 0 socket transparent 1 meta mark set meta mark or 0x%x accept", tproxy.DivertMark),
				exprs:  join(isTCP(), socketIs(expr.SocketKeyWildcard, 0), socketIs(expr.SocketKeyTransparent, 1), orMark(tproxy.DivertMark), accept()),
				tables: "-p tcp -m socket --transparent -j DIVERT",
			},
			localRule(),
		},
	}
	for _, f := range w.families() {
		for _, p := range w.TProxy {
			if !p.serves(f) {
				continue
			}
			for _, iface := range perInterface(w) {
				c.rules = append(c.rules, takingRules(f, p, iface)...)
			}
		}
	}
	c.rules = append(c.rules, closingRules()...)
	return c
}

func ownRule() rule {
	return rule{
		role:   roleOwn,
		text:   fmt.Sprintf("meta mark and 0x%x == 0x%x accept", tproxy.OwnMark, tproxy.OwnMark),
		exprs:  join(hasMark(tproxy.OwnMark), accept()),
		tables: fmt.Sprintf("-m mark --mark 0x%x/0x%x -j ACCEPT", tproxy.OwnMark, tproxy.OwnMark),
	}
}

func localRule() rule {
	return rule{
		role:   roleLocal,
		text:   "fib daddr type local accept",
		exprs:  join(toLocal(), accept()),
		tables: "-m addrtype --dst-type LOCAL -j ACCEPT",
	}
}

// place is the listener as nft(8) writes it.
func (p Port) place() string {
	if !p.Addr.IsValid() {
		return fmt.Sprintf(":%d", p.To)
	}
	return netip.AddrPortFrom(p.Addr, p.To).String()
}

func (p Port) onIP() string {
	if !p.Addr.IsValid() {
		return ""
	}
	return " --on-ip " + p.Addr.String()
}

func redirectChain(w Want) chain {
	c := chain{
		name: "translate", kind: nftables.ChainTypeNAT,
		hook: nftables.ChainHookPrerouting, priority: nftables.ChainPriorityNATDest,
		head:  "type nat hook prerouting priority dstnat; policy accept;",
		rules: []rule{ownRule(), localRule()},
	}
	for _, f := range w.families() {
		for _, p := range w.Redirect {
			if !p.serves(f) {
				continue
			}
			for _, iface := range perInterface(w) {
				c.rules = append(c.rules, redirectRule(f, p, iface))
			}
		}
	}
	return c
}

// redirectRule uses REDIRECT, or DNAT for a listener with a certain address.
// Connection tracking remembers what it translates; a connection it first sees in
// its middle is another's, and is left alone.
func redirectRule(f family, p Port, iface string) rule {
	in, inTables, from := inputText(iface)
	r := rule{
		role: roleRedirect, family: &f,
		text:   fmt.Sprintf("%smeta nfproto ipv%c tcp dport %d tcp flags & (syn | ack) == syn redirect to :%d", in, f.name[3], p.Of, p.To),
		exprs:  join(from, isFamily(f), isTCP(), toPort(p.Of), isSYN(), redirectTo(p.To)),
		tables: fmt.Sprintf("%s-p tcp --dport %d --tcp-flags SYN,ACK SYN -j REDIRECT --to-ports %d", inTables, p.Of, p.To),
	}
	if p.Addr.IsValid() {
		r.text = fmt.Sprintf("%smeta nfproto ipv%c tcp dport %d tcp flags & (syn | ack) == syn dnat %s to %s", in, f.name[3], p.Of, f.nft, p.place())
		r.exprs = join(from, isFamily(f), isTCP(), toPort(p.Of), isSYN(), translateTo(f, p))
		r.tables = fmt.Sprintf("%s-p tcp --dport %d --tcp-flags SYN,ACK SYN -j DNAT --to-destination %s", inTables, p.Of, p.place())
	}
	return r
}

// clampChain keeps connections that are only passed on below what fits through
// the wrapping; intercepted ones have the limit on their sockets.
func clampChain(g *GRE) chain {
	return chain{
		name: "segments", kind: nftables.ChainTypeFilter,
		hook: nftables.ChainHookForward, priority: nftables.ChainPriorityMangle,
		head:  "type filter hook forward priority mangle; policy accept;",
		rules: []rule{clampRule(ipv4, g.Device, g.MSS), clampRule(ipv6, g.Device, g.MSS-longerHeader)},
	}
}

// longerHeader is by how many octets IPv6's header exceeds IPv4's.
const longerHeader = 20

func clampRule(f family, device string, mss uint16) rule {
	return rule{
		role: roleClamp, family: &f,
		text: fmt.Sprintf("iifname %q meta nfproto ipv%c tcp flags & (syn | rst) == syn tcp option maxseg size > %d tcp option maxseg size set %d",
			device, f.name[3], mss, mss),
		exprs:  join(inputIs(device), isFamily(f), isTCP(), flagged(synFlag|rstFlag, synFlag), clampTo(mss)),
		tables: fmt.Sprintf("-i %s -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss %d", device, mss),
	}
}

// perInterface are the interfaces rules are made for; "" for any.
func perInterface(w Want) []string {
	if len(w.Interfaces) == 0 {
		return []string{""}
	}
	list := append([]string(nil), w.Interfaces...)
	if w.GRE != nil && !slices.Contains(list, w.GRE.Device) {
		list = append(list, w.GRE.Device)
	}
	return list
}

func inputText(iface string) (nft, tables string, exprs []expr.Any) {
	if iface == "" {
		return "", "", nil
	}
	return fmt.Sprintf("iifname %q ", iface), "-i " + iface + " ", inputIs(iface)
}
