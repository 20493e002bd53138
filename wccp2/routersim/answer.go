package routersim

import (
	"net/netip"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// answer sends the cache an I_SEE_YOU with a new receive id.
func (r *Router) answer(g *group, m *member) {
	g.receiveID++
	if g.receiveID == 0 {
		g.receiveID++ // 0 means "not heard yet"
	}
	m.shown = g.receiveID
	shown := g.receiveID
	if r.config.Faults.WrongReceiveID {
		shown ^= 0x5A5A5A5A
	}
	message := r.message(g, wire.ISeeYou)
	message.RouterIdentity = &wire.RouterIdentity{
		RouterID:     wire.RouterID{ID: r.config.ID, ReceiveID: shown},
		SentTo:       r.config.Address,
		ReceivedFrom: []netip.Addr{m.address},
	}
	message.RouterView = r.view(g)
	if !r.config.NoCapabilities {
		message.Capabilities = []wire.Capability{
			wire.Bits(wire.ForwardingMethod, r.config.Forwarding),
			wire.Bits(wire.AssignmentMethod, r.config.Assignment),
			wire.Bits(wire.ReturnMethod, r.config.Return),
		}
	}
	r.send(g, message, m.at)
}

// query asks a cache that has gone quiet whether it is still there.
func (r *Router) query(g *group, m *member) {
	m.queried = true
	message := r.message(g, wire.RemovalQuery)
	message.Query = &wire.RouterQuery{
		RouterID: wire.RouterID{ID: r.config.ID, ReceiveID: g.receiveID},
		SentTo:   r.config.Address,
		Target:   m.address,
	}
	r.observe(Event{Name: CacheQueried, Service: g.service.ServiceID.String(), Cache: m.address})
	r.send(g, message, m.at)
}

// message begins a message of the group.
func (r *Router) message(g *group, t wire.MessageType) *wire.Message {
	service := g.service
	message := &wire.Message{Type: t, Service: &service}
	if g.password != "" {
		message.Security.Option = wire.MD5Security
	}
	return message
}

func (r *Router) send(g *group, message *wire.Message, to netip.AddrPort) {
	password := g.password
	if r.config.Faults.WrongPassword {
		message.Security.Option = wire.MD5Security
		password = "not " + password
	}
	payload, err := message.Append(nil, password)
	if err != nil {
		r.observe(Event{Name: Refused, Service: g.service.ServiceID.String(), Message: message.Type.String(), Why: "not sent: " + err.Error()})
		return
	}
	r.post(Datagram{to, payload})
}

// view is the group as the router shows it to its caches.
func (r *Router) view(g *group) *wire.RouterView {
	view := &wire.RouterView{MemberChange: g.change, Routers: g.routers}
	view.Key.Addr = netip.IPv4Unspecified()
	if g.assignment != nil {
		view.Key = g.assignment.key
	}
	for _, m := range g.usable() {
		view.Caches = append(view.Caches, r.identity(g, m))
	}
	return view
}

// identity is a cache as the view lists it, with what it is assigned.
func (r *Router) identity(g *group, m *member) wire.CacheIdentity {
	identity := wire.CacheIdentity{Addr: m.address, HashRevision: m.identity.HashRevision}
	identity.Weight, identity.Status = m.identity.Weight, m.identity.Status
	if m.methods.assignment&r.config.Assignment&wire.MethodHash != 0 {
		identity.Buckets = g.assignment.bitmap(m.address)
		identity.Historical = identity.Buckets.Count() == 0
		return identity
	}
	identity.Kind = wire.MaskData
	switch r.config.MaskView {
	case MaskViewFull:
		identity.Sets = g.assignment.setsOf(m.address)
	case MaskViewEcho:
		identity.Historical = true
		for _, set := range m.identity.Sets {
			identity.Sets = append(identity.Sets, wire.MaskValueSet{Mask: set.Mask})
		}
	}
	return identity
}
