package acl

import (
	"context"
	"net/netip"

	"github.com/cuttle-proxy/cuttle/forward/dns"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// nameless is what 2.6 compares when an address has no name.
const nameless = "none"

// dstdomain and dstdom_regex: the URL's host; for an address also the name it has.
// Nothing can be told of a name that is a mere claim.
type dstDomain struct {
	set   hostNames
	names dns.Resolver
}

// hostNames is a set of names: domains, or expressions for dstdom_regex and
// srcdom_regex.
type hostNames interface{ has(name string) bool }

func (m *dstDomain) match(ctx context.Context, f *Facts) Ternary {
	if f.URL == nil {
		return No
	}
	if !f.Holds(ctx, m.names) {
		return Missing
	}
	host := text(f.URL.Host)
	if m.set.has(host) {
		return Yes
	}
	name, ok := nameOfHost(ctx, m.names, host)
	return yes(ok && m.set.has(name))
}

// srcdomain and srcdom_regex: the name of the client's address.
type srcDomain struct {
	set   hostNames
	names dns.Resolver
}

func (m *srcDomain) match(ctx context.Context, f *Facts) Ternary {
	return yes(m.set.has(nameOf(ctx, m.names, f.Client)))
}

// nameOfHost is the name of a host given as an address; ok is false for a host
// given by name.
func nameOfHost(ctx context.Context, names dns.Resolver, host string) (name string, ok bool) {
	if names == nil {
		return "", false
	}
	addr, ok := dns.Numeric(host)
	if !ok {
		return "", false
	}
	return nameOf(ctx, names, addr), true
}

func nameOf(ctx context.Context, names dns.Resolver, addr netip.Addr) string {
	name, err := names.Name(ctx, addr)
	if err != nil {
		return nameless
	}
	return http1.Lower(name)
}
