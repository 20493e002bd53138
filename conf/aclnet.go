package conf

import (
	"fmt"
	"net/netip"
	"strings"
)

// network4 is an IPRange as numbers, for the tree.
type network4 struct{ first, last, mask uint32 }

func (n network4) String() string {
	s := addr4(n.first).String()
	if n.last != 0 {
		s += "-" + addr4(n.last).String()
	}
	if n.mask != 0xffffffff {
		s += "/" + addr4(n.mask).String()
	}
	return s
}

func (n network4) ipRange() IPRange {
	v := IPRange{First: addr4(n.first), Mask: addr4(n.mask)}
	if n.last != 0 {
		v.Last = addr4(n.last)
	}
	return v
}

// compareNetwork orders the start of a against b: 0 when it lies inside b.
func compareNetwork(a, b network4) int {
	at := a.first & b.mask
	end := b.last
	if end == 0 {
		end = b.first
	}
	switch {
	case at > end:
		return 1
	case at < b.first:
		return -1
	}
	return 0
}

// readNetworks reads the values of src, dst and myip.
func readNetworks(r *reader, a *ACL) error {
	tree := r.b.state(a).networksOf(r.b, a)
	for v := range each(r.value) {
		if r.b.skims(r.b.list) && someIPv4(v.text) {
			continue
		}
		if p, ok := ipv6Range(v.text); ok {
			r.extensionAt(v.pos, len(v.text), "acl:ipv6", "an IPv6 value", "2.6 knows IPv4 only and skips it with a message.")
			a.Networks.add(p)
			r.b.untrue = true
			r.sayIPv6(v)
			r.b.untrue = false
			continue
		}
		found, err := r.networks(v)
		if err != nil {
			return err
		}
		for _, n := range found {
			if !tree.insert(r.b, n) {
				a.overlaps = true
				r.warnValue(v, "acl-overlap", fmt.Sprintf("%s overlaps an earlier value of acl %s and is ignored", v.text, a.Name),
					"2.6 keeps the entry it read first, even when the later one is larger.", "")
			}
		}
	}
	return nil
}

// someIPv4 reports whether a value is of IPv4 and surely not all addresses.
func someIPv4(s string) bool {
	return s[0] >= '1' && s[0] <= '9' && strings.Count(s, ":") < 2 && !strings.Contains(s, "/0")
}

// sayIPv6 prints what 2.6 says of an IPv6 value.
func (r *reader) sayIPv6(v aclValue) {
	if first, _, _, ok := splitRange(v.text); ok {
		r.say("decode_addr: Invalid IP address '%s'", first)
		r.sayWhere()
		r.say("aclParseIpData: Ignoring invalid IP acl entry: unknown first address '%s'", first)
		return
	}
	r.say("aclParseIpData: Bad host/IP: '%s'", v.text)
}

// onlyIPv6 reports whether 2.6 would find the ACL empty.
func (b *builder) onlyIPv6(a *ACL) bool {
	st := b.state(a)
	return st.networks != nil && len(a.Networks.four) == 0
}

// ipv6Range reads an IPv6 address, network or range.
func ipv6Range(s string) (IPRange, bool) {
	if strings.Count(s, ":") < 2 {
		return IPRange{}, false
	}
	if p, err := netip.ParsePrefix(s); err == nil && p.Addr().Is6() {
		return IPRange{First: p.Masked().Addr(), Mask: mask6(p.Bits())}, true
	}
	if a, err := netip.ParseAddr(s); err == nil && a.Is6() && a.Zone() == "" {
		return IPRange{First: a, Mask: mask6(128)}, true
	}
	from, to, ok := strings.Cut(s, "-")
	if !ok {
		return IPRange{}, false
	}
	a, err1 := netip.ParseAddr(from)
	z, err2 := netip.ParseAddr(to)
	if err1 != nil || err2 != nil || !a.Is6() || !z.Is6() || a.Zone()+z.Zone() != "" || z.Less(a) {
		return IPRange{}, false
	}
	return IPRange{First: a, Last: z, Mask: mask6(128)}, true
}

func mask6(bits int) netip.Addr {
	var b [16]byte
	for i := range bits {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom16(b)
}

const quadBytes = "0123456789."

// quadPrefix is the leading part of s made of digits and dots.
func quadPrefix(s string) string {
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(quadBytes, s[i]) < 0 {
			return s[:i]
		}
	}
	return s
}

// splitRange takes a value apart: first[-last][/mask]. Text behind a complete
// value is dropped (fact acl_src_17); ok is false for host names.
func splitRange(s string) (first, last, mask string, ok bool) {
	first = quadPrefix(s)
	rest := s[len(first):]
	if first == "" {
		return hostMask(s)
	}
	switch {
	case rest == "":
		return first, "", "", true
	case rest[0] == '-':
		last = quadPrefix(rest[1:])
		if last == "" {
			return hostMask(s)
		}
		tail := rest[1+len(last):]
		if tail == "" {
			return first, last, "", true
		}
		if tail[0] == '/' && quadPrefix(tail[1:]) != "" {
			return first, last, quadPrefix(tail[1:]), true
		}
	case rest[0] == '/' && quadPrefix(rest[1:]) != "":
		return first, "", quadPrefix(rest[1:]), true
	}
	return hostMask(s)
}

