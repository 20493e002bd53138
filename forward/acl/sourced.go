package acl

import (
	"context"
	"net/netip"
	"slices"

	"github.com/cuttle-proxy/cuttle/conf"
)

// unknown stands for an ACL whose source of facts is missing.
type unknown struct{}

func (unknown) match(context.Context, *Facts) Ternary { return Missing }

// maxconn: the client has more connections open than that.
type maxConn struct {
	limit  int
	source ConnectionCounter
}

func (m *maxConn) match(_ context.Context, f *Facts) Ternary {
	return yes(m.source.Established(f.Client) > m.limit)
}

// arp: the client's Ethernet address.
type hardware struct {
	has    map[[6]byte]struct{}
	source HardwareAddresses
}

func compileMACs(list [][6]byte, source HardwareAddresses) *hardware {
	m := &hardware{map[[6]byte]struct{}{}, source}
	for _, mac := range list {
		m.has[mac] = struct{}{}
	}
	return m
}

func (m *hardware) match(_ context.Context, f *Facts) Ternary {
	mac, ok := m.source.HardwareAddress(f.Client)
	if !ok {
		return No
	}
	_, ok = m.has[mac]
	return yes(ok)
}

// asNumbers is a set of autonomous systems, each the addresses it holds.
type asNumbers struct {
	numbers map[uint32]struct{}
	source  ASNumbers
}

func compileASNumbers(list []int, source ASNumbers) *asNumbers {
	set := &asNumbers{map[uint32]struct{}{}, source}
	for _, n := range list {
		set.numbers[uint32(n)] = struct{}{}
	}
	return set
}

func (s *asNumbers) has(addr netip.Addr) bool {
	for _, n := range s.source.ASNumbers(addr) {
		if _, ok := s.numbers[n]; ok {
			return true
		}
	}
	return false
}

// src_as: the autonomous system of the client.
type srcAS struct{ set *asNumbers }

func (m *srcAS) match(_ context.Context, f *Facts) Ternary { return yes(m.set.has(f.Client)) }

// external: what a helper says.
type external struct {
	use    *conf.ExternalUse
	login  bool // the helper is told who the user is (%LOGIN)
	source ExternalLookup
}

// namesUser reports whether the helper is told who the user is.
func namesUser(use *conf.ExternalUse) bool {
	return slices.ContainsFunc(use.Type.Format, func(f conf.ExternalFormat) bool { return f.Code == "LOGIN" })
}

func (m *external) match(ctx context.Context, f *Facts) Ternary {
	return verdict(m.tell(ctx, f, f.Told, true))
}

func (m *external) tell(ctx context.Context, f *Facts, before *Told, waits bool) (Ternary, *Told) {
	from := m.source.Remembered
	if waits {
		from = m.source.Match
	}
	if m.login {
		user, outcome := authenticate(ctx, f, waits)
		if outcome != Yes {
			return outcome, before
		}
		before = before.And(user)
	}
	outcome, said := from(ctx, m.use, f, before)
	return outcome, before.And(said)
}

// user_cert, ca_cert: an attribute of the client's certificate or its issuer.
type cert struct {
	attribute string
	values    []string
	issuer    bool
	source    Certificates
}

func compileCert(a *conf.ACL, source Certificates) *cert {
	return &cert{a.Cert.Attribute, a.Cert.Values, a.Type == conf.ACLCACert, source}
}

func (m *cert) match(_ context.Context, f *Facts) Ternary {
	value, ok := m.source.Attribute(f, m.attribute, m.issuer)
	return yes(ok && slices.Contains(m.values, value))
}
