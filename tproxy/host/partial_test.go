package host

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// withoutNetAdmin runs a verb of the package in the box by a thread that has lost
// CAP_NET_ADMIN, and gives it back.
func (b *box) withoutNetAdmin(verb func() error) (string, error) {
	return b.do(func() error {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var have [2]unix.CapUserData
		if err := unix.Capget(&header, &have[0]); err != nil {
			return err
		}
		less := have
		less[0].Effective &^= 1 << unix.CAP_NET_ADMIN
		if err := unix.Capset(&header, &less[0]); err != nil {
			return err
		}
		err := verb()
		if back := unix.Capset(&header, &have[0]); back != nil {
			b.t.Error(back)
		}
		return err
	})
}

// A teardown that fails in parts does the others, says which failed and what is
// missing, remembers them, and the next one finishes.
func TestTeardownGoesOnAfterFailures(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	before := b.picture()
	b.setup(seedWant)
	said, err := b.withoutNetAdmin(func() error {
		s, err := openStore(b.options.StateDir)
		if err != nil {
			return err
		}
		defer s.close()
		return undo(s, b.options)
	})
	if err == nil {
		t.Fatal("no error without the right to")
	}
	for _, part := range []string{"removed nftables table inet cuttle", "IPv4 route removed", "IPv6 route removed", "IPv4 rule removed", "IPv6 rule removed", "CAP_NET_ADMIN"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not name %q: %v", part, err)
		}
	}
	if strings.Contains(said, "table") || !strings.Contains(said, "net.ipv4.conf.all.send_redirects=1") {
		t.Errorf("said:\n%s", said)
	}
	b.teardown()
	if after := b.picture(); after != before {
		t.Errorf("after the second:\n%s", difference(before, after))
	}
}

// A setup that may not leaves nothing, neither on the host nor remembered.
func TestSetupWithoutTheRight(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	before := b.picture()
	if _, err := b.withoutNetAdmin(func() error { return Setup(seedWant, b.options) }); err == nil || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("%v", err)
	}
	b.teardown()
	if after := b.picture(); after != before {
		t.Errorf("left behind:\n%s", difference(before, after))
	}
	if left, _ := filepath.Glob(filepath.Join(b.options.StateDir, "*.json")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// Where nothing can be remembered nothing is touched.
func TestSetupNeedsAPlaceToRemember(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	before := b.picture()
	inTheWay := filepath.Join(b.options.StateDir, "file")
	must(t, os.WriteFile(inTheWay, nil, 0o600))
	b.options.StateDir = filepath.Join(inTheWay, "state")
	for name, verb := range map[string]func() error{
		"setup": func() error { return Setup(seedWant, b.options) }, "teardown": func() error { return Teardown(b.options) },
		"script": func() error { return Script(seedWant, b.options, b.said) }, "undo script": func() error { return UndoScript(b.options, b.said) },
	} {
		if said, err := b.do(verb); err == nil || said != "" {
			t.Errorf("%s: %v; said %q", name, err, said)
		}
	}
	if after := b.picture(); after != before {
		t.Errorf("touched:\n%s", difference(before, after))
	}
}

// A host nobody has set up is told of each thing it lacks, once, and of nothing it
// has; and with nothing wanted of it, of nothing.
func TestAFreshHostIsToldAll(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.Sysctl("net.ipv4.conf.all.rp_filter", "1")
	b.Sysctl("net.ipv6.conf.eth0.accept_ra", "1")
	b.Must("ip", "link", "set", "lo", "down")
	found := b.preflight(Inspection{Want: townWant, UnitDirs: []string{}, Quick: true})
	ids := bad(found)
	slices.Sort(ids)
	want := []string{"accept_ra", "fwmark_rule", "intercept_rule", "ip6_forward", "ip_forward", "lo", "local_route", "rp_filter", "send_redirects"}
	if !slices.Equal(ids, want) {
		t.Errorf("findings %v, want %v:\n%s", ids, want, text(found))
	}
	for _, f := range found {
		if f.Level != OK && (f.Why == "" || f.Remedy == "" || f.Fact == "") {
			t.Errorf("without why or remedy: %v", f)
		}
	}
	if ids := bad(b.preflight(Inspection{Want: Want{IPv4: true, IPv6: true}, UnitDirs: []string{}, Quick: true})); len(ids) != 0 {
		t.Errorf("a proxy that intercepts nothing is told of %v", ids)
	}
}

// The judgement on values, apart from any host.
func TestRightValues(t *testing.T) {
	for value, want := range map[string]bool{
		"32768 60999": true, "1024 65535": true, "40000 60000": true, "40000 59999": false, "40000": false, "": false, "a b": false, "60999 32768": false,
	} {
		if wideRange(value) != want {
			t.Errorf("a port range of %q is judged %v", value, !want)
		}
	}
	for name, want := range map[string]string{"net/ipv4/ip_forward": "net.ipv4.ip_forward", "net/ipv4/conf/eth1.7/rp_filter": "net/ipv4/conf/eth1.7/rp_filter"} {
		if got := dotted(name); got != want {
			t.Errorf("%q is written %q", name, got)
		}
	}
}
