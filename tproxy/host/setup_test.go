package host

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// seedWant is what the founding network needs, and something of everything else.
var seedWant = Want{
	TProxy: []Port{{Of: 80, To: 3129}, {Of: 81, To: 3130, Addr: netip.MustParseAddr("10.0.0.2")}}, Redirect: []Port{{Of: 8080, To: 3128}, {Of: 8081, To: 3127, Addr: netip.MustParseAddr("fd00::2")}}, IPv4: true, IPv6: true,
	GRE: &GRE{Device: "cuttle-gre", MSS: 1432}, RejectQUIC: true,
}

// box is one host with two interfaces, in the state a distribution leaves it in.
type box struct {
	*netlab.Node
	t       testing.TB
	options Options
	said    *strings.Builder
}

func newBox(t testing.TB) *box {
	lab := netlab.ForTest(t)
	n, peer := lab.Node("box"), lab.Node("peer")
	lab.Link(netlab.End{Node: n, Name: "eth0", Addrs: []string{"10.0.0.2/24", "fd00::2/64"}},
		netlab.End{Node: peer, Name: "eth0", Addrs: []string{"10.0.0.1/24", "fd00::1/64"}})
	lab.Link(netlab.End{Node: n, Name: "eth1.7", Addrs: []string{"10.0.1.2/24"}},
		netlab.End{Node: peer, Name: "eth1", Addrs: []string{"10.0.1.1/24"}})
	n.Route("default", "10.0.0.1")
	n.Route("default", "fd00::1")
	b := &box{Node: n, t: t, said: &strings.Builder{}}
	b.options = Options{StateDir: t.TempDir(), Report: b.said}
	return b
}

// do runs one of the package's verbs in the box and returns what it reported.
func (b *box) do(verb func() error) (string, error) {
	b.said.Reset()
	err := b.Do(verb)
	return b.said.String(), err
}

func (b *box) setup(w Want) string {
	b.t.Helper()
	said, err := b.do(func() error { return Setup(w, b.options) })
	if err != nil {
		b.t.Fatal(err)
	}
	return said
}

func (b *box) teardown() string {
	b.t.Helper()
	said, err := b.do(func() error { return Teardown(b.options) })
	if err != nil {
		b.t.Fatal(err)
	}
	return said
}

// picture is everything of the host Setup may touch.
func (b *box) picture() string {
	var all strings.Builder
	for _, command := range []string{
		"nft list ruleset", "ip -4 rule", "ip -6 rule", "ip -4 route show table all", "ip -6 route show table 100",
		"sysctl -a -e -r ^net.ipv[46].(conf|ip_forward|tcp_fwmark|ip_local_port_range)",
	} {
		words := strings.Fields(command)
		out, err := b.Run(words[0], words[1:]...)
		if err != nil && words[0] != "ip" {
			b.t.Fatal(err)
		}
		if err != nil { // a table that never had a route
			out = ""
		}
		// The kernel notices some time later that a new wire has both its ends.
		out = strings.ReplaceAll(out, " linkdown", "")
		all.WriteString("== " + command + "\n" + out)
	}
	return all.String()
}

