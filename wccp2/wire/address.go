package wire

import (
	"net/netip"
)

// addressTable is rev1's address table (5.1.5): where a message has one, every
// address field of the message, masks too, holds an index into it in its lower half,
// the first entry being 1 and 0 standing for no address (4.7.2). All entries are of
// one family.
type addressTable struct {
	v6    bool
	addrs []netip.Addr
	at    map[netip.Addr]uint32
}

// Address families of the table.
const (
	familyIPv4 = 1
	familyIPv6 = 2
)

func (t *addressTable) lookup(i uint16) (netip.Addr, bool) {
	if i == 0 {
		if t.v6 {
			return netip.IPv6Unspecified(), true
		}
		return netip.IPv4Unspecified(), true
	}
	if int(i) > len(t.addrs) {
		return netip.Addr{}, false
	}
	return t.addrs[i-1], true
}

// index gives the index of a, entering it where it is new.
func (t *addressTable) index(a netip.Addr) (uint32, bool) {
	if !a.IsValid() || a.IsUnspecified() {
		return 0, true
	}
	if a.Is6() != t.v6 {
		return 0, false
	}
	if i, ok := t.at[a]; ok {
		return i, true
	}
	if t.at == nil {
		t.at = make(map[netip.Addr]uint32)
	}
	t.addrs = append(t.addrs, a)
	i := uint32(len(t.addrs))
	t.at[a] = i
	return i, true
}

func parseAddressTable(body []byte) (*addressTable, error) {
	r := reader{b: body, where: AddressTableInfo.String()}
	family, size := r.u16(), int(r.u16())
	t := &addressTable{v6: family == familyIPv6}
	natural := 4
	if t.v6 {
		natural = 16
	}
	switch {
	case r.err != nil:
		return nil, r.err
	case family != familyIPv4 && family != familyIPv6, size < natural, size%4 != 0:
		return nil, bad(r.where, "family %d with addresses of %d octets", family, size)
	}
	n := r.count(size, "addresses")
	t.addrs = make([]netip.Addr, n)
	for i := range t.addrs {
		t.addrs[i], _ = netip.AddrFromSlice(r.take(size)[:natural]) // what is behind it says nothing
	}
	return t, r.end()
}

func (w *writer) addressTable(t *addressTable) {
	w.component(AddressTableInfo, func() {
		if t.v6 {
			w.u16(familyIPv6)
			w.u16(16)
		} else {
			w.u16(familyIPv4)
			w.u16(4)
		}
		w.u32(uint32(len(t.addrs)))
		for _, a := range t.addrs {
			w.b = append(w.b, a.AsSlice()...)
		}
	})
}
