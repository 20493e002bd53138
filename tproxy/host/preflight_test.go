package host

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// townWant is plain interception in both families behind a GRE router.
var townWant = Want{TProxy: []Port{{Of: 80, To: 3129}}, IPv4: true, IPv6: true,
	GRE: &GRE{Device: "cuttle-gre", Routers: []netip.Addr{netip.MustParseAddr("10.0.0.1")}, MSS: 1432}}

func (b *box) preflight(i Inspection) []Finding {
	b.t.Helper()
	var all []Finding
	must(b.t, b.Do(func() error { all = Preflight(i); return nil }))
	return all
}

// bad lists the identities of findings that are not well.
func bad(findings []Finding) []string {
	var ids []string
	for _, f := range findings {
		if f.Level != OK && !slices.Contains(ids, f.ID) {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

func text(findings []Finding) string {
	var b strings.Builder
	WriteText(&b, findings)
	return b.String()
}

// A host is set up, broken in one way, and looked at: preflight names that fault
// and no other (besides the end-to-end test, which fails as clients would), and
// setup mends it.
func TestEachFaultIsNamedAndMended(t *testing.T) {
	const ownTable = "nft -a list chain inet cuttle intercept | sed -n 's/.*%s.*handle /nft delete rule inet cuttle intercept handle /p' | sh -e"
	for _, fault := range []struct {
		name, command string
		id            string
		level         Level
		quiet         bool // the end-to-end test does not notice
	}{
		{"rp_filter strict on all", "sysctl -w net.ipv4.conf.all.rp_filter=1", "rp_filter", Fail, true},
		{"rp_filter strict on an interface", "sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv4.conf.eth0.rp_filter=1", "rp_filter", Warn, true},
		{"rp_filter strict on the GRE device", "sysctl -w net.ipv4.conf.all.rp_filter=0; ip tuntap add cuttle-gre mode tun; ip link set cuttle-gre up; sysctl -w net.ipv4.conf.cuttle-gre.send_redirects=0 net.ipv4.conf.cuttle-gre.rp_filter=1", "rp_filter", Fail, true},
		{"rp_filter strict on devices to come", "sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=1", "rp_filter", Fail, true},
		{"ip_forward off", "sysctl -w net.ipv4.ip_forward=0", "ip_forward", Fail, true},
		{"forwarding off on an interface", "sysctl -w net.ipv4.conf.eth0.forwarding=0", "forwarding", Fail, true},
		{"IPv6 forwarding off", "sysctl -w net.ipv6.conf.all.forwarding=0", "ip6_forward", Fail, true},
		{"accept_local on", "sysctl -w net.ipv4.conf.eth0.accept_local=1", "accept_local", Warn, true},
		{"send_redirects on", "sysctl -w net.ipv4.conf.all.send_redirects=1", "send_redirects", Warn, true},
		{"accepted sockets inherit the mark", "sysctl -w net.ipv4.tcp_fwmark_accept=1", "fwmark_accept", Warn, true},
		{"few local ports", "sysctl -w net.ipv4.ip_local_port_range='40000 40100'", "port_range", Warn, true},
		{"IPv4 rule missing", "ip -4 rule del priority 1", "fwmark_rule", Fail, false},
		{"IPv6 rule missing", "ip -6 rule del priority 1", "fwmark_rule", Fail, false},
		{"IPv4 rule comes too late", "ip -4 rule del priority 1; ip -4 rule add fwmark 1 lookup 100 priority 40; ip -4 rule add lookup main priority 30", "marked_lookup", Fail, false},
		{"IPv4 route missing", "ip -4 route del local default dev lo table 100", "local_route", Fail, false},
		{"IPv6 route missing", "ip -6 route del local default dev lo table 100", "local_route", Fail, false},
		{"table removed", "nft delete table inet cuttle", "intercept_rule", Fail, false},
		{"DIVERT rules removed", fmt.Sprintf(ownTable, "socket transparent"), "divert_rule", Fail, false},
		{"IPv6 TPROXY rule removed", fmt.Sprintf(ownTable, "tproxy ip6"), "intercept_rule", Fail, false},
		{"DIVERT after TPROXY", fmt.Sprintf(ownTable, "socket wildcard") + "; nft add rule inet cuttle intercept meta l4proto tcp socket transparent 1 meta mark set 1 accept", "rule_order", Fail, true},
		{"TPROXY to another port", fmt.Sprintf(ownTable, "tproxy ip ") + "; nft add rule inet cuttle intercept meta nfproto ipv4 tcp dport 80 tproxy ip to :9999 meta mark set 1 accept", "intercept_port", Fail, false},
		{"clamp rule removed", "nft flush chain inet cuttle segments", "rules", Warn, true},
		{"lo down", "ip link set lo down", "lo", Fail, false},
	} {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			b.setup(townWant)
			i := Inspection{Want: townWant, UnitDirs: []string{}}
			if well := b.preflight(i); Worst(well) != OK {
				t.Fatalf("before the fault:\n%s", text(well))
			}
			b.Must("sh", "-ec", fault.command)
			found := b.preflight(i)
			ids := bad(found)
			others := slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
				return id == fault.id || !fault.quiet && (id == "end_to_end" || id == "spoofing") ||
					fault.id == "lo" && (id == "local_route" || id == "marked_lookup")
			})
			if !slices.Contains(ids, fault.id) || len(others) > 0 {
				t.Errorf("findings %v, want %s:\n%s", ids, fault.id, text(found))
			}
			if !fault.quiet && !slices.Contains(ids, "end_to_end") && !slices.Contains(ids, "spoofing") {
				t.Errorf("the end-to-end test did not notice:\n%s", text(found))
			}
			for _, f := range found {
				if f.ID == fault.id && f.Level != OK && (f.Level != fault.level || f.Why == "" || f.Remedy == "") {
					t.Errorf("want %s, and why, and a remedy: %v", fault.level, f)
				}
			}
			b.setup(townWant)
			if mended := b.preflight(i); Worst(mended) != OK {
				t.Errorf("after setup:\n%s", text(mended))
			}
		})
	}
}

