package wccp2

import (
	"net/netip"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// assignDue assigns the fleets whose groups have been quiet for long enough, and
// repeats assignments that routers do not show.
func (e *Engine) assignDue(g *group, now time.Time) {
	if !e.announcing(g) {
		return
	}
	for _, f := range g.fleets {
		if due(f.dueAt, now) && !e.waitForPartner(g, f, now) {
			e.settled(g, f, now)
		}
		if due(f.repeatAt, now) {
			f.repeatAt = time.Time{}
			e.deliver(g, f, now)
		}
	}
}

// waitForPartner puts a fleet off until another service that we assign is due
// too, so that services which have to agree change at one moment. Services keep
// timers of their own: one where nothing is pending, or where another cache
// assigns, holds up nobody, and none holds up another beyond its limit.
func (e *Engine) waitForPartner(g *group, f *fleet, now time.Time) bool {
	limit := f.since.Add(assignLimit)
	if !limit.After(now) {
		return false
	}
	for _, other := range e.groups {
		p := other.fleetOf(f.local)
		if other == g || p == nil || p.dueAt.IsZero() || !p.dueAt.After(now) || p.insisted || !other.stand(p).lowest {
			continue
		}
		f.dueAt = earliest(p.dueAt, limit)
		return true
	}
	return false
}

// settled decides what to do once a fleet has come to rest.
func (e *Engine) settled(g *group, f *fleet, now time.Time) {
	f.dueAt = time.Time{}
	s := g.stand(f)
	if s.lowest && !s.designated() && !f.insisted {
		// A rival assigns and may hear routers that we do not. If the group is
		// not put right until routers would have noticed a loss, insist once.
		f.insisted, f.dueAt = true, now.Add(lostAfter)
		return
	}
	f.since = time.Time{}
	if s.lowest {
		e.assign(g, f, s, now)
	}
}

// assign divides the traffic among the candidates and owes the result to every
// router that has joined us.
func (e *Engine) assign(g *group, f *fleet, s standing, now time.Time) {
	list := settle(slices.Clone(s.candidates))
	a, owners := e.divided(g, f, s, list)
	if f.current != nil && slices.Equal(owners, f.owners) && !slices.ContainsFunc(s.joined, func(r *router) bool { return !r.confirms(f) }) {
		return
	}
	for _, r := range s.joined {
		if k := r.view.Key; k.Addr == f.local && int32(k.Change-f.number) > 0 {
			f.number = k.Change // an assignment of an earlier life of this process
		}
	}
	f.number++
	a.Key = wire.AssignmentKey{Addr: f.local, Change: f.number}
	f.current, f.owners = a, owners
	for _, r := range s.joined {
		r.owed, r.sentAt = true, time.Time{}
	}
	e.log("WCCPv2: service {service}: assigning {caches} caches at {routers} routers, assignment {assignment}",
		zap.Stringer("service", g.svc.ServiceID), zap.Int("caches", len(list)), zap.Int("routers", len(s.joined)), zap.Uint32("assignment", f.number))
	e.deliver(g, f, now)
}

// confirms reports whether the router shows the current assignment and has seen no
// change of membership since it got it.
func (r *router) confirms(f *fleet) bool {
	return !r.owed && r.view.Key == f.current.Key && r.view.MemberChange == r.assigned
}

// divided makes an assignment for the caches of list.
func (e *Engine) divided(g *group, f *fleet, s standing, list []member) (*wire.Assignment, []netip.Addr) {
	a := &wire.Assignment{Method: wire.AssignHash}
	mask, values := e.maskOf(g)
	owners := e.owners(f, s, list, mask, values)
	switch {
	case values != nil && g.v6:
		a.Method, a.AltSets = wire.AssignAltMask, []wire.AltMaskValueSet{numbered(mask, list, owners)}
		return a, owners
	case values != nil:
		set := wire.MaskValueSet{Mask: mask}
		for i, v := range values {
			set.Values = append(set.Values, wire.Value{Mask: v, Cache: owners[i]})
		}
		a.Method, a.Sets = wire.AssignMask, []wire.MaskValueSet{set}
		return a, owners
	}
	index := map[netip.Addr]int{}
	for i, m := range list {
		index[m.addr] = i
		a.Caches = append(a.Caches, m.addr)
	}
	for i, o := range owners {
		a.Buckets[i] = wire.MakeBucket(index[o], false)
	}
	return a, owners
}

// numbered is the short form of a mask's values. Messages of version 2.01 are to have it
// rather than the long one (rev1 7), where each value of an IPv6 address is in the table
// of addresses besides, and an assignment would not fit a packet.
func numbered(mask wire.Mask, list []member, owners []netip.Addr) wire.AltMaskValueSet {
	set := wire.AltMaskValueSet{Mask: mask}
	for _, m := range list {
		his := wire.CacheValues{Cache: m.addr}
		for v, o := range owners {
			if o == m.addr {
				his.Values = append(his.Values, uint32(v))
			}
		}
		if len(his.Values) > 0 {
			set.Caches = append(set.Caches, his)
		}
	}
	return set
}

// maskOf gives the mask of a group and the values under it, nil with hash assignment.
func (e *Engine) maskOf(g *group) (wire.Mask, []wire.Mask) {
	if g.methods.assignment != wire.MethodMask {
		return wire.Mask{}, nil
	}
	mask, _ := maskFor(g.svc.Service, e.cfg.mask(), g.v6)
	return mask, maskValues(g.svc.Service, e.cfg.mask(), g.v6)
}

// owners hands the values, or with nil the 256 buckets, round the caches by the
// configured division.
func (e *Engine) owners(f *fleet, s standing, list []member, mask wire.Mask, values []wire.Mask) []netip.Addr {
	n := buckets(values)
	if e.cfg.Division == DivideSticky {
		prior := f.owners
		if !slices.ContainsFunc(s.joined, func(r *router) bool { return f.current != nil && r.view.Key == f.current.Key }) {
			prior = inForce(s.joined, mask, values) // another cache's, or nothing
			if prior == nil && len(f.last) == n {
				prior = f.last // the routers have forgotten it
			}
		}
		owners, number := e.sticky.table(list, n, prior, f.table)
		f.table = number
		return owners
	}
	owners := make([]netip.Addr, n)
	for i, at := range divide(list, n) {
		owners[i] = list[at].addr
	}
	return owners
}

// checkKey looks whether a router shows the assignment we made, and owes it the
// assignment again when not: it was lost, refused, or overwritten (draft 4.8.1).
func (g *group) checkKey(r *router) {
	f := g.fleetOf(r.local)
	if f == nil || f.current == nil {
		return
	}
	r.owed = r.joined() && r.view.Key != f.current.Key
}

// deliver sends the assignment to the routers it is owed to. A router takes it
// only with the receive id it sent last (draft 5.7.4), so one whose answer is
// outstanding gets it when that comes; and no router gets it twice within an
// interval.
func (e *Engine) deliver(g *group, f *fleet, now time.Time) {
	if f.current == nil || !f.dueAt.IsZero() || !e.announcing(g) || !slices.ContainsFunc(g.routers, func(r *router) bool { return r.owed }) {
		return
	}
	if s := g.stand(f); !s.designated() && !f.insisted {
		return
	}
	for _, r := range g.routers {
		if !r.owed || r.open || r.local != f.local || !r.joined() {
			continue
		}
		if again := r.sentAt.Add(Interval); !r.sentAt.IsZero() && again.After(now) {
			f.repeatAt = earliest(f.repeatAt, again)
			continue
		}
		e.redirectAssign(g, f, r, now)
		f.repeatAt = earliest(f.repeatAt, r.sentAt.Add(Interval))
	}
	f.insisted = false
}

// redirectAssign sends the current assignment to one router.
func (e *Engine) redirectAssign(g *group, f *fleet, r *router, now time.Time) {
	a := *f.current
	a.Routers = g.assignedRouters(r)
	m := g.message(wire.RedirectAssign)
	if a.Method == wire.AssignHash {
		m.Assignment = &a
	} else {
		m.AltAssignment = &a
	}
	datagram, err := m.Append(nil, g.svc.Password)
	if err != nil {
		e.complain(now, r.to.Addr(), unsendable, "WCCPv2: REDIRECT_ASSIGN for service {service} cannot be said: {error}",
			zap.Stringer("service", g.svc.ServiceID), zap.String("error", err.Error()))
		return
	}
	if !r.sentAt.IsZero() {
		e.log("WCCPv2: router {router} does not show assignment {assignment} of service {service}, sent again",
			zap.Stringer("router", r.to.Addr()), zap.Uint32("assignment", f.number), zap.Stringer("service", g.svc.ServiceID))
	}
	r.sentAt, r.assigned = now, r.view.MemberChange
	r.counter.Assignments++
	e.send(r.to, datagram)
}

// assignedRouters lists the routers of an assignment as one of them is to read
// it: with the numbers each sent last. Those not heard yet stand in it with
// zeros, as recorded.
func (g *group) assignedRouters(to *router) []wire.RouterAssignment {
	var list []wire.RouterAssignment
	for _, r := range g.routers {
		if r.dropped || r.refusal != "" || r != to && r.id == to.id ||
			slices.ContainsFunc(list, func(a wire.RouterAssignment) bool { return a.ID == r.id }) {
			continue
		}
		a := wire.RouterAssignment{RouterID: wire.RouterID{ID: r.id, ReceiveID: r.receiveID}}
		if r.view != nil {
			a.MemberChange = r.view.MemberChange
		}
		list = append(list, a)
	}
	return list
}
