package wccp2

import (
	"net/netip"
	"slices"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// seeYou answers a HERE_I_AM.
func (l *lab) seeYou(r *labRouter, g *labGroup, c *labCache, to netip.Addr) {
	g.rcv++
	if l.fault.StuckID {
		g.rcv = 7
	}
	c.sent = g.rcv
	svc := g.svc
	m := &wire.Message{Type: wire.ISeeYou, Service: &svc, Version: l.fault.Version}
	id := r.id
	if l.fault.DupRouter {
		id = l.routers[0].id
	}
	m.RouterIdentity = &wire.RouterIdentity{RouterID: wire.RouterID{ID: id, ReceiveID: g.rcv}, SentTo: r.addr, ReceivedFrom: []netip.Addr{c.addr}}
	m.RouterView = &wire.RouterView{MemberChange: g.change, Key: g.key, Routers: g.routers}
	for _, x := range l.ordered(g) {
		m.RouterView.Caches = append(m.RouterView.Caches, l.element(g, x))
	}
	if l.mapped && g.sets != nil {
		m.AssignmentMap = &wire.AssignmentMap{Method: wire.AssignMask, Sets: g.sets}
	}
	if !l.fault.CapsNone {
		for i, v := range l.capabilities() {
			m.Capabilities = append(m.Capabilities, wire.Bits(wire.CapabilityType(i+1), v))
		}
	}
	for _, t := range l.fault.Extra {
		size := 8
		if t == int(wire.AssignmentMapInfo) {
			size = 4
		}
		m.Skipped = append(m.Skipped, wire.Component{Type: wire.ComponentType(t), Body: make([]byte, size)})
	}
	if l.fault.ServiceID != nil {
		svc.ID = *l.fault.ServiceID
	}
	b := l.spoil(l.sign(m), len(g.routers))
	for range max(1, l.fault.Flood) {
		l.transmit(r, to, b)
	}
	for range l.fault.Garbage {
		l.transmit(r, to, []byte("this is no packet"))
	}
}

func (l *lab) ordered(g *labGroup) []*labCache {
	list := slices.DeleteFunc(slices.Clone(g.caches), func(c *labCache) bool { return !c.usable })
	switch l.order {
	case "sorted":
		slices.SortFunc(list, func(a, b *labCache) int { return a.addr.Compare(b.addr) })
	case "reverse":
		slices.SortFunc(list, func(a, b *labCache) int { return b.addr.Compare(a.addr) })
	}
	return list
}

// element is a cache as the view shows it.
func (l *lab) element(g *labGroup, c *labCache) wire.CacheIdentity {
	e := wire.CacheIdentity{Addr: c.addr, Weight: c.ident.Weight, Status: c.ident.Status}
	masked := slices.ContainsFunc(g.caches, func(x *labCache) bool { return x.assign == wire.MethodMask })
	if !masked {
		e.Historical = true
		for i, b := range g.buckets {
			if b == c.addr {
				e.Buckets.Set(uint8(i))
				e.Historical = false
			}
		}
		return e
	}
	e.Kind = wire.MaskData
	switch {
	case l.mask == "full" && g.sets != nil:
		for _, s := range g.sets {
			own := wire.MaskValueSet{Mask: s.Mask}
			for _, v := range s.Values {
				if v.Cache == c.addr {
					own.Values = append(own.Values, v)
				}
			}
			e.Sets = append(e.Sets, own)
		}
	case l.mask == "echo":
		e.Historical = true
		for _, x := range g.caches {
			for _, s := range x.ident.Sets {
				e.Sets = []wire.MaskValueSet{{Mask: s.Mask}}
			}
		}
	}
	return e
}

func (l *lab) query(r *labRouter, g *labGroup, c *labCache) {
	m := wire.Message{Type: wire.RemovalQuery, Service: &g.svc, Query: &wire.RouterQuery{RouterID: wire.RouterID{ID: r.id, ReceiveID: g.rcv}, SentTo: r.addr, Target: c.addr}}
	l.transmit(r, c.addr, l.sign(&m))
}

func (l *lab) sign(m *wire.Message) []byte {
	secret, secured := l.secrets[m.Service.ServiceID]
	if secured {
		m.Security.Option = wire.MD5Security
	}
	if l.fault.WrongPassword {
		secret = "notright"
	}
	b, err := m.Append(nil, secret)
	if err != nil {
		l.t.Fatal(err)
	}
	return b
}

func (l *lab) transmit(r *labRouter, to netip.Addr, datagram []byte) {
	from := r.addr
	if l.fault.FromRouter != nil {
		from = l.routers[*l.fault.FromRouter].addr
	}
	l.send(from, to, datagram)
}