// Faults setup does not mend, since they are not its own: named, with a command.
func TestOtherFaultsAreNamed(t *testing.T) {
	for _, fault := range []struct {
		name, command string
		inspect       func(*Inspection)
		id, remedy    string
		level         Level
	}{
		{"firewall", "nft add table inet f; nft add chain inet f i '{ type filter hook input priority 0; policy drop; }'",
			nil, "input_policy", "nft insert rule inet f i meta mark and 0x1 == 0x1 accept", Warn},
		{"bridge", "ip link add br0 type bridge; sysctl -w net.bridge.bridge-nf-call-iptables=1",
			nil, "bridge_nf", "bridge-nf-call-iptables=0", Warn},
		{"invalid packets dropped", "nft add table inet f; nft add chain inet f c '{ type filter hook prerouting priority 0; }'; nft add rule inet f c ct state established,related accept; nft add rule inet f c ct state invalid drop",
			nil, "conntrack_invalid", "nft insert rule inet f c meta mark", Warn},
		{"nonlocal bind", "sysctl -w net.ipv4.ip_nonlocal_bind=1", nil, "nonlocal_bind", "ip_nonlocal_bind=0", Warn},
		{"no way to the router", "ip route del default; ip addr flush dev eth0",
			nil, "router", "ip route get 10.0.0.1", Fail},
		{"small MTU", "ip link set eth0 mtu 1000; sysctl -w net.ipv6.conf.all.forwarding=1", func(i *Inspection) { i.IPv6 = false }, "mtu", "ip link set eth0 mtu 1500", Warn},
		{"announced another address", "true", func(i *Inspection) { i.Announced = netip.MustParseAddr("10.0.1.2") }, "announced_address", "wccp2_address", Warn},
		{"foreign outgoing address", "true", func(i *Inspection) {
			i.Local = []Named{{"tcp_outgoing_address", netip.MustParseAddr("10.7.7.7")}}
		}, "address", "tcp_outgoing_address", Fail},
	} {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t)
			b.setup(townWant)
			b.Must("sh", "-ec", fault.command)
			i := Inspection{Want: townWant, UnitDirs: []string{}}
			if fault.inspect != nil {
				fault.inspect(&i)
			}
			found := b.preflight(i)
			n := slices.IndexFunc(found, func(f Finding) bool { return f.ID == fault.id && f.Level != OK })
			if n < 0 || found[n].Level != fault.level || !strings.Contains(found[n].Remedy, fault.remedy) || found[n].Why == "" {
				t.Errorf("want %s with %q:\n%s", fault.id, fault.remedy, text(found))
			}
		})
	}
}

