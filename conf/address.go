package conf

import (
	"fmt"
	"net/netip"
	"strings"
)

var anyAddr = netip.AddrFrom4([4]byte{})

func addr4(v uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

func bits4(a netip.Addr) uint32 {
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

// dottedQuad reads four numbers from 0 to 255 with dots between and nothing behind.
// Unlike netip it accepts signs and leading zeros, which stay decimal.
func dottedQuad(s string) (netip.Addr, bool) {
	v, n, end := cScanQuad(s)
	if n != 4 || end != len(s) {
		return netip.Addr{}, false
	}
	var a [4]byte
	for i := range v {
		if v[i] < 0 || v[i] > 255 {
			return netip.Addr{}, false
		}
		a[i] = byte(v[i])
	}
	return netip.AddrFrom4(a), true
}

// classicAddr reads what the C library's resolver takes for an address: one to
// four numbers, decimal or with a leading 0 octal (fact gram_addr_short).
func classicAddr(s string) (netip.Addr, bool) {
	if s == "" || strings.Trim(s, "0123456789.") != "" {
		return netip.Addr{}, false
	}
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var v uint32
	for i, p := range parts {
		if p == "" || !isDigit(p[0]) {
			return netip.Addr{}, false
		}
		n, used := cLong(p, 0)
		last := i == len(parts)-1
		limit := int64(255)
		if last {
			limit = 1<<(8*(5-len(parts))) - 1
		}
		if used != len(p) || n > limit {
			return netip.Addr{}, false
		}
		if last {
			v = v<<(8*(5-len(parts))) | uint32(n)
		} else {
			v = v<<8 | uint32(n)
		}
	}
	return addr4(v), true
}

// resolve gives the IPv4 addresses of a name the way gethostbyname does.
func (b *builder) resolve(name string) []netip.Addr {
	if a, ok := classicAddr(name); ok {
		return []netip.Addr{a}
	}
	if known, ok := b.resolved[name]; ok {
		return known
	}
	addrs := b.world.Addresses(name)
	b.resolved[name] = addrs
	b.cfg.HostNames = append(b.cfg.HostNames, name)
	return addrs
}

// address reads an address: dotted quad, short form or a name that resolves
// (facts gram_addr_*). IPv6 literals are an extension.
func (r *reader) address() (netip.Addr, error) {
	w, err := r.need("an address")
	if err != nil {
		return netip.Addr{}, err
	}
	return r.addressOf(w)
}

func (r *reader) addressOf(w string) (netip.Addr, error) {
	if a, ok := dottedQuad(w); ok {
		return a, nil
	}
	if strings.Contains(w, ":") {
		if a, err := netip.ParseAddr(w); err == nil && a.Zone() == "" {
			r.extension("address:ipv6", "an IPv6 address", "2.6 knows IPv4 only and refuses the line.")
			return a, nil
		}
	}
	if addrs := r.b.resolve(w); len(addrs) > 0 {
		return addrs[0], nil
	}
	if i := strings.IndexByte(w, '/'); i > 0 {
		return netip.Addr{}, r.bungled(fmt.Sprintf("%q is a network; this directive wants one address", w), "")
	}
	return netip.Addr{}, r.bungled(fmt.Sprintf("%q is no address and does not resolve", w),
		"Addresses are written 192.0.2.1; host names must resolve now, and keep the address they have now.")
}
