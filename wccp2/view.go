package wccp2

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// look takes over a router's view and reports whether the membership it shows has
// changed. The change number alone does not say so: it may stay 0, and a router
// that restarts may arrive at the number it had before.
func (e *Engine) look(now time.Time, g *group, r *router, m *wire.Message) (changed bool) {
	was := r.view
	r.view, r.shown = m.RouterView, m.AltMap
	if r.shown == nil {
		r.shown = m.AssignmentMap
	}
	if was == nil || was.MemberChange != r.view.MemberChange || !slices.Equal(members(was), members(r.view)) {
		changed = true
		if was == nil || !slices.Equal(members(was), members(r.view)) {
			e.log("WCCPv2: router {router} sees in service {service}: {caches}",
				zap.Stringer("router", r.to.Addr()), zap.Stringer("service", g.svc.ServiceID), zap.String("caches", memberNames(members(r.view))))
		}
	}
	e.countBuckets(now, g, r)
	return changed
}

// members lists the caches of a view, in order, each once.
func members(v *wire.RouterView) []member {
	list := make([]member, 0, len(v.Caches))
	for i := range v.Caches {
		list = append(list, member{v.Caches[i].Addr, weightOf(&v.Caches[i])})
	}
	sortMembers(list)
	return slices.CompactFunc(list, func(a, b member) bool { return a.addr == b.addr })
}

// unstated is the weight of a cache that does not state one; see statedWeight.
const unstated = -1

func weightOf(c *wire.CacheIdentity) int {
	stated := c.HasBuckets() || c.Weight != 0 || c.Status != 0
	if c.Kind == wire.ExtendedData && c.Extended == wire.ExtendedWeight {
		stated = true
	}
	if !stated {
		return unstated
	}
	return int(c.Weight)
}

// settle gives caches without a stated weight the mean of those with one.
func settle(list []member) []member {
	sum, n := 0, 0
	for _, m := range list {
		if m.weight != unstated {
			sum += m.weight
			n++
		}
	}
	mean := 1
	if n > 0 {
		mean = max(1, sum/n)
	}
	for i := range list {
		if list[i].weight == unstated {
			list[i].weight = mean
		}
	}
	return list
}

func memberNames(list []member) string {
	if len(list) == 0 {
		return "no caches"
	}
	var b strings.Builder
	for i, m := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(m.addr.String())
		if m.weight != unstated {
			fmt.Fprintf(&b, " (weight %d)", m.weight)
		}
	}
	return b.String()
}

// countBuckets works out what the router gives us, and logs when it changes.
func (e *Engine) countBuckets(now time.Time, g *group, r *router) {
	held, of := g.heldBuckets(r)
	if held != r.held {
		text := fmt.Sprintf("%d of %d buckets", held, of)
		if held < 0 {
			text = "a share it does not show"
		}
		e.log("WCCPv2: router {router} gives us {share} of service {service}",
			zap.Stringer("router", r.to.Addr()), zap.String("share", text), zap.Stringer("service", g.svc.ServiceID))
		if held >= 0 && held < r.held {
			e.moved(now, g.svc.ServiceID.String(), r.held-held)
		}
	}
	r.held, r.of = held, of
}

// heldBuckets finds our share in a view: by our bits, by the values with our
// address, by those of an assignment map, or by the assignment being our own.
// -1 means that the router does not show it.
func (g *group) heldBuckets(r *router) (held, of int) {
	at := slices.IndexFunc(r.view.Caches, func(c wire.CacheIdentity) bool { return c.Addr == r.local })
	if at < 0 {
		r.stale = r.mine.Count() > 0
		return 0, r.of
	}
	c := &r.view.Caches[at]
	if has, current := r.bucketsOf(c); c.HasBuckets() || current {
		if n := has.Count(); current && n > 0 {
			r.mine, r.stale = has, false
			return n, 256
		}
		r.stale = r.mine.Count() > 0
		return 0, 256
	}
	if n, _ := valuesOf(c.Sets, c.AltSets, r.local); n > 0 {
		for i := range r.view.Caches { // each of which has its own
			his, _ := valuesOf(r.view.Caches[i].Sets, r.view.Caches[i].AltSets, r.view.Caches[i].Addr)
			of += his
		}
		return n, of
	}
	if s := r.shown; s != nil && len(s.Sets)+len(s.AltSets) > 0 {
		return valuesOf(s.Sets, s.AltSets, r.local)
	}
	if f := g.fleetOf(r.local); f != nil && f.current != nil && f.current.Key == r.view.Key {
		return valuesOf(f.current.Sets, f.current.AltSets, r.local)
	}
	if !r.view.Key.Addr.IsValid() || r.view.Key.Addr.IsUnspecified() {
		return 0, r.of
	}
	return -1, r.of
}

func valuesOf(sets []wire.MaskValueSet, numbered []wire.AltMaskValueSet, cache netip.Addr) (n, of int) {
	for _, s := range sets {
		of += len(s.Values)
		for _, v := range s.Values {
			if v.Cache == cache {
				n++
			}
		}
	}
	for _, s := range numbered {
		for _, c := range s.Caches {
			of += len(c.Values)
			if c.Cache == cache {
				n += len(c.Values)
			}
		}
	}
	return n, of
}