func TestPortsInUse(t *testing.T) {
	b := newBox(t)
	b.setup(townWant)
	l, err := b.Listen("0.0.0.0:3129")
	must(t, err)
	defer l.Close()
	i := Inspection{Want: townWant, Listen: []netip.AddrPort{netip.AddrPortFrom(netip.Addr{}, 3129)}, UnitDirs: []string{}, Quick: true}
	if found := b.preflight(i); !slices.Contains(bad(found), "port") || !strings.Contains(text(found), "ss -ltnp") {
		t.Errorf("in use by another:\n%s", text(found))
	}
	i.Running = true
	if found := b.preflight(i); slices.Contains(bad(found), "port") {
		t.Errorf("in use by ourselves:\n%s", text(found))
	}
}

// Rules of other tools are understood as well as our own.
func TestRulesOfIptables(t *testing.T) {
	const rules = `
T -t mangle -N DIVERT
T -t mangle -A DIVERT -j MARK --set-mark 1
T -t mangle -A DIVERT -j ACCEPT
T -t mangle -A PREROUTING -p tcp -m socket --transparent -j DIVERT
T -t mangle -A PREROUTING -p tcp --dport 80 -j TPROXY --on-port 3129 --tproxy-mark 1/1
`
	w := townWant
	w.GRE, w.IPv6 = nil, false
	for _, tool := range []string{"iptables", "iptables-legacy"} {
		t.Run(tool, func(t *testing.T) {
			b := newBox(t)
			b.setup(w)
			b.Must("nft", "delete", "table", "inet", "cuttle")
			if _, err := b.Run("sh", "-ec", strings.ReplaceAll(rules, "T -t", tool+" -t")); err != nil {
				if tool == "iptables-legacy" {
					t.Logf("this kernel has no legacy tables: %v", err)
					return
				}
				t.Fatal(err)
			}
			found := b.preflight(Inspection{Want: w, UnitDirs: []string{}})
			if Worst(found) != OK || !strings.Contains(text(found), "takes IPv4 connections to port 80") {
				t.Errorf("good rules:\n%s", text(found))
			}
			b.Must("sh", "-ec", tool+" -t mangle -D PREROUTING 1; "+tool+" -t mangle -A PREROUTING -p tcp -m socket --transparent -j DIVERT")
			if found := b.preflight(Inspection{Want: w, UnitDirs: []string{}}); !slices.Contains(bad(found), "rule_order") {
				t.Errorf("wrong order:\n%s", text(found))
			}
		})
	}
}

func TestParseSaved(t *testing.T) {
	found := parseSaved(`# Generated
*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -p tcp -m socket --transparent -j DIVERT
-A PREROUTING -p tcp -m tcp --dport 80 -j TPROXY --on-port 3129 --on-ip 0.0.0.0 --tproxy-mark 0x1/0x1
-A INPUT -p tcp -j DROP
COMMIT
*nat
-A PREROUTING -i eth0 -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 3128
-A PREROUTING -i eth1 -p tcp -m tcp --dport 80 -j THEIRS
-A THEIRS -s 10.9.0.0/16 -j RETURN
-A THEIRS -p tcp -j DNAT --to-destination 10.0.0.1:3130
-A THEIRS -j THEIRS
COMMIT
`, "iptables-legacy-save", 2)
	const tcp = unix.IPPROTO_TCP
	theirs := intercept{role: roleRedirect, where: "iptables-legacy nat PREROUTING", family: 2, of: 80, to: 3130, weight: -100, iface: "eth1", proto: tcp,
		addr: netip.MustParseAddr("10.0.0.1")}
	want := []intercept{
		{role: roleDivert, where: "iptables-legacy mangle PREROUTING", family: 2, weight: -150, proto: tcp},
		{role: roleTProxy, where: "iptables-legacy mangle PREROUTING", family: 2, of: 80, to: 3129, weight: -150, proto: tcp},
		{role: roleRedirect, where: "iptables-legacy nat PREROUTING", family: 2, of: 8080, to: 3128, weight: -100, iface: "eth0", proto: tcp},
	}
	for range maxJumps { // a chain that jumps to itself ends somewhere
		want = append(want, theirs)
	}
	if !slices.Equal(found, want) {
		t.Errorf("%+v", found)
	}
}

