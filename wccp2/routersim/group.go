package routersim

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// group is one service group as this router sees it.
type group struct {
	service  wire.Service
	password string
	members  []*member // in the order they were first seen

	receiveID uint32 // of the last I_SEE_YOU to anybody
	change    uint32 // member change number
	changedAt time.Time
	routers   []netip.Addr // as the caches report them

	assignment  *assignment // nil: none
	assignedFor uint32      // the change number the assignment was made for
}

// member is a cache of a group.
type member struct {
	address  netip.Addr
	at       netip.AddrPort // where its messages come from
	identity wire.CacheIdentity
	methods  methods

	shown   uint32 // receive id of our last I_SEE_YOU to it
	usable  bool
	heard   time.Time // last HERE_I_AM
	echoed  time.Time // last HERE_I_AM with the right receive id
	queried bool      // since it was heard last
}

// methods are the ways a cache offers, as capability bits.
type methods struct {
	forwarding, returning, assignment uint32
}

func (g *group) member(address netip.Addr) *member {
	for _, m := range g.members {
		if m.address == address {
			return m
		}
	}
	return nil
}

func (g *group) usable() []*member {
	var all []*member
	for _, m := range g.members {
		if m.usable {
			all = append(all, m)
		}
	}
	return all
}

func (g *group) usableAddresses() []netip.Addr {
	var all []netip.Addr
	for _, m := range g.usable() {
		all = append(all, m.address)
	}
	return all
}

// remove takes a member out of the list.
func (g *group) remove(gone *member) {
	g.members = slices.DeleteFunc(g.members, func(m *member) bool { return m == gone })
}

// memberChange counts a change of the usable caches. Buckets of caches that left
// are without owner from now on, and a group without caches has no assignment.
func (r *Router) memberChange(g *group) {
	g.change++
	g.changedAt = r.now
	if len(g.usable()) == 0 {
		g.assignment = nil
	}
	r.publish(g)
}

func (r *Router) publish(g *group) {
	r.config.Publish(g.service.ServiceID, g.table())
}

// sortedGroups keeps timers and listings in a fixed order.
func (r *Router) sortedGroups() []*group {
	all := make([]*group, 0, len(r.groups))
	for _, g := range r.groups {
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.service.Type, b.service.Type), cmp.Compare(a.service.ID, b.service.ID))
	})
	return all
}
