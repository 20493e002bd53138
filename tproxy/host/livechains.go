package host

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/google/nftables"
	"golang.org/x/sys/unix"
)

// liveIntercepts reads all rules that packets meet at the prerouting hook, in that
// order, those of chains that are jumped to among them.
func liveIntercepts() ([]intercept, error) {
	rules, err := liveRules()
	if err != nil {
		return nil, err
	}
	conn, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("nftables: %w", err)
	}
	chains, err := conn.ListChains()
	if err != nil {
		return nil, nftError("listing chains", err)
	}
	w := ruleWalk{chains: map[string][]liveRule{}}
	for _, r := range rules {
		key := chainKey(r.family, r.table, r.chain)
		w.chains[key] = append(w.chains[key], r)
	}
	var found []intercept
	for _, c := range chains {
		if c.Hooknum != nil && *c.Hooknum == *nftables.ChainHookPrerouting && c.Priority != nil {
			found = append(found, w.chain(chainKey(byte(c.Table.Family), c.Table.Name, c.Name), intercept{weight: int(*c.Priority)}, 0)...)
		}
	}
	found = append(found, legacyIntercepts()...)
	found = slices.DeleteFunc(found, func(i intercept) bool { return i.proto != 0 && i.proto != unix.IPPROTO_TCP || leadsElsewhere(i.addr) })
	slices.SortStableFunc(found, func(a, b intercept) int { return cmp.Compare(a.weight, b.weight) })
	return found, nil
}

// ruleWalk is the rules by their chains, on a walk through them.
type ruleWalk struct {
	chains map[string][]liveRule
	steps  int
}

// maxJumps bounds how deep chains are followed, as the kernel does.
const maxJumps = 16

// chain gives the rules of a chain that take part, under what was asked on the way to it.
func (w *ruleWalk) chain(key string, asked intercept, depth int) (found []intercept) {
	for _, r := range w.chains[key] {
		if w.steps++; w.steps > maxSteps {
			break
		}
		i, takesPart := r.intercept()
		i.add(asked)
		if takesPart {
			found = append(found, i)
			continue
		}
		if next := r.jump(); next != "" && depth < maxJumps {
			found = append(found, w.chain(chainKey(r.family, r.table, next), i, depth+1)...)
		}
	}
	return found
}

// maxSteps bounds how many rules are looked at: chains that jump to one another many
// times have more ways through them than can be gone.
const maxSteps = 100_000

// add takes over what was asked before and is not asked again.
func (i *intercept) add(asked intercept) {
	i.weight = asked.weight
	i.of, i.iface = cmp.Or(i.of, asked.of), cmp.Or(i.iface, asked.iface)
	i.family, i.proto = cmp.Or(i.family, asked.family), cmp.Or(i.proto, asked.proto)
}

// jump is the chain a rule goes on in, "" for none.
func (r liveRule) jump() string {
	for _, e := range r.exprs {
		if e.name != "immediate" {
			continue
		}
		data := liveExpr{data: e.attribute(unix.NFTA_IMMEDIATE_DATA)}
		verdict := liveExpr{data: data.attribute(unix.NFTA_DATA_VERDICT)}
		if chain := verdict.attribute(unix.NFTA_VERDICT_CHAIN); chain != nil {
			return trimNUL(string(chain))
		}
	}
	return ""
}

func chainKey(family byte, table, chain string) string {
	return fmt.Sprintf("%d/%s/%s", family, table, chain)
}

// leadsElsewhere reports whether an address that connections are translated to is none
// of this host.
func leadsElsewhere(addr netip.Addr) bool {
	if !addr.IsValid() || addr.IsLoopback() {
		return false
	}
	ours, err := net.InterfaceAddrs()
	return err == nil && !slices.ContainsFunc(ours, func(a net.Addr) bool {
		prefix, err := netip.ParsePrefix(a.String())
		return err == nil && prefix.Addr() == addr
	})
}
