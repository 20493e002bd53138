package host

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldenWants are what the files in testdata/rules say the rules of.
var goldenWants = map[string]Want{
	"founding": {TProxy: []Port{{Of: 80, To: 80}}, IPv4: true, GRE: &GRE{Device: "cuttle-gre", MSS: 1432}},
	"everything": {
		TProxy:   []Port{{Of: 80, To: 3129}, {Of: 81, To: 3130, Addr: netip.MustParseAddr("10.0.0.2")}},
		Redirect: []Port{{Of: 8080, To: 3128}, {Of: 8081, To: 3127, Addr: netip.MustParseAddr("fd00::2")}},
		IPv4:     true, IPv6: true, Interfaces: []string{"eth0", "eth1.7"}, GRE: &GRE{Device: "cuttle-gre", MSS: 1432}},
	"redirect-only": {Redirect: []Port{{Of: 80, To: 3128}}, IPv4: true, IPv6: true},
	"ipv6-only":     {TProxy: []Port{{Of: 80, To: 3129, Addr: netip.MustParseAddr("2001:db8::1")}}, IPv6: true},
	"tls":           {TProxy: []Port{{Of: 80, To: 80}, {Of: 443, To: 443}}, IPv4: true, IPv6: true, RejectQUIC: true, GRE: &GRE{Device: "cuttle-gre", MSS: 1432}},
	"nothing":       {IPv4: true, IPv6: true},
}

// The rules as text, for nft and for iptables. That the kernel gets the same as
// the first is TestScriptDoesWhatSetupDoes, that both do the same
// TestConnectionsUnderWayGoOn.
func TestRulesAsText(t *testing.T) {
	for name, w := range goldenWants {
		for ending, text := range map[string]string{
			".nft":      nftScript(wantedChains(w)) + "\n",
			".iptables": strings.Join(append(iptablesScript(w), ""), "\n"),
		} {
			path := filepath.Join("testdata", "rules", name+ending)
			if *update {
				must(t, os.MkdirAll(filepath.Dir(path), 0o755))
				must(t, os.WriteFile(path, []byte(text), 0o644))
			}
			golden, err := os.ReadFile(path)
			must(t, err)
			if d := cmp.Diff(string(golden), text); d != "" {
				t.Errorf("%s (go test -update writes it anew):\n%s", path, d)
			}
		}
	}
}

// What is compared with the kernel's rules notices every rule that is missing, out
// of place, twice or another's, and does not cry wolf.
func TestEveryRuleIsCompared(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	w := goldenWants["founding"]
	w.Redirect = []Port{{Of: 8080, To: 3128}}
	inPlace := func() (same bool) {
		must(t, b.Do(func() (err error) { same, err = tableIs(wantedChains(w)); return err }))
		return same
	}
	put := func(chains []chain) { must(t, b.Do(func() error { return replaceTable(chains) })) }
	if inPlace() {
		t.Error("no table at all is taken for ours")
	}
	put(wantedChains(w))
	if !inPlace() {
		t.Fatal("our own table is not recognised")
	}
	for c, chain := range wantedChains(w) {
		for n := range chain.rules {
			for what, spoil := range map[string]func([]rule) []rule{
				"missing":      func(r []rule) []rule { return append(r[:n:n], r[n+1:]...) },
				"twice":        func(r []rule) []rule { return append(r[:n+1:n+1], r[n:]...) },
				"another's":    func(r []rule) []rule { r[n].exprs = accept(); return r },
				"cut short":    func(r []rule) []rule { r[n].exprs = r[n].exprs[:len(r[n].exprs)-1]; return r },
				"out of place": func(r []rule) []rule { m := (n + 1) % len(r); r[n], r[m] = r[m], r[n]; return r },
			} {
				chains := wantedChains(w)
				if what == "out of place" && len(chain.rules) == 1 || what == "cut short" && len(chain.rules[n].exprs) == 1 {
					continue
				}
				chains[c].rules = spoil(chains[c].rules)
				put(chains)
				if inPlace() {
					t.Errorf("rule %d of %s %s: not noticed: %s", n, chain.name, what, chain.rules[n].text)
				}
			}
		}
	}
	put(append(wantedChains(w), chain{name: "more", kind: "filter", hook: clampChain(w.GRE).hook, priority: clampChain(w.GRE).priority, rules: []rule{ownRule()}}))
	if inPlace() {
		t.Error("a chain too many is not noticed")
	}
}
