package routersim

import (
	"fmt"
	"net/netip"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// redirectAssign takes an assignment if it comes from a usable cache that has heard
// the last we said. It returns why it refused.
func (r *Router) redirectAssign(message *wire.Message, from netip.AddrPort) string {
	g := r.groups[message.Service.ServiceID]
	if g == nil {
		return "assignment for a group without caches"
	}
	if r.config.Faults.IgnoreAssignments {
		return "fault: assignments are ignored"
	}
	offered := message.Assignment
	if offered == nil {
		offered = message.AltAssignment
	}
	ours, named := r.entry(offered.Routers)
	sender := g.member(from.Addr())
	switch {
	case !named:
		return "assignment does not name this router"
	case sender == nil || !sender.usable:
		return "assignment from a cache that is not usable"
	case ours.ReceiveID != sender.shown:
		return fmt.Sprintf("assignment with receive id %d, expected %d", ours.ReceiveID, sender.shown)
	case ours.MemberChange != g.change:
		return fmt.Sprintf("assignment with change number %d, expected %d", ours.MemberChange, g.change)
	}
	kept, why := accepted(offered)
	if why != "" {
		return why
	}
	g.assignment, g.assignedFor = kept, g.change
	r.publish(g)
	r.observe(Event{
		Name: Assigned, Service: g.service.ServiceID.String(), Cache: sender.address, Change: g.change,
		Key: keyOf(kept.key), Form: kept.form(), Buckets: kept.shares(), Seconds: r.now.Sub(g.changedAt).Seconds(),
	})
	return ""
}

func (r *Router) entry(routers []wire.RouterAssignment) (wire.RouterAssignment, bool) {
	for _, entry := range routers {
		if entry.ID == r.config.ID || entry.ID == r.config.Address {
			return entry, true
		}
	}
	return wire.RouterAssignment{}, false
}
