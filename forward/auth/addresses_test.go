package auth

import (
	"net/netip"
	"testing"
	"time"
)

// As seen with Squid 2.6.STABLE24: max_user_ip 1 with and without -s.
func TestTooManyAddresses(t *testing.T) {
	a, b, c := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2"), netip.MustParseAddr("127.0.0.3")
	order := []netip.Addr{a, b, c, a, b, c, c}
	for strict, want := range map[bool]string{false: ".x.x.x.", true: ".xx.xxx"} {
		var m addresses
		got := ""
		for _, addr := range order {
			got += map[bool]string{true: "x", false: "."}[m.tooMany("bob", addr, 1, strict, time.Minute, time.Now())]
		}
		if got != want {
			t.Errorf("strict %v: %s, want %s", strict, got, want)
		}
	}
	var m addresses
	now := time.Unix(1e9, 5e8)
	for i, step := range []struct {
		after time.Duration
		addr  netip.Addr
		want  bool
	}{{0, a, false}, {9 * time.Second, b, false}, {2 * time.Second, c, false}, {8 * time.Second, a, true}} {
		now = now.Add(step.after)
		if got := m.tooMany("bob", step.addr, 2, true, 10*time.Second, now); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
	if m.tooMany("eve", c, 1, true, time.Minute, now) {
		t.Error("another user's addresses count")
	}
}

func TestAddressesAreBounded(t *testing.T) {
	var m addresses
	addr := netip.MustParseAddr("10.0.0.1")
	for range 2 * mostAddresses {
		addr = addr.Next()
		m.tooMany("bob", addr, 1<<30, true, time.Hour, time.Now())
	}
	if list, _ := m.from.Get("bob"); len(list) != mostAddresses {
		t.Errorf("%d addresses", len(list))
	}
}

func TestShortcut(t *testing.T) {
	r := newRig(t, nil, "auth_param basic children 1")
	a, b := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("127.0.0.2")
	accepted := func(addr netip.Addr) string {
		l := Login{State: Needed}
		r.Recall(&l, addr, time.Minute)
		if (l.State == Accepted) != (l.User != "") {
			t.Errorf("%+v", l)
		}
		return l.User
	}
	if got := accepted(a); got != "" {
		t.Error(got)
	}
	r.Remember(a, "bob")
	if got := accepted(a) + "," + accepted(b); got != "bob," {
		t.Error(got)
	}
	r.clock = r.clock.Add(time.Minute)
	if got := accepted(a); got != "" {
		t.Error(got)
	}
}
