package acl

import (
	"context"

	"github.com/cuttle-proxy/cuttle/forward/dns"
)

// Holds reports whether the host of the URL is more than a claim: the client was not
// intercepted, or DNS ties the name to the address it dialled. It may wait for DNS.
//
// An intercepted client is connected to where it dialled, whatever Host says. So a
// rule that lets a name in must not be met by a name that was just written down, nor a
// rule against names be passed by one: both are unknown (Missing).
func (f *Facts) Holds(ctx context.Context, names dns.Resolver) bool {
	if !f.Dialled.IsValid() {
		return true
	}
	if names == nil {
		return false
	}
	belongs, _ := names.Belongs(ctx, text(f.URL.Host), f.Dialled.Addr())
	return belongs
}

// claimer is a matcher that can say what it would of a mere claim, without waiting for
// DNS: Unknown when there is none, or when it would have to ask.
type claimer interface {
	claimed(f *Facts) Ternary
	// settle is the answer when what is claimed is known; it may wait for DNS.
	settle(ctx context.Context, f *Facts, claimed Ternary) Ternary
}

func (m *dstDomain) claimed(f *Facts) Ternary {
	if f.URL == nil || !f.Dialled.IsValid() {
		return Unknown
	}
	host := text(f.URL.Host)
	if _, numeric := dns.Numeric(host); numeric {
		return Unknown
	}
	return yes(m.set.has(host))
}

func (m *dstDomain) settle(ctx context.Context, f *Facts, claimed Ternary) Ternary {
	if !f.Holds(ctx, m.names) {
		return Missing
	}
	return claimed
}

func (m *urlRegex) claimed(f *Facts) Ternary {
	if f.URL == nil || !f.Dialled.IsValid() {
		return Unknown
	}
	return yes(m.matches(f.URL))
}

func (m *urlRegex) settle(ctx context.Context, f *Facts, claimed Ternary) Ternary {
	if claimed == Yes && !f.Holds(ctx, m.names) {
		return Missing
	}
	return claimed
}
