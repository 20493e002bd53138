package wccp2

import (
	"net/netip"
	"time"
)

// Status is what can be seen of WCCP while it runs.
type Status struct {
	Holds    []string        `json:"holds,omitempty"` // why nothing is announced
	Leaving  bool            `json:"leaving,omitempty"`
	Services []ServiceStatus `json:"services,omitempty"`
	V1       *V1Status       `json:"v1,omitempty"`
	Moves    Moves           `json:"moves"`
	Ignored  Ignored         `json:"ignored"`
}

// ServiceStatus is one service group.
type ServiceStatus struct {
	Service    string         `json:"service"` // "dynamic/80"
	Secure     bool           `json:"md5"`
	Designated bool           `json:"designated"` // this cache assigns the group
	Assignment uint32         `json:"assignment"` // number of our last one, 0 for none
	Pending    bool           `json:"pending"`    // a change waits to be assigned
	Routers    []RouterStatus `json:"routers"`
}

// State is how far things are with one router.
type State string

// The states of a pairing of service and router.
const (
	StateWaiting  State = "waiting"  // not heard yet
	StateLost     State = "lost"     // heard once, silent for three intervals
	StateRefused  State = "refused"  // its capabilities do not do
	StateAnswered State = "answered" // hears us, does not list us yet
	StateJoined   State = "joined"   // lists us, gives us nothing
	StateServing  State = "serving"  // gives us buckets
)

// RouterStatus is one router as one service knows it.
type RouterStatus struct {
	Router   netip.Addr    `json:"router"`
	Identity netip.Addr    `json:"identity"`
	Local    netip.Addr    `json:"local"` // this cache's address to it
	State    State         `json:"state"`
	Refusal  string        `json:"refusal,omitempty"`
	Buckets  int           `json:"buckets"` // -1: the router does not show it
	Of       int           `json:"of"`
	LastSeen time.Duration `json:"last_seen_ns"` // since the last answer; 0 when never
	Change   uint32        `json:"member_change"`
	KeyAddr  netip.Addr    `json:"key_address"` // whose assignment is in force
	KeyID    uint32        `json:"key_number"`
	Caches   []CacheStatus `json:"caches"`
	Packets  Counter       `json:"packets"`
}

// CacheStatus is one cache in a router's view.
type CacheStatus struct {
	Cache  netip.Addr `json:"cache"`
	Weight int        `json:"weight"` // -1: not stated
}

// V1Status is the version 1 side.
type V1Status struct {
	Router   netip.Addr    `json:"router"`
	State    State         `json:"state"`
	Buckets  int           `json:"buckets"`
	LastSeen time.Duration `json:"last_seen_ns"`
	Caches   []netip.Addr  `json:"caches"`
	Packets  Counter       `json:"packets"`
}

// Status tells how things stand at now.
func (e *Engine) Status(now time.Time) Status {
	s := Status{Holds: append([]string(nil), e.holds...), Leaving: e.leaving.begun, Moves: e.moves.total, Ignored: e.ignored}
	for _, g := range e.groups {
		s.Services = append(s.Services, g.status(now))
	}
	if g := e.v1; g != nil {
		v := &V1Status{Router: g.cfg.Router.Addr(), State: StateWaiting, Buckets: g.held, Caches: append([]netip.Addr(nil), g.caches...), Packets: g.counter}
		if !g.heard.IsZero() {
			v.LastSeen, v.State = now.Sub(g.heard), StateAnswered
			if g.held > 0 {
				v.State = StateServing
			}
		}
		s.V1 = v
	}
	return s
}

func (g *group) status(now time.Time) ServiceStatus {
	s := ServiceStatus{Service: g.svc.ServiceID.String(), Secure: g.svc.Secure}
	for _, f := range g.fleets {
		s.Designated = s.Designated || g.stand(f).designated()
		s.Assignment = max(s.Assignment, f.number)
		s.Pending = s.Pending || !f.dueAt.IsZero()
	}
	for _, r := range g.routers {
		s.Routers = append(s.Routers, r.status(now))
	}
	return s
}

func (r *router) status(now time.Time) RouterStatus {
	s := RouterStatus{
		Router: r.to.Addr(), Identity: r.id, Local: r.local, State: r.state(), Refusal: r.refusal,
		Buckets: r.held, Of: r.of, Packets: r.counter,
	}
	if !r.heard.IsZero() {
		s.LastSeen = now.Sub(r.heard)
	}
	if r.view == nil {
		return s
	}
	s.Change, s.KeyAddr, s.KeyID = r.view.MemberChange, r.view.Key.Addr, r.view.Key.Change
	for _, m := range members(r.view) {
		s.Caches = append(s.Caches, CacheStatus{m.addr, m.weight}) // unstated is -1
	}
	return s
}

func (r *router) state() State {
	switch {
	case r.refusal != "":
		return StateRefused
	case r.heard.IsZero() && r.counter.ISeeYou > 0:
		return StateLost
	case r.heard.IsZero():
		return StateWaiting
	case !r.joined():
		return StateAnswered
	case r.held == 0:
		return StateJoined
	}
	return StateServing
}
