package wccp2

import (
	"net/netip"
	"slices"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// receive takes a packet of the cache.
func (l *lab) receive(at, from netip.Addr, datagram []byte) {
	i := slices.IndexFunc(l.routers, func(r *labRouter) bool { return r.addr == at })
	if i < 0 {
		return
	}
	r := l.routers[i]
	if wire.IsV1(datagram) {
		l.receiveV1(r, from, datagram)
		return
	}
	m, err := wire.Parse(datagram)
	if err != nil {
		l.t.Errorf("at %.1f s the cache sends a bad packet: %v", l.now, err)
		return
	}
	secret, secured := l.secrets[m.Service.ServiceID]
	if secured != (m.Security.Option == wire.MD5Security) || secured && !wire.Authentic(datagram, m, secret) || !secured && !l.any {
		l.note("rejected", m.Service.ServiceID.String(), "authentication")
		return
	}
	switch m.Type {
	case wire.HereIAm:
		l.hereIAm(r, m, from)
	case wire.RedirectAssign:
		l.redirectAssign(r, m, from)
	}
}

func (l *lab) hereIAm(r *labRouter, m *wire.Message, from netip.Addr) {
	if l.fault.Silent {
		return
	}
	g := r.groups[m.Service.ServiceID]
	if g == nil {
		g = &labGroup{svc: *m.Service}
		r.groups[m.Service.ServiceID], r.order = g, append(r.order, g)
	}
	c := g.cache(m.CacheIdentity.Addr)
	fresh := c == nil
	if fresh {
		c = &labCache{addr: m.CacheIdentity.Addr}
		g.caches = append(g.caches, c)
	}
	c.ident, c.last, c.queried = *m.CacheIdentity, l.now, false
	c.assign, _ = wire.Methods(m.Capabilities, wire.AssignmentMethod)
	g.routers = nil
	var got uint32
	listed := false
	for _, id := range m.CacheView.Routers {
		g.routers = append(g.routers, id.ID)
		if id.ID == r.id || id.ID == r.addr {
			got, listed = id.ReceiveID, true
		}
	}
	want := c.sent
	if l.fault.BadReceiveID {
		want ^= 0x5A5A
	}
	good := listed && !fresh && got == want
	for i, k := range []wire.CapabilityType{wire.ForwardingMethod, wire.AssignmentMethod, wire.ReturnMethod} {
		if v, _ := wire.Methods(m.Capabilities, k); v&l.capabilities()[i] == 0 {
			l.note("unsupported", g.svc.ServiceID.String(), "")
			good, listed = false, false
		}
	}
	l.refreshFakes(r, g)
	switch {
	case good && !c.usable:
		c.usable = true
		l.memberChange(g, "joined")
	case !good && c.usable && listed:
		l.note("bad_receive_id", g.svc.ServiceID.String(), "")
	}
	if l.fault.ChangeEvery {
		g.change++
	}
	l.seeYou(r, g, c, from)
}

func (l *lab) capabilities() [3]uint32 {
	caps := l.caps
	for i, k := range []string{"forwarding", "assignment", "return"} {
		if v, ok := l.fault.Caps[k]; ok {
			caps[i] = v
		}
	}
	return caps
}

func (g *labGroup) cache(a netip.Addr) *labCache {
	if i := slices.IndexFunc(g.caches, func(c *labCache) bool { return c.addr == a }); i >= 0 {
		return g.caches[i]
	}
	return nil
}

func (l *lab) refreshFakes(r *labRouter, g *labGroup) {
	for _, f := range l.fakes {
		if f.services != nil && !slices.Contains(f.services, int(g.svc.ID)) ||
			f.routers != nil && !slices.Contains(f.routers, slices.Index(l.routers, r)) {
			continue
		}
		live := l.now >= f.from && (f.until == 0 || l.now < f.until)
		have := g.cache(f.addr)
		switch {
		case live && have == nil:
			g.caches = append(g.caches, &labCache{addr: f.addr, fake: true, usable: true, ident: wire.CacheIdentity{Addr: f.addr, Weight: f.weight}})
			l.memberChange(g, "simulated cache joined")
		case !live && have != nil:
			g.caches = slices.DeleteFunc(g.caches, func(c *labCache) bool { return c == have })
			l.memberChange(g, "simulated cache left")
		}
	}
}

func (l *lab) memberChange(g *labGroup, why string) {
	if !l.fault.ZeroChange {
		g.change++
	}
	l.note("member_change", g.svc.ServiceID.String(), why)
	for i, b := range g.buckets {
		if c := g.cache(b); c == nil || !c.usable {
			g.buckets[i] = netip.Addr{}
		}
	}
	if !slices.ContainsFunc(g.caches, func(c *labCache) bool { return c.usable }) {
		g.buckets, g.sets, g.key = nil, nil, wire.AssignmentKey{}
	}
}

// tick asks quiet caches and drops them.
func (l *lab) tick() {
	for _, r := range l.routers {
		for _, g := range r.order {
			l.refreshFakes(r, g)
			for _, c := range slices.Clone(g.caches) {
				switch quiet := l.now - c.last; {
				case c.fake:
				case quiet >= 30:
					g.caches = slices.DeleteFunc(g.caches, func(x *labCache) bool { return x == c })
					l.memberChange(g, "timed out")
				case quiet >= 25 && !c.queried && !l.fault.Silent:
					c.queried = true
					l.query(r, g, c)
				}
			}
		}
	}
}