func TestSetupAndTeardownLeaveTheHostAsItWas(t *testing.T) {
	b := newBox(t)
	b.Sysctl("net.ipv4.conf.all.rp_filter", "1")
	b.Sysctl("net.ipv4.conf.eth1/7.forwarding", "1") // would be lost with ip_forward
	b.Sysctl("net.ipv6.conf.eth0.accept_ra", "1")
	before := b.picture()
	said := b.setup(seedWant)
	for _, want := range []string{
		"setup: net.ipv4.ip_forward=1 (was 0)\n", "setup: net.ipv4.conf.all.rp_filter=2 (was 1)\n",
		"setup: net.ipv6.conf.eth0.accept_ra=2 (was 1)\n", "setup: net.ipv6.conf.all.forwarding=1 (was 0)\n",
		"setup: net/ipv4/conf/eth1.7/send_redirects=0 (was 1)\n",
		"setup: IPv4 rule: mark 0x1 to table 100\n", "setup: IPv6 route: all of table 100 is local\n",
		"setup: nftables table inet cuttle (26 rules)\n",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("Setup did not say %q:\n%s", want, said)
		}
	}
	during := b.picture()
	if said := b.setup(seedWant); said != "setup: nothing to do\n" {
		t.Errorf("second Setup: %s", said)
	}
	if b.picture() != during {
		t.Error("the second Setup changed something")
	}
	b.teardown()
	if after := b.picture(); after != before {
		t.Errorf("not as before:\n%s", difference(before, after))
	}
	if said := b.teardown(); said != "teardown: nothing to undo\n" {
		t.Errorf("second Teardown: %s", said)
	}
	left, _ := filepath.Glob(filepath.Join(b.options.StateDir, "*.json"))
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func difference(before, after string) string {
	var lines []string
	old := strings.Split(before, "\n")
	for i, line := range strings.Split(after, "\n") {
		if i < len(old) && old[i] != line {
			lines = append(lines, fmt.Sprintf("-%s\n+%s", old[i], line))
		}
	}
	return strings.Join(lines, "\n")
}

// The commands printed for the operator do the same as Setup.
func TestScriptDoesWhatSetupDoes(t *testing.T) {
	b := newBox(t)
	var script, undo strings.Builder
	must(t, b.Do(func() error { return Script(seedWant, b.options, &script) }))
	if left, _ := filepath.Glob(filepath.Join(b.options.StateDir, "*.json")); len(left) != 0 {
		t.Error("a dry run left a state")
	}
	b.setup(seedWant)
	bySetup := b.picture()
	must(t, b.Do(func() error { return UndoScript(b.options, &undo) }))
	b.Must("sh", "-ec", undo.String())
	b.teardown()
	b.Must("sh", "-ec", script.String())
	if byScript := b.picture(); byScript != bySetup {
		t.Errorf("script and Setup differ:\n%s\n%s", difference(bySetup, byScript), script.String())
	}
	// The marks tell that it is ours, although no state does.
	if said := b.teardown(); !strings.Contains(said, "removed nftables table") {
		t.Errorf("after the script: %s", said)
	}
}

