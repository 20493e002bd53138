package routersim

import (
	"net/netip"
	"time"
)

// Status is a router's state in readable form.
type Status struct {
	Router netip.Addr    `json:"router"`
	ID     netip.Addr    `json:"id"`
	Faults Faults        `json:"faults,omitzero"`
	Groups []GroupStatus `json:"groups,omitempty"`
}

// GroupStatus is one service group.
type GroupStatus struct {
	Service string        `json:"service"`
	Change  uint32        `json:"change"` // member change number
	Key     *Key          `json:"key,omitempty"`
	Form    string        `json:"form,omitempty"` // of the assignment: hash or mask
	Caches  []CacheStatus `json:"caches"`
}

// CacheStatus is one cache of a group.
type CacheStatus struct {
	Cache   netip.Addr `json:"cache"`
	Usable  bool       `json:"usable"`
	Weight  uint16     `json:"weight"`
	Buckets int        `json:"buckets"` // or mask values
	Quiet   float64    `json:"quiet"`   // seconds since its last HERE_I_AM
}

// Status describes the router at a time.
func (r *Router) Status(now time.Time) Status {
	s := Status{Router: r.config.Address, ID: r.config.ID, Faults: r.config.Faults}
	for _, g := range r.sortedGroups() {
		s.Groups = append(s.Groups, g.status(now))
	}
	if len(r.v1.members) > 0 {
		s.Groups = append(s.Groups, r.v1.status(now))
	}
	return s
}

func (g *group) status(now time.Time) GroupStatus {
	s := GroupStatus{Service: g.service.ServiceID.String(), Change: g.change}
	held := make(map[netip.Addr]int)
	if g.assignment != nil {
		s.Key, s.Form = keyOf(g.assignment.key), g.assignment.form()
		for _, share := range g.assignment.shares() {
			held[share.Cache] = share.Buckets
		}
	}
	for _, m := range g.members {
		weight := m.identity.Weight
		s.Caches = append(s.Caches, CacheStatus{m.address, m.usable, weight, held[m.address], now.Sub(m.heard).Seconds()})
	}
	return s
}

func (g *groupV1) status(now time.Time) GroupStatus {
	s := GroupStatus{Service: serviceV1, Change: g.change}
	held := make(map[netip.Addr]int)
	if g.assigned {
		s.Form = "hash"
		for _, cache := range g.buckets {
			held[cache]++
		}
	}
	for _, m := range g.members {
		s.Caches = append(s.Caches, CacheStatus{Cache: m.address, Usable: m.usable, Buckets: held[m.address], Quiet: now.Sub(m.heard).Seconds()})
	}
	return s
}
