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

// dst and dst_as: any address of the URL's host. A host without addresses
// matches nothing.
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
	answer, err := m.names.Look(ctx, text(f.URL.Host))
	if err != nil {
		return No
	}
	for i := range answer.Len() {
		if m.set.has(answer.At(i)) {
			return Yes
		}
	}
	return No
}

func yes(b bool) Ternary {
	if b {
		return Yes
	}
	return No
}

// text shares the memory of b: the string must not be kept.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