// Whatever the rules say, chains that jump to one another as often as they like among
// them, reading them ends.
func FuzzSaved(f *testing.F) {
	f.Add("*nat\n-A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3128\n")
	f.Add("*mangle\n-A PREROUTING -j A\n" + strings.Repeat("-A A -j A\n", 50))
	f.Add("*nat\n-A PREROUTING -j DNAT --to-destination [::1]:80\n-A PREROUTING -g\n-A\n-A PREROUTING\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, i := range parseSaved(text, "iptables-legacy-save", unix.AF_INET) {
			if i.role == "" {
				t.Errorf("%+v does nothing", i)
			}
		}
	})
}

func TestUnits(t *testing.T) {
	needs := []cap.Value{cap.NET_ADMIN, cap.NET_RAW, cap.NET_BIND_SERVICE}
	// The mode of /dev/net/tun is this machine's; units are judged without it.
	without := townWant
	without.GRE = nil
	i := Inspection{Want: without, Needs: needs, Starts: []cap.Value{cap.SETUID, cap.SETGID}}
	for _, c := range []struct{ name, unit, dropIn, fact, remedy string }{
		{"no limits", "[Service]\nExecStart=/usr/sbin/squid -N\n", "", "", ""},
		{"root, limited", "[Service]\nCapabilityBoundingSet=CAP_NET_ADMIN CAP_SETUID CAP_SETGID\n", "",
			"CAP_NET_RAW CAP_NET_BIND_SERVICE", "CapabilityBoundingSet=CAP_NET_RAW CAP_NET_BIND_SERVICE"},
		{"root, limited by exception", "[Service]\nCapabilityBoundingSet=~cap_net_raw CAP_SYS_ADMIN\n", "", "CAP_NET_RAW", "CapabilityBoundingSet=CAP_NET_RAW"},
		{"user without", "[Service]\nUser=proxy\n", "", "CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BIND_SERVICE", "AmbientCapabilities=CAP_NET_ADMIN"},
		{"user, in two lines", "[Service]\nUser=proxy\nAmbientCapabilities=CAP_NET_ADMIN \\\n CAP_NET_RAW\nAmbientCapabilities=CAP_NET_BIND_SERVICE\n", "", "", ""},
		{"drop-in mends", "[Service]\nUser=proxy\n", "[Service]\nAmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BIND_SERVICE\n", "", ""},
		{"drop-in clears", "[Service]\nUser=proxy\nAmbientCapabilities=CAP_NET_ADMIN CAP_NET_RAW CAP_NET_BIND_SERVICE\n", "[Service]\nAmbientCapabilities=\n", "CAP_NET_ADMIN", "Ambient"},
		{"private devices", "[Service]\nPrivateDevices=yes\n", "", "/dev/net/tun", "DeviceAllow=/dev/net/tun rw"},
		{"closed devices", "[Service]\nDevicePolicy=closed\nDeviceAllow=/dev/net/tun rw\n", "", "", ""},
		{"families", "[Service]\nRestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n", "", "without AF_NETLINK", "RestrictAddressFamilies=AF_NETLINK"},
		{"private network", "[Service]\nPrivateNetwork=true\n", "", "PrivateNetwork", "PrivateNetwork=no"},
		{"another section", "[Unit]\nUser=proxy\n[Service]\n# User=proxy\n", "", "", ""},
	} {
		dir := t.TempDir()
		must(t, os.WriteFile(filepath.Join(dir, unitName), []byte(c.unit), 0o644))
		if c.dropIn != "" {
			must(t, os.Mkdir(filepath.Join(dir, unitName+".d"), 0o755))
			must(t, os.WriteFile(filepath.Join(dir, unitName+".d", "x.conf"), []byte(c.dropIn), 0o644))
		}
		i.UnitDirs = []string{dir}
		i.GRE = nil
		if strings.Contains(c.name, "devices") {
			i.GRE = townWant.GRE
		}
		found := units(i)
		got := text(found)
		if well := Worst(found) == OK; well != (c.fact == "") || !well && (!strings.Contains(got, c.fact) || !strings.Contains(got, c.remedy)) {
			t.Errorf("%s: %s", c.name, got)
		}
	}
	i.UnitDirs = []string{}
	if found := units(i); found != nil {
		t.Errorf("without a unit: %v", found)
	}
}

