package intercept

import (
	"testing"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// A host with nothing but link-local addresses has no IPv6 rules unless it forwards
// IPv6 already or a port names the family.
func TestIPv6RulesAreAskedFor(t *testing.T) {
	lab := netlab.ForTest(t)
	n := lab.Node("n")
	wants := func(text string) (is bool) {
		n.Do(func() error { is = Want(parseText(t, text+"http_access allow all\n")).IPv6; return nil })
		return is
	}
	if wants("http_port 3129 transparent tproxy\n") {
		t.Error("IPv6 is intercepted on a host without it")
	}
	if !wants("http_port [::]:3129 transparent tproxy\n") {
		t.Error("a port that names IPv6 is not intercepted for")
	}
	n.Sysctl("net.ipv6.conf.all.forwarding", "1")
	if !wants("http_port 3129 transparent tproxy\n") {
		t.Error("IPv6 is not intercepted on a router of link-local addresses")
	}
}
