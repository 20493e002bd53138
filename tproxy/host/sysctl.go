package host

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/cuttle-proxy/cuttle/tproxy/rights"
)

// A variable is named as a path below /proc/sys, since names of interfaces may
// contain dots; sysctl(8) takes that form as well.

func readVariable(name string) (string, error) {
	text, err := os.ReadFile(filepath.Join("/proc/sys", name))
	return strings.Join(strings.Fields(string(text)), " "), err
}

func writeVariable(name, value string) error {
	f, err := os.OpenFile(filepath.Join("/proc/sys", name), os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(value)
		err = errors.Join(err, f.Close())
	}
	return rights.Explain(err, "setting "+name, cap.NET_ADMIN)
}

// dotted is the usual way to write a variable's name, where it is unambiguous.
func dotted(name string) string {
	if strings.Contains(name, ".") {
		return name
	}
	return strings.ReplaceAll(name, "/", ".")
}

// variable is one kernel variable interception depends on.
type variable struct {
	id    string // of the finding
	name  string
	level Level // how bad it is when it is wrong
	// right reports whether a value will do; to is what Setup writes instead.
	right func(value string) bool
	to    string
	why   string
}

func is(want string) func(string) bool { return func(v string) bool { return v == want } }

func isNot(bad string) func(string) bool { return func(v string) bool { return v != bad } }

// variables lists what matters for a Want, in the order they are set. Interfaces
// are those that exist now and take part.
func variables(w Want) []variable {
	if !w.Intercepts() {
		return nil
	}
	var list []variable
	if w.IPv4 {
		list = append(list, variables4(w)...)
	}
	if w.IPv6 {
		list = append(list, variables6(w)...)
	}
	return append(list, variable{"port_range", "net/ipv4/ip_local_port_range", Warn, wideRange, "32768 60999",
		"every connection to an origin takes a local port; a narrow range runs out under load"})
}

func variables4(w Want) []variable {
	list := []variable{
		// rp_filter: the higher of "all" and the interface's own counts. Loose mode
		// (2) is enough, and keeps bogus sources out; strict becomes loose, nothing
		// becomes stricter than it was.
		{"rp_filter", "net/ipv4/conf/all/rp_filter", severity(w.GRE != nil), isNot("1"), "2",
			"packets that come in by another device than the way back to the client are dropped in silence"},
		{"ip_forward", "net/ipv4/ip_forward", Fail, is("1"), "1",
			"the router also sends packets that are not intercepted; they go no further"},
		{"fwmark_accept", "net/ipv4/tcp_fwmark_accept", Warn, is("0"), "0",
			"accepted connections whose listener has no mark inherit the divert mark, and answer this host instead of the client"},
		{"send_redirects", "net/ipv4/conf/all/send_redirects", Warn, is("0"), "0",
			"the cache forwards out of the interface it received on and would send routers and clients elsewhere"},
	}
	if all, _ := readVariable("net/ipv4/conf/all/rp_filter"); all == "0" {
		list = append(list, variable{"rp_filter", "net/ipv4/conf/default/rp_filter", severity(w.GRE != nil), isNot("1"), "2",
			"a device that appears later, a GRE tunnel for instance, would drop what it delivers"})
		list = append(list, perInterface4(w, "rp_filter", Warn, isNot("1"), "2",
			"packets that come in here although the way back to their source is elsewhere are dropped in silence")...)
	}
	if forward, _ := readVariable("net/ipv4/ip_forward"); forward == "1" { // else it sets them all
		list = append(list, perInterface4(w, "forwarding", Fail, is("1"), "1",
			"packets that are not intercepted and come in here go no further")...)
	}
	list = append(list, perInterface4(w, "accept_local", Warn, is("0"), "0",
		"packets that claim to come from this host are let in, and may loop")...)
	return append(list, perInterface4(w, "send_redirects", Warn, is("0"), "0",
		"the cache forwards out of the interface it received on and would send routers and clients elsewhere")...)
}

// perInterface4 asks the same of every interface that takes part. What only
// matters where packets come by another way than they would be answered is worse
// on the device that delivers unwrapped ones (fact 7).
func perInterface4(w Want, what string, level Level, right func(string) bool, to, why string) []variable {
	var list []variable
	for _, iface := range interfaces("ipv4") {
		if iface == "lo" || !w.listens(iface) {
			continue
		}
		v := variable{what, "net/ipv4/conf/" + iface + "/" + what, level, right, to, why}
		if w.usesGRE(iface) && what == "rp_filter" {
			v.level = Fail
		}
		list = append(list, v)
	}
	return list
}

func variables6(w Want) []variable {
	if _, err := readVariable("net/ipv6/conf/all/forwarding"); err != nil {
		return nil // a kernel without IPv6: said by another finding
	}
	var list []variable
	// A host that forwards stops listening to router advertisements, and loses its
	// default route in time, unless told to go on: set before forwarding.
	for _, iface := range interfaces("ipv6") {
		name := "net/ipv6/conf/" + iface + "/accept_ra"
		forwarding, _ := readVariable("net/ipv6/conf/" + iface + "/forwarding")
		if iface != "lo" && w.listens(iface) && forwarding == "0" {
			list = append(list, variable{"accept_ra", name, Warn, isNot("1"), "2",
				"once this host forwards, it would no longer learn its own routes here"})
		}
	}
	return append(list, variable{"ip6_forward", "net/ipv6/conf/all/forwarding", Fail, is("1"), "1",
		"the router also sends packets that are not intercepted; they go no further"})
}

func severity(fatal bool) Level {
	if fatal {
		return Fail
	}
	return Warn
}

// wideRange asks for the 20,000 ports below which a busy cache runs out.
func wideRange(value string) bool {
	fields := strings.Fields(value)
	if len(fields) != 2 {
		return false
	}
	low, err1 := strconv.Atoi(fields[0])
	high, err2 := strconv.Atoi(fields[1])
	return err1 == nil && err2 == nil && high-low >= 20000
}

// interfaces lists those the kernel keeps variables of, without its templates.
func interfaces(proto string) []string {
	entries, err := os.ReadDir("/proc/sys/net/" + proto + "/conf")
	if err != nil {
		return nil
	}
	var list []string
	for _, e := range entries {
		if n := e.Name(); n != "all" && n != "default" {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list
}