func TestFindingsAsTextAndJSON(t *testing.T) {
	findings := []Finding{{ID: "a", Fact: "good"}, {"b", Warn, "fact", "why", "command"}}
	if got, want := text(findings), "ok   a: good\nwarn b: fact; why; mend it with: command\n"; got != want {
		t.Errorf("%q", got)
	}
	var b strings.Builder
	must(t, WriteJSON(&b, findings))
	var back struct {
		Worst    string
		Findings []map[string]string
	}
	must(t, json.Unmarshal([]byte(b.String()), &back))
	if back.Worst != "warn" || len(back.Findings) != 2 || back.Findings[1]["remedy"] != "command" {
		t.Errorf("%s", b.String())
	}
}

// Rules of others that work are good, also where they look at one interface alone,
// by which no test connection can come.
func TestForeignRuleForOneInterface(t *testing.T) {
	const nftChain = "nft add table ip theirs; nft 'add chain ip theirs c { type nat hook prerouting priority -100; }'; "
	const divert = "iptables -t mangle -N DIVERT; iptables -t mangle -A DIVERT -j MARK --set-mark 1; iptables -t mangle -A DIVERT -j ACCEPT; " +
		"iptables -t mangle -A PREROUTING -p tcp -m socket -j DIVERT; "
	redirect, tproxy := Want{IPv4: true, Redirect: []Port{{Of: 80, To: 3129}}}, Want{IPv4: true, TProxy: []Port{{Of: 80, To: 3129}}}
	for _, c := range []struct {
		rules string
		want  Want
		works bool
	}{
		{nftChain + "nft add rule ip theirs c iifname lan0 tcp dport 80 redirect to :3129", redirect, true},
		{nftChain + "nft add rule ip theirs c iif lan0 tcp dport 80 redirect to :3129", redirect, true},
		{"iptables -t nat -A PREROUTING -i lan0 -p tcp --dport 80 -j REDIRECT --to-port 3129", redirect, true},
		{"iptables -t nat -A PREROUTING -i lan0 -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 3129", redirect, true},
		{"iptables -t nat -A PREROUTING -i lan0 -p tcp -m multiport --dports 80,8080 -j REDIRECT --to-ports 3129", redirect, true},
		{"iptables -t nat -A PREROUTING -i lan0 -p tcp --dport 80 -j DNAT --to-destination 10.1.0.1:3129", redirect, true},
		{"iptables -t nat -N SQUID; iptables -t nat -A SQUID -p tcp -j REDIRECT --to-ports 3129; iptables -t nat -A PREROUTING -i lan0 -p tcp --dport 80 -j SQUID", redirect, true},
		{divert + "iptables -t mangle -A PREROUTING -i lan0 -p tcp --dport 80 -j TPROXY --on-port 3129 --tproxy-mark 0x1/0x1", tproxy, true},
		{"iptables -t nat -A PREROUTING -i lan0 -p tcp --dport 80 -j REDIRECT --to-port 3130", redirect, false},
		{"iptables -t nat -A PREROUTING -i lan0 -p tcp --dport 81 -j REDIRECT --to-port 3129", redirect, false},
		{"iptables -t nat -A PREROUTING -i lan0 -p udp --dport 80 -j REDIRECT --to-port 3129", redirect, false},
	} {
		program, _, _ := strings.Cut(c.rules, " ")
		if _, err := exec.LookPath(program); err != nil {
			t.Logf("not tried: %v", err)
			continue
		}
		lab := netlab.ForTest(t)
		n := lab.Node("gateway")
		lab.Link(netlab.End{Node: n, Name: "lan0", Addrs: []string{"10.1.0.1/24"}}, netlab.End{Node: lab.Node("client"), Name: "eth0"})
		n.Must("sh", "-ec", c.rules)
		n.Must("sh", "-ec", "ip rule add fwmark 1 lookup 100; ip route add local default dev lo table 100")
		for _, name := range []string{"net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.lan0.rp_filter=0"} {
			key, value, _ := strings.Cut(name, "=")
			n.Sysctl(key, value)
		}
		var found []Finding
		i := Inspection{Want: c.want, UnitDirs: []string{}}
		n.Do(func() error { found = Preflight(i); return nil })
		limited := strings.Contains(text(found), "only what comes in by lan0 is intercepted")
		if works := Worst(found) != Fail && limited; works != c.works {
			t.Errorf("%s:\n%s", c.rules, text(found))
		}
	}
}
