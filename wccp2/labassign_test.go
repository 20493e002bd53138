package wccp2

import (
	"net/netip"
	"slices"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// redirectAssign takes or refuses an assignment.
func (l *lab) redirectAssign(r *labRouter, m *wire.Message, from netip.Addr) {
	name := m.Service.ServiceID.String()
	g := r.groups[m.Service.ServiceID]
	if g == nil || l.fault.DropAssign {
		l.note("assign_dropped", name, "")
		return
	}
	a := m.Assignment
	if a == nil {
		a = m.AltAssignment
	}
	at := slices.IndexFunc(a.Routers, func(x wire.RouterAssignment) bool { return x.ID == r.id || x.ID == r.addr })
	c := g.cache(from)
	switch {
	case at < 0:
		l.note("rejected", name, "does not name this router")
	case c == nil || !c.usable:
		l.note("rejected", name, "sender is not usable")
	case a.Routers[at].ReceiveID != c.sent:
		l.note("rejected", name, "receive id")
	case a.Routers[at].MemberChange != g.change:
		l.note("rejected", name, "change number")
	default:
		g.key, g.sets, g.buckets = a.Key, a.Sets, nil
		if a.Method == wire.AssignHash {
			for _, b := range a.Buckets {
				i, ok := b.Index()
				if !ok {
					g.buckets = append(g.buckets, netip.Addr{})
					continue
				}
				g.buckets = append(g.buckets, a.Caches[i])
			}
		}
		l.note("assigned", name, "")
	}
}
