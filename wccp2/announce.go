package wccp2

import (
	"net/netip"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// announceDue sends the HERE_I_AM that are due: the regular ones, one for each
// router, and the answers to removal queries.
func (e *Engine) announceDue(g *group, now time.Time) {
	if !e.announcing(g) {
		return
	}
	g.lookAround()
	if due(g.announceAt, now) {
		for _, r := range g.routers {
			e.hereIAm(g, r, now)
		}
		for due(g.announceAt, now) {
			g.announceAt = g.announceAt.Add(Interval)
		}
	}
	for _, r := range g.routers {
		if r.burst > 0 && due(r.burstAt, now) {
			e.hereIAm(g, r, now)
			r.burst--
			r.burstAt = now.Add(queryAnswerStep)
		}
	}
}

// hereIAm announces this cache to one router (draft 5.1; FACTS "HERE_I_AM").
func (e *Engine) hereIAm(g *group, r *router, now time.Time) {
	local := e.cfg.Local(r.to.Addr())
	if !local.IsValid() {
		e.complain(now, r.to.Addr(), noRoute, "WCCPv2: no route to router {router}, nothing is announced to it", zap.Stringer("router", r.to.Addr()))
		return
	}
	r.local = local
	m := g.message(wire.HereIAm)
	m.CacheIdentity = e.identity(g, r)
	m.CacheView = g.cacheView(r)
	m.Capabilities = []wire.Capability{
		wire.Bits(wire.ForwardingMethod, g.methods.forwarding),
		wire.Bits(wire.AssignmentMethod, g.methods.assignment),
		wire.Bits(wire.ReturnMethod, g.methods.returning),
	}
	datagram, err := m.Append(nil, g.svc.Password)
	if err != nil {
		e.complain(now, r.to.Addr(), unsendable, "WCCPv2: HERE_I_AM for service {service} cannot be said: {error}",
			zap.Stringer("service", g.svc.ServiceID), zap.String("error", err.Error()))
		return
	}
	r.asked, r.open = now, true
	r.counter.HereIAm++
	e.send(r.to, datagram)
}

// statedWeight in the status field of a mask identity says that the weight is
// meant. 2.6 and its heirs send 0 and 0 there whatever their weight is, which
// must not be read as "nothing for me" (FACTS "Cache identity for mask"). What
// the status says is left to the caches (draft 5.7.2).
const statedWeight = 1

// identity describes this cache, with the buckets the router last said it has
// (draft 5.7.2: its assignment, or the last known one marked historical).
func (e *Engine) identity(g *group, r *router) *wire.CacheIdentity {
	c := &wire.CacheIdentity{Addr: r.local, Weight: e.cfg.Weight}
	if e.leaving.groups[g] == handingOver {
		c.Weight = 0
	}
	if g.methods.assignment == wire.MethodMask {
		mask, _ := maskFor(g.svc.Service, e.cfg.mask(), g.v6)
		c.Kind, c.Status = wire.MaskData, statedWeight
		c.Sets = []wire.MaskValueSet{{Mask: mask}}
		return c
	}
	c.Buckets, c.Historical = r.mine, r.stale
	return c
}

// cacheView is what we see of the group (draft 5.6.6), as told to one router.
// Routers not heard yet stand in it with receive id 0, as 2.6 did and IOS takes
// it, until they have been silent for too long (draft 4.6).
func (g *group) cacheView(to *router) *wire.CacheView {
	v := &wire.CacheView{Change: g.change, Caches: g.view.caches}
	add := func(r *router) {
		if !slices.ContainsFunc(v.Routers, func(id wire.RouterID) bool { return id.ID == r.id }) {
			v.Routers = append(v.Routers, wire.RouterID{ID: r.id, ReceiveID: r.receiveID})
		}
	}
	for _, r := range g.routers {
		switch {
		case r.id == to.id: // of two that call themselves alike, the one spoken to
			add(to)
		case !r.dropped:
			add(r)
		}
	}
	return v
}

// lookAround brings our own view of the group up to date and numbers its changes.
func (g *group) lookAround() {
	now := view{caches: g.known()}
	for _, r := range g.routers {
		if !r.dropped {
			now.routers = append(now.routers, r.id)
		}
	}
	if g.change == 0 || !slices.Equal(now.routers, g.view.routers) || !slices.Equal(now.caches, g.view.caches) {
		g.change++
	}
	g.view = now
}

// known lists the caches that routers have told of, at most as many as a group can have.
func (g *group) known() []netip.Addr {
	var all []netip.Addr
	for _, r := range g.routers {
		if r.view == nil {
			continue
		}
		for i := range r.view.Caches {
			if a := r.view.Caches[i].Addr; !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	slices.SortFunc(all, netip.Addr.Compare)
	return all[:min(len(all), memberLimit)]
}
