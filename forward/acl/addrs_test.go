package acl

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
	"pgregory.net/rapid"
)

// network makes the conf value of one word of a src line: "all", an address,
// address/bits, address/mask, or address-address with or without a mask.
func network(word string) conf.IPRange {
	if word == "all" {
		word = "0.0.0.0/0.0.0.0"
	}
	addrs, mask, _ := strings.Cut(word, "/")
	firstText, lastText, ranged := strings.Cut(addrs, "-")
	first := netip.MustParseAddr(firstText)
	var m netip.Addr
	switch {
	case mask == "":
		m = maskOf(first, first.BitLen())
	case strings.ContainsAny(mask, ".:"):
		m = netip.MustParseAddr(mask)
	default:
		m = maskOf(first, int(netip.MustParsePrefix(firstText+"/"+mask).Bits()))
	}
	v := conf.IPRange{First: and(first, m), Mask: m}
	if ranged {
		v.Last = and(netip.MustParseAddr(lastText), m)
	}
	return v
}

func networks(words string) conf.Networks {
	var list []conf.IPRange
	for _, w := range strings.Fields(words) {
		list = append(list, network(w))
	}
	return conf.NetworksOf(list...)
}

func addrsOf(values conf.Networks) addrs { return compileAddrs(&values) }

func maskOf(a netip.Addr, length int) netip.Addr {
	b := make([]byte, a.BitLen()/8)
	for i := range length {
		b[i/8] |= 0x80 >> (i % 8)
	}
	m, _ := netip.AddrFromSlice(b)
	return m
}

func and(a, m netip.Addr) netip.Addr {
	x, y := a.AsSlice(), m.AsSlice()
	for i := range x {
		x[i] &= y[i]
	}
	r, _ := netip.AddrFromSlice(x)
	return r
}

func TestAddrs(t *testing.T) {
	for _, c := range []struct{ set, in, out string }{
		{"10.0.0.1", "10.0.0.1", "10.0.0.2 10.0.0.0 ::1"},
		{"10.0.0.0/8", "10.0.0.0 10.255.255.255", "9.255.255.255 11.0.0.0"},
		{"10.0.0.0/255.0.0.0 192.0.2.0/24", "10.1.2.3 192.0.2.9", "192.0.3.0"},
		{"10.0.0.5-10.0.0.9", "10.0.0.5 10.0.0.7 10.0.0.9", "10.0.0.4 10.0.0.10"},
		{"10.0.0.0-10.0.3.0/24", "10.0.0.0 10.0.3.255", "10.0.4.0 9.255.255.255"},
		{"0.0.0.0-255.255.255.255", "0.0.0.0 1.2.3.4 255.255.255.255", "::"},
		{"10.0.0.9-10.0.0.5", "", "10.0.0.5 10.0.0.7 10.0.0.9"}, // a reversed range is empty
		{"10.0.0.1/255.0.0.255", "10.0.0.1 10.9.8.1", "10.0.0.2 11.0.0.1"},
		{"10.0.0.1-10.0.0.3/255.0.0.255", "10.7.7.2", "10.7.7.4 10.0.0.0"},
		{"all", "0.0.0.0 255.255.255.255 ::1 2001:db8::1", ""},
		{"2001:db8::/32", "2001:db8::1", "2001:db9:: 32.1.13.184"},
		{"", "", "1.2.3.4 ::1"},
	} {
		set := addrsOf(networks(c.set))
		for _, a := range strings.Fields(c.in) {
			if !set.has(netip.MustParseAddr(a)) {
				t.Errorf("%q lacks %s", c.set, a)
			}
		}
		for _, a := range strings.Fields(c.out) {
			if set.has(netip.MustParseAddr(a)) {
				t.Errorf("%q has %s", c.set, a)
			}
		}
	}
	if all := addrsOf(networks("all")); all.has(netip.Addr{}) {
		t.Error("no address at all is in all")
	}
}

// The table agrees with looking at the values one by one.
func TestAddrsModel(t *testing.T) {
	addr := rapid.Custom(func(t *rapid.T) netip.Addr {
		// Few different bits, so that values meet.
		n := rapid.Uint32Range(0, 1<<12-1).Draw(t, "low") | rapid.Uint32Range(0, 3).Draw(t, "high")<<30
		return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, n)))
	})
	mask := rapid.Custom(func(t *rapid.T) netip.Addr {
		if rapid.Bool().Draw(t, "prefix") {
			return maskOf(netip.IPv4Unspecified(), rapid.IntRange(1, 32).Draw(t, "bits"))
		}
		return addr.Draw(t, "mask")
	})
	rapid.Check(t, func(t *rapid.T) {
		var values []conf.IPRange
		for range rapid.IntRange(0, 8).Draw(t, "n") {
			m := mask.Draw(t, "m")
			v := conf.IPRange{First: and(addr.Draw(t, "first"), m), Mask: m}
			if rapid.Bool().Draw(t, "ranged") {
				v.Last = and(addr.Draw(t, "last"), m)
			}
			values = append(values, v)
		}
		set := addrsOf(conf.NetworksOf(values...))
		for range 50 {
			a := addr.Draw(t, "a")
			want := false
			for _, v := range values {
				masked := and(a, v.Mask)
				if !v.Last.IsValid() || v.Last.IsUnspecified() {
					want = want || masked == v.First || v.Mask.IsUnspecified() && v.First.IsUnspecified()
				} else {
					want = want || v.First.Compare(masked) <= 0 && masked.Compare(v.Last) <= 0
				}
			}
			if got := set.has(a); got != want {
				t.Fatalf("%s: %v, want %v in %v", a, got, want, values)
			}
		}
	})
}
