package routersim

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// hereIAm takes a cache's announcement and answers it. It returns why it refused.
func (r *Router) hereIAm(settings Group, message *wire.Message, from netip.AddrPort) string {
	g, why := r.groupFor(settings, *message.Service)
	if why != "" {
		return why
	}
	m, why := r.memberFor(g, message.CacheIdentity.Addr)
	if why != "" {
		return why
	}
	echoed, shown := r.echo(message.CacheView), m.shown
	weightBefore := m.identity.Weight
	m.at, m.identity, m.heard, m.queried = from, *message.CacheIdentity, r.now, false
	m.methods = methodsOf(message.Capabilities)
	weight := m.identity.Weight
	right := shown != 0 && echoed == shown
	if right {
		m.echoed = r.now
	}
	for _, router := range message.CacheView.Routers {
		if !slices.Contains(g.routers, router.ID) && len(g.routers) < maxMembers {
			g.routers = append(g.routers, router.ID)
		}
	}
	r.observe(Event{Name: HereIAm, Service: g.service.ServiceID.String(), Cache: m.address, ReceiveID: echoed, Expected: shown, Weight: weight})
	r.settle(g, m, right)
	if m.usable && weight != weightBefore {
		r.observe(Event{Name: WeightChanged, Service: g.service.ServiceID.String(), Cache: m.address, Weight: weight})
	}
	r.answer(g, m)
	return ""
}

// groupFor finds or forms the group. Its first cache describes the service; others
// have to describe it alike as long as one is usable.
func (r *Router) groupFor(settings Group, service wire.Service) (*group, string) {
	g := r.groups[service.ServiceID]
	switch {
	case g == nil && len(r.groups) >= maxGroups:
		return nil, "too many groups"
	case g == nil:
		g = &group{service: service, password: settings.Password}
		r.groups[service.ServiceID] = g
		r.observe(Event{Name: GroupFormed, Service: service.ServiceID.String()})
	case g.service == service:
	case len(g.usable()) > 0:
		return nil, "describes the service otherwise than the group"
	default:
		g.service = service
		r.observe(Event{Name: Redefined, Service: service.ServiceID.String()})
	}
	return g, ""
}

func (r *Router) memberFor(g *group, address netip.Addr) (*member, string) {
	if m := g.member(address); m != nil {
		return m, ""
	}
	if len(g.members) >= maxMembers {
		return nil, fmt.Sprintf("the group has %d caches already", maxMembers)
	}
	m := &member{address: address, heard: r.now}
	g.members = append(g.members, m)
	r.observe(Event{Name: CacheSeen, Service: g.service.ServiceID.String(), Cache: address})
	return m, ""
}

// echo is the receive id that the cache's view gives for us, 0 when it has none.
func (r *Router) echo(view *wire.CacheView) uint32 {
	for _, router := range view.Routers {
		if router.ID == r.config.ID || router.ID == r.config.Address {
			return router.ReceiveID
		}
	}
	return 0
}

// settle decides whether the cache is usable now. A wrong receive id alone does not
// end a membership, since it may be our answer that was lost; its timer does.
func (r *Router) settle(g *group, m *member, right bool) {
	if why := r.incompatible(m.methods); why != "" {
		r.observe(Event{Name: Unsupported, Service: g.service.ServiceID.String(), Cache: m.address, Why: why})
		r.drop(g, m, why)
		return
	}
	if right && !m.usable {
		m.usable = true
		r.memberChange(g)
		r.observe(Event{Name: CacheJoined, Service: g.service.ServiceID.String(), Cache: m.address, Change: g.change, Caches: g.usableAddresses()})
	}
}

// drop ends a membership; the cache may still be answered.
func (r *Router) drop(g *group, m *member, why string) {
	if !m.usable {
		return
	}
	m.usable = false
	r.memberChange(g)
	r.observe(Event{Name: CacheLeft, Service: g.service.ServiceID.String(), Cache: m.address, Why: why, Change: g.change, Caches: g.usableAddresses()})
}

// methodsOf reads what a cache offers; without the component GRE and hash hold.
func methodsOf(capabilities []wire.Capability) methods {
	read := func(t wire.CapabilityType, byDefault uint32) uint32 {
		if bits, given := wire.Methods(capabilities, t); given {
			return bits
		}
		return byDefault
	}
	return methods{
		forwarding: read(wire.ForwardingMethod, wire.MethodGRE),
		returning:  read(wire.ReturnMethod, wire.MethodGRE),
		assignment: read(wire.AssignmentMethod, wire.MethodHash),
	}
}

// incompatible says which method has nothing in common with ours, "" if none.
func (r *Router) incompatible(m methods) string {
	for _, pair := range []struct {
		what        string
		cache, ours uint32
	}{
		{"forwarding", m.forwarding, r.config.Forwarding},
		{"return", m.returning, r.config.Return},
		{"assignment", m.assignment, r.config.Assignment},
	} {
		if pair.cache&pair.ours == 0 {
			return fmt.Sprintf("%s method: the cache offers %#x, the router %#x", pair.what, pair.cache, pair.ours)
		}
	}
	return ""
}
