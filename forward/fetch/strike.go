package fetch

import (
	"net/netip"
	"strings"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/failure"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// strike leaves out the addresses of an origin that must not be connected to: IPv6
// ones that would be refused in a URL, and those for which http_access would refuse
// the request. It judges what is dialled, and that may be another address than the
// one the access lists were shown: a name has several, and others by now.
func (f *Fetch) strike(host string, a addresses) (addresses, *failure.Failure) {
	lists := f.policy.Lists
	asks := f.req.Client.IsValid() && !f.req.Rewritten && (lists.HTTPAccess.AsksDst() || lists.HTTPAccess2.AsksDst())
	if f.settled(a.only) {
		return a, nil
	}
	var refused string
	f.fit = f.fit[:0]
	for i := range a.Len() {
		addr := a.At(i)
		if !a.only.IsValid() && addr.Is6() && !http1.ReachableLiteral(addr) {
			continue
		}
		if asks {
			last, ok := f.admitted(addr)
			if !ok {
				refused = last
				continue
			}
		}
		f.fit = append(f.fit, addr)
	}
	switch {
	case len(f.fit) == a.Len():
		return a, nil
	case len(f.fit) > 0:
		return addresses{fit: f.fit}, nil
	case refused != "":
		return addresses{}, failure.AccessDenied(refused)
	}
	why := failure.Unresolved(&dns.Error{Name: strings.Clone(host), Kind: dns.NoData, Detail: "but ones of this host or link"})
	why.Repeat = failure.Never
	return addresses{}, why
}

// settled reports whether the request was admitted for the only address it can go to.
func (f *Fetch) settled(only netip.Addr) bool { return only.IsValid() && only == f.req.Facts.To }

// admitted asks http_access about the request as one to an address.
func (f *Fetch) admitted(addr netip.Addr) (last string, ok bool) {
	facts := f.factsTo(addr)
	for _, list := range []*acl.List{&f.policy.Lists.HTTPAccess, &f.policy.Lists.HTTPAccess2} {
		if a := list.Check(f.ctx, facts); !a.Allowed() {
			return a.Last, false
		}
	}
	return "", true
}

// factsTo are the facts of the request as one to an address. They last until the next
// call.
func (f *Fetch) factsTo(addr netip.Addr) *acl.Facts {
	if f.dialled == nil {
		f.dialled = new(acl.Facts)
	}
	*f.dialled = *f.req.Facts
	f.dialled.To = addr
	return f.dialled
}

// To is the address of the origin that the connection goes to, invalid for a peer's.
func (f *Fetch) To() netip.Addr {
	if f.conn == nil || f.hop == nil || !f.direct() {
		return netip.Addr{}
	}
	return f.conn.Key.To.Addr()
}
