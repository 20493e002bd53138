package wccp2

import (
	"net/netip"
	"slices"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// group is one service and all routers of one family it is announced to: a message
// holds addresses of one family only (rev1, 5.1.5), so the routers of the other are a
// group of their own.
type group struct {
	svc     Service
	v6      bool
	methods methods
	routers []*router
	fleets  []*fleet

	announceAt time.Time
	change     uint32 // number of our view; rises as it changes
	view       view
}

// view is what this cache sees of a group.
type view struct {
	routers []netip.Addr // that count as there
	caches  []netip.Addr // that routers told of
}

// router is what one service group knows of one router.
type router struct {
	to    netip.AddrPort // as configured
	local netip.Addr     // who we are to it, as last announced

	id        netip.Addr // as it calls itself; the configured address until heard
	receiveID uint32
	heard     time.Time // last I_SEE_YOU; zero when never or lost
	silent    time.Time // since when: the start or the loss
	dropped   bool      // silent for so long that it left our view
	asked     time.Time // last HERE_I_AM
	open      bool      // that one is not answered yet
	alien     bool      // its last packet failed authentication; for the log only
	refusal   string    // why its capabilities do not do; empty when they do
	burstAt   time.Time // next answer to a removal query
	burst     int       // answers still owed

	view  *wire.RouterView    // nil before the first
	shown *wire.AssignmentMap // the map beside it; nil where assignments are the identities'
	held  int                 // buckets we have there; -1 when it does not say
	of    int                 // buckets there are; 256, or the values of a mask
	mine  wire.Bitmap         // the buckets, hash only
	stale bool                // mine is from an earlier membership

	owed     bool      // the current assignment is not in its view
	sentAt   time.Time // when it was sent last
	assigned uint32    // the router's change number then
	counter  Counter
}

// Counter counts the packets exchanged with one router for one service.
type Counter struct {
	HereIAm, ISeeYou, Assignments, Queries, Dropped uint64
}

// newGroups makes the groups of a service: one for each family there are routers of.
func newGroups(cfg *Config, s Service, now time.Time) (all []*group) {
	for _, v6 := range []bool{false, true} {
		g := &group{svc: s, v6: v6, methods: cfg.methods(v6), announceAt: now.Add(firstAnnouncement)}
		for _, to := range cfg.Routers {
			if to.Addr().Is6() == v6 {
				g.routers = append(g.routers, newRouter(to, now))
			}
		}
		if len(g.routers) > 0 {
			all = append(all, g)
		}
	}
	return all
}

func newRouter(to netip.AddrPort, now time.Time) *router {
	return &router{to: to, id: to.Addr(), silent: now, held: 0, of: 256}
}

// inherit takes over what was known of the routers that both groups have.
func (g *group) inherit(was *group) {
	g.announceAt, g.change, g.view, g.fleets = was.announceAt, was.change, was.view, was.fleets
	for i, r := range g.routers {
		for _, old := range was.routers {
			if old.to == r.to {
				g.routers[i] = old
			}
		}
	}
}

// usable reports whether the router answers and can do what is configured.
func (r *router) usable() bool { return !r.heard.IsZero() && r.refusal == "" && r.view != nil }

// joined reports whether the router takes us for a member.
func (r *router) joined() bool {
	return r.usable() && slices.ContainsFunc(r.view.Caches, func(c wire.CacheIdentity) bool { return c.Addr == r.local })
}

// from gives the router at a source address.
func (g *group) from(a netip.Addr) *router {
	for _, r := range g.routers {
		if r.to.Addr() == a {
			return r
		}
	}
	return nil
}

func (g *group) next(announcing bool) time.Time {
	var next time.Time
	if announcing {
		next = g.announceAt
	}
	for _, r := range g.routers {
		if announcing && r.burst > 0 {
			next = earliest(next, r.burstAt)
		}
		if !r.dropped {
			next = earliest(next, r.lastSign().Add(lostAfter))
		}
	}
	if !announcing { // nothing is assigned either
		return next
	}
	for _, f := range g.fleets {
		next = earliest(next, f.dueAt)
		next = earliest(next, f.repeatAt)
	}
	return next
}

// lastSign is when the router was last heard, or began to be waited for.
func (r *router) lastSign() time.Time {
	if r.heard.IsZero() {
		return r.silent
	}
	return r.heard
}

// message begins a message of this service.
func (g *group) message(t wire.MessageType) *wire.Message {
	m := &wire.Message{Type: t, Service: &g.svc.Service}
	if g.svc.Secure {
		m.Security.Option = wire.MD5Security
	}
	return m
}
