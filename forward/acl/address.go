package acl

import (
	"context"
	"net/netip"
	"unsafe"

	"github.com/cuttle-proxy/cuttle/forward/dns"
)

// src: the client's address.
type src struct{ addrs }

func (m *src) match(_ context.Context, f *Facts) Ternary { return yes(m.has(f.Client)) }

// myip: the address the client connected to.
type myIP struct{ set addrs }

func (m *myIP) match(_ context.Context, f *Facts) Ternary { return yes(m.set.has(f.Local.Addr())) }

// dst and dst_as: the address the request goes to, where that is settled, else any
// address of the URL's host. A host without addresses matches nothing.
type dst struct {
	set   hostAddrs
	names dns.Resolver
}

// hostAddrs is a set of addresses: networks, or autonomous systems for dst_as.
type hostAddrs interface{ has(addr netip.Addr) bool }

func (m *dst) match(ctx context.Context, f *Facts) Ternary {
	if f.URL == nil {
		return No
	}
	if f.To.IsValid() {
		return yes(m.has(f.To))
	}
	if !f.Holds(ctx, m.names) {
		return yes(m.has(f.Dialled.Addr()))
	}
	answer, err := m.names.Look(ctx, text(f.URL.Host))
	if err != nil {
		return No
	}
	for i := range answer.Len() {
		if m.has(answer.At(i)) {
			return Yes
		}
	}
	return No
}

func (m *dst) has(a netip.Addr) bool {
	return m.set.has(a) || reachesLoopback(a) && m.set.has(loopback)
}

// loopback is what rules about this host's own services name (2.6's to_localhost).
var loopback = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// reachesLoopback reports whether a connection to an address ends at this host's
// loopback although the address is not within 127.0.0.0/8: rules of 2.6's day could
// not know ::1, and the kernel takes the unspecified address for it.
func reachesLoopback(a netip.Addr) bool {
	return a.IsUnspecified() || a.Is6() && a.Unmap().IsLoopback()
}

func yes(b bool) Ternary {
	if b {
		return Yes
	}
	return No
}

// text shares the memory of b: the string must not be kept.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