func TestIptablesFormIsAccepted(t *testing.T) {
	needsIpset(t)
	b := newBox(t)
	b.options.Iptables = true
	var script strings.Builder
	must(t, b.Do(func() error { return Script(seedWant, b.options, &script) }))
	b.Must("sh", "-ec", script.String())
	for _, family := range []string{"iptables", "ip6tables"} {
		if rules := b.Must(family, "-t", "mangle", "-S"); !strings.Contains(rules, "-j TPROXY --on-port 3129") {
			t.Errorf("%s: rules\n%s", family, rules)
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSetupSurvivesACrash(t *testing.T) {
	b := newBox(t)
	before := b.picture()
	// The crash comes after the state was written and before the n-th step.
	for crash := range 100 {
		done := 0
		must(t, b.Do(func() error {
			s, err := openStore(b.options.StateDir)
			if err != nil {
				return err
			}
			defer s.close()
			steps, err := plan(seedWant.onThisHost(), s.state)
			if err != nil {
				return err
			}
			done = len(steps)
			for _, step := range steps {
				step.intend(&s.state)
			}
			if err := s.save(); err != nil {
				return err
			}
			for _, step := range steps[:min(crash, len(steps))] {
				if err := step.do(); err != nil {
					return err
				}
			}
			return nil
		}))
		if crash%2 == 1 { // one half is completed before it is undone
			b.setup(seedWant)
		}
		b.teardown()
		if after := b.picture(); after != before {
			t.Fatalf("after a crash before step %d:\n%s", crash, difference(before, after))
		}
		if crash >= done {
			return
		}
	}
}

func TestAFailedStepUndoesTheRest(t *testing.T) {
	b := newBox(t)
	before := b.picture()
	fault := errors.New("fault")
	said, err := b.do(func() error {
		s, err := openStore(b.options.StateDir)
		if err != nil {
			return err
		}
		defer s.close()
		steps, err := plan(seedWant, s.state)
		if err != nil {
			return err
		}
		steps = append(steps, step{what: "the last step", intend: func(*state) {}, do: func() error { return fault }})
		return carryOut(steps, s, b.options)
	})
	if !errors.Is(err, fault) || !strings.Contains(err.Error(), "the last step") || !strings.Contains(said, "teardown: ") {
		t.Errorf("%v; said\n%s", err, said)
	}
	if after := b.picture(); after != before {
		t.Errorf("after %v:\n%s", err, difference(before, after))
	}
}

func TestSetupRefusesWhatIsNotItsOwn(t *testing.T) {
	for name, c := range map[string]struct{ make, want string }{
		"table":      {"nft add table inet cuttle", "nft delete table inet cuttle"},
		"route":      {"ip route add blackhole default table 100", "ip -4 route show table 100"},
		"IPv6 route": {"ip -6 route add blackhole default table 100", "ip -6 route show table 100"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			b.Must("sh", "-c", c.make)
			before := b.picture()
			said, err := b.do(func() error { return Setup(seedWant, b.options) })
			var refused *RefusedError
			if !errors.As(err, &refused) || !strings.Contains(refused.Remedy, c.want) || said != "" {
				t.Errorf("%v; said %q", err, said)
			}
			if after := b.picture(); after != before {
				t.Errorf("touched:\n%s", difference(before, after))
			}
			b.teardown()
			if after := b.picture(); after != before {
				t.Errorf("Teardown touched:\n%s", difference(before, after))
			}
		})
	}
}

func TestTeardownLeavesWhatOthersChanged(t *testing.T) {
	b := newBox(t)
	b.Must("ip", "rule", "add", "fwmark", "1", "lookup", "100")
	b.Must("ip", "route", "add", "local", "default", "dev", "lo", "table", "100")
	said := b.setup(seedWant)
	if strings.Contains(said, "IPv4 rule") || strings.Contains(said, "IPv4 route") {
		t.Errorf("what was there already was made again:\n%s", said)
	}
	b.Sysctl("net.ipv4.tcp_fwmark_accept", "0")
	b.Sysctl("net.ipv4.conf.all.send_redirects", "1") // an operator's second thoughts
	said = b.teardown()
	if out := b.Must("ip", "rule"); !strings.Contains(out, "fwmark 0x1 lookup 100") {
		t.Error("the operator's rule is gone")
	}
	if out := b.Must("ip", "route", "show", "table", "100"); !strings.Contains(out, "local default dev lo") {
		t.Error("the operator's route is gone")
	}
	if strings.Contains(said, "all.send_redirects=0") {
		t.Errorf("overwritten:\n%s", said)
	}
}

func TestStateOfAnotherBootIsForgotten(t *testing.T) {
	b := newBox(t)
	b.setup(seedWant)
	files, _ := filepath.Glob(filepath.Join(b.options.StateDir, "*.json"))
	if len(files) != 1 {
		t.Fatal(files)
	}
	text, err := os.ReadFile(files[0])
	must(t, err)
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	must(t, err)
	must(t, os.WriteFile(files[0], []byte(strings.ReplaceAll(string(text), strings.TrimSpace(string(boot)), "other")), 0o600))
	said := b.teardown()
	if strings.Contains(said, "ip_forward") || !strings.Contains(said, "removed nftables table") {
		t.Errorf("teardown: %s", said)
	}
	must(t, os.WriteFile(files[0], []byte("nonsense"), 0o600))
	if _, err := b.do(func() error { return Setup(seedWant, b.options) }); err == nil || !strings.Contains(err.Error(), "not a state of ours") {
		t.Errorf("a broken state: %v", err)
	}
}
