package wccp2

import (
	"net/netip"
	"slices"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// fleet is the part of a group whose routers know this cache by one address;
// nearly always all of it. Routers that know it by different addresses show
// views that cannot be laid over each other, so each such part is assigned by
// itself.
type fleet struct {
	local netip.Addr

	dueAt    time.Time // when the group counts as quiet; zero without a change
	since    time.Time // the first change not assigned yet
	repeatAt time.Time // when to say the assignment again to who lacks it
	insisted bool      // assigned against a rival once since the last change

	number  uint32           // of the last assignment
	current *wire.Assignment // without its routers, which differ in time
	owners  []netip.Addr     // of each bucket or value of current
	table   int              // its number among the sticky tables
	last    []netip.Addr     // the table last seen in force at a router, ours or another's
}

// fleet gives the part of the group that knows us by local, made where missing.
func (g *group) fleet(local netip.Addr) *fleet {
	if f := g.fleetOf(local); f != nil {
		return f
	}
	g.fleets = slices.DeleteFunc(g.fleets, func(f *fleet) bool {
		return !slices.ContainsFunc(g.routers, func(r *router) bool { return r.local == f.local })
	})
	f := &fleet{local: local}
	g.fleets = append(g.fleets, f)
	return f
}

func (g *group) fleetOf(local netip.Addr) *fleet {
	for _, f := range g.fleets {
		if f.local == local {
			return f
		}
	}
	return nil
}

// touch puts the next assignment off until the group has been quiet for the
// draft's 1.5 intervals (4.8.1), but not for ever.
func (f *fleet) touch(now time.Time) {
	if f.since.IsZero() {
		f.since = now
	}
	f.dueAt = earliest(now.Add(assignWait), f.since.Add(assignLimit))
	f.repeatAt, f.insisted = time.Time{}, false
}

// standing is where this cache stands among those that could assign.
type standing struct {
	joined     []*router // the routers that take us for a member
	candidates []member  // caches that all of them see, in order
	lowest     bool      // we are the first of them
	complete   bool      // we hear every router of the group, and all know us
	rival      bool      // another live cache's assignment is in force somewhere
}

// designated is the draft's election (4.9): the lowest address among the caches
// seen by all routers, provided that it hears every router of the group. A cache
// that misses a router still assigns when nobody else does: lists of routers
// often name dead ones, which nobody hears.
func (s standing) designated() bool { return s.lowest && (s.complete || !s.rival) }

// stand works out the standing in one fleet of the group.
func (g *group) stand(f *fleet) standing {
	s := standing{complete: true}
	heard := map[netip.Addr]bool{}
	for _, r := range g.routers {
		if !r.heard.IsZero() {
			heard[r.id], heard[r.to.Addr()] = true, true
		}
	}
	for _, r := range g.routers {
		if !r.usable() {
			continue
		}
		for _, listed := range r.view.Routers {
			s.complete = s.complete && heard[listed]
		}
		if !r.joined() {
			s.complete = false
			continue
		}
		if r.local != f.local {
			continue
		}
		list := members(r.view)
		s.rival = s.rival || r.view.Key.Addr != f.local &&
			slices.ContainsFunc(list, func(m member) bool { return m.addr == r.view.Key.Addr })
		if s.joined == nil {
			s.candidates = list
		} else {
			s.candidates = common(s.candidates, list)
		}
		s.joined = append(s.joined, r)
	}
	s.candidates = s.candidates[:min(len(s.candidates), memberLimit)]
	s.lowest = len(s.candidates) > 0 && s.candidates[0].addr == f.local
	return s
}

// common keeps the members of a that are in b too..
func common(a, b []member) []member {
	both := a[:0]
	for _, m := range a {
		if slices.ContainsFunc(b, func(n member) bool { return n.addr == m.addr }) {
			both = append(both, m)
		}
	}
	return both
}