// hostMask takes name/mask apart; a value without a slash is a host name.
func hostMask(s string) (first, last, mask string, ok bool) {
	name, mask, found := strings.Cut(s, "/")
	if !found || name == "" || strings.TrimLeft(mask, " \t") == "" {
		return "", "", "", false
	}
	return name, "", strings.Fields(mask)[0], true
}

// networks reads one value; several addresses come from a host name.
func (r *reader) networks(v aclValue) ([]network4, error) {
	t := v.text
	if strings.EqualFold(t, "all") {
		return []network4{{}}, nil
	}
	first, last, mask, ok := splitRange(t)
	if !ok {
		name := t
		if f := strings.Fields(t); len(f) > 0 {
			name = f[0]
		}
		addrs := r.b.resolve(name)
		if len(addrs) == 0 {
			r.say("aclParseIpData: Bad host/IP: '%s'", t)
			r.warnValue(v, "acl-value-skipped", fmt.Sprintf("%q is no address and does not resolve; it is skipped", t), "", "")
		}
		var list []network4
		for _, a := range addrs {
			list = append(list, network4{first: bits4(a), mask: 0xffffffff})
		}
		return list, nil
	}
	n := network4{mask: 0xffffffff}
	for _, part := range []struct {
		text, what string
		into       *uint32
	}{{first, "first address", &n.first}, {last, "second address", &n.last}, {mask, "netmask", &n.mask}} {
		if part.text == "" {
			continue
		}
		value, ok, err := r.decodeAddr(part.text, v)
		if err != nil {
			return nil, err
		}
		if !ok {
			r.sayWhere()
			r.say("aclParseIpData: Ignoring invalid IP acl entry: unknown %s '%s'", part.what, part.text)
			r.warnValue(v, "acl-value-skipped", fmt.Sprintf("%q is skipped: %q is not a valid %s", t, part.text, part.what), "", "")
			return nil, nil
		}
		*part.into = value
	}
	if n.first&n.mask != n.first || n.last&n.mask != n.last {
		r.say("aclParseIpData: WARNING: Netmask masks away part of the specified IP in '%s'", t)
		r.warnValue(v, "acl-mask", fmt.Sprintf("the netmask of %s cuts bits of the address off", t),
			"", network4{n.first & n.mask, n.last & n.mask, n.mask}.String())
	}
	if n.last != 0 && n.last < n.first {
		r.warnValue(v, "acl-range", fmt.Sprintf("the range %s is reversed and matches nothing", t), "", last+"-"+first)
	}
	if got := canonical(first, last, mask); got != t && !strings.Contains(t, ":") {
		r.warnValue(v, "acl-value-tail", fmt.Sprintf("only %q of %q is read", got, t), "Separate values with blanks.", "")
	}
	n.first &= n.mask
	n.last &= n.mask
	return []network4{n}, nil
}

func canonical(first, last, mask string) string {
	if last != "" {
		first += "-" + last
	}
	if mask != "" {
		first += "/" + mask
	}
	return first
}

// decodeAddr reads a dotted quad, or a number of bits (0 to 32). A quad with a
// number out of range refuses the line (fact acl_src_13).
func (r *reader) decodeAddr(s string, v aclValue) (uint32, bool, error) {
	if a, ok := plainQuad(s); ok {
		return a, true, nil
	}
	q, n, _ := cScanQuad(s)
	switch {
	case n == 4:
		a, ok := dottedQuad(s)
		if !ok {
			r.say("decode_addr: unsafe IP address: '%s'", s)
			return 0, false, r.bungledAt(v.span, fmt.Sprintf("%s is an impossible address", s), "Each of the four numbers goes from 0 to 255.")
		}
		return bits4(a), true, nil
	case n == 1 && q[0] >= 0 && q[0] < 33:
		if q[0] == 0 {
			return 0, true, nil
		}
		return ^uint32(0) << (32 - q[0]), true, nil
	}
	r.say("decode_addr: Invalid IP address '%s'", s)
	return 0, false, nil
}

// plainQuad reads four numbers without leading zeros and with dots between, as nearly all
// addresses are written.
func plainQuad(s string) (a uint32, ok bool) {
	part, digits, dots := uint32(0), 0, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isDigit(c) && digits < 3 && (digits == 0 || part > 0):
			part, digits = 10*part+uint32(c-'0'), digits+1
		case c == '.' && digits > 0 && part < 256 && dots < 3:
			a, part, digits, dots = a<<8|part, 0, 0, dots+1
		default:
			return 0, false
		}
	}
	return a<<8 | part, dots == 3 && digits > 0 && part < 256
}
