package acl

import (
	"encoding/binary"
	"math/bits"
	"net/netip"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/gaissmai/bart"
)

// addrs is a set of addresses: IPv4 networks and ranges in order, IPv6 ones in a radix
// table, values with masks that are no prefixes beside them.
type addrs struct {
	// all: some value is 0.0.0.0/0, which every address of either family matches.
	all       bool
	four      ranges
	six       *bart.Lite // nil without IPv6 values
	odd       []oddMask
	oddRanges []oddRange
}

// oddMask is the IPv4 values with one mask that is not a prefix.
type oddMask struct {
	mask uint32
	has  map[uint32]struct{}
}

// oddRange is an IPv4 range compared under a mask that is not a prefix.
type oddRange struct{ mask, first, last uint32 }

func compileAddrs(values *conf.Networks) addrs {
	var s addrs
	s.four.list = make([]uint64, 0, values.Len())
	for v := range values.All() {
		s.add(&v)
	}
	s.four.order()
	return s
}

func (s *addrs) add(v *conf.IPRange) {
	last := v.Last
	if !last.IsValid() || last.IsUnspecified() {
		last = v.First
	}
	length, prefix := maskLength(v.Mask)
	switch {
	case prefix && length == 0 && v.First.Is4():
		s.all = true
		fallthrough
	case prefix && v.First.Is4():
		// Under the mask, the range ends at the last address of last's network.
		if first, last := four(v.First), four(last)|uint32(1<<(32-length)-1); first <= last {
			s.four.put(first, last)
		}
	case prefix:
		s.addRange(v.First, lastOf(last, length))
	case v.First.Is4():
		s.addOdd(four(v.Mask), four(v.First), four(last))
	}
}

// addRange adds the addresses from first to last as the prefixes they make up.
func (s *addrs) addRange(first, last netip.Addr) {
	if s.six == nil {
		s.six = new(bart.Lite)
	}
	for first.IsValid() && first.Compare(last) <= 0 {
		p := netip.PrefixFrom(first, first.BitLen())
		for p.Bits() > 0 {
			wider := netip.PrefixFrom(first, p.Bits()-1)
			if wider.Masked().Addr() != first || lastOf(first, wider.Bits()).Compare(last) > 0 {
				break
			}
			p = wider
		}
		s.six.Insert(p)
		first = lastOf(first, p.Bits()).Next()
	}
}

func (s *addrs) addOdd(mask, first, last uint32) {
	if first != last {
		s.oddRanges = append(s.oddRanges, oddRange{mask, first, last})
		return
	}
	for i := range s.odd {
		if s.odd[i].mask == mask {
			s.odd[i].has[first] = struct{}{}
			return
		}
	}
	s.odd = append(s.odd, oddMask{mask, map[uint32]struct{}{first: {}}})
}

// has reports whether a is in the set.
func (s *addrs) has(a netip.Addr) bool {
	if s.all {
		return a.IsValid()
	}
	if !a.Is4() {
		return s.six != nil && s.six.Contains(a)
	}
	n := four(a)
	if s.four.has(n) {
		return true
	}
	for i := range s.odd {
		if _, ok := s.odd[i].has[n&s.odd[i].mask]; ok {
			return true
		}
	}
	for _, r := range s.oddRanges {
		if m := n & r.mask; r.first <= m && m <= r.last {
			return true
		}
	}
	return false
}

// namesIPv6 reports whether the set can let an IPv6 client in.
func (s *addrs) namesIPv6() bool { return s.all || s.six != nil }

// maskLength is the prefix length of a mask; ok is false for other masks.
func maskLength(mask netip.Addr) (length int, ok bool) {
	b := mask.AsSlice()
	for i, octet := range b {
		ones := bits.LeadingZeros8(^octet)
		length += ones
		if ones == 8 {
			continue
		}
		if octet<<ones != 0 {
			return 0, false
		}
		for _, rest := range b[i+1:] {
			if rest != 0 {
				return 0, false
			}
		}
		break
	}
	return length, len(b) > 0
}

// lastOf is the last address of the network of a with that prefix length.
func lastOf(a netip.Addr, length int) netip.Addr {
	b := a.AsSlice()
	for i := range b {
		if keep := min(max(length-8*i, 0), 8); keep < 8 {
			b[i] |= 0xff >> keep
		}
	}
	last, _ := netip.AddrFromSlice(b)
	return last
}

func four(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}
