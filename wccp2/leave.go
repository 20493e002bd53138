package wccp2

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// leaveHow is how a group is left.
type leaveHow uint8

const (
	_ leaveHow = iota // not at all
	// handingOver: weight 0 is announced until routers show no bucket for us.
	handingOver
	// stopped: nothing is announced any more; routers drop us by themselves. A
	// cache alone with weight 0 would keep all buckets, since somebody has to
	// have them.
	stopped
)

// leaving is the state of a graceful departure; the zero value is staying.
type leaving struct {
	begun   bool
	done    bool
	until   time.Time // when patience ends
	dropped time.Time // when the routers of stopped groups have dropped us
	groups  map[*group]leaveHow
	keys    map[*router]wire.AssignmentKey // in force when we began to leave
	weight  uint16                         // ours until then
}

func (l *leaving) next() time.Time {
	if !l.begun || l.done {
		return time.Time{}
	}
	return earliest(l.until, l.dropped)
}

// Leave begins to leave all groups. The process keeps serving until [Engine.Left].
func (e *Engine) Leave(now time.Time) {
	l := &e.leaving
	if l.begun {
		return
	}
	*l = leaving{begun: true, until: now.Add(e.cfg.ShutdownWait), groups: map[*group]leaveHow{}, keys: map[*router]wire.AssignmentKey{}, weight: e.cfg.Weight}
	for _, g := range e.groups {
		how := l.howToLeave(g)
		l.groups[g] = how
		for _, r := range g.routers {
			if r.view != nil {
				l.keys[r] = r.view.Key
			}
			if how == stopped && !r.heard.IsZero() && (r.held != 0 || r.unconfirmed()) {
				l.dropped = later(l.dropped, r.asked.Add(lostAfter+time.Second))
			}
		}
		if how == handingOver {
			g.announceAt = now
		}
	}
	if e.v1 != nil && e.v1.held > 0 {
		l.dropped = later(l.dropped, e.v1.asked.Add(lostAfter+time.Second))
	}
	e.watchLeaving(now)
	if !l.done {
		e.log("WCCP: leaving the service groups, for at most {seconds} seconds", zap.Int("seconds", int(e.cfg.ShutdownWait.Seconds())))
	}
	e.Tick(now)
}

// howToLeave hands over where every router that gives us buckets, or may, sees another
// cache with a weight, and stops elsewhere.
func (l *leaving) howToLeave(g *group) leaveHow {
	how := stopped
	for _, r := range g.routers {
		if !r.joined() || r.held == 0 && !l.mayBeGiven(r) {
			continue
		}
		others := slices.DeleteFunc(settle(members(r.view)), func(m member) bool { return m.addr == r.local || m.weight == 0 })
		if len(others) == 0 {
			return stopped
		}
		how = handingOver
	}
	return how
}

// watchLeaving sees whether anything still comes our way.
func (e *Engine) watchLeaving(now time.Time) {
	l := &e.leaving
	if !l.begun || l.done {
		return
	}
	if due(l.dropped, now) {
		l.dropped = time.Time{}
	}
	switch {
	case !l.until.After(now):
		e.tellMoves()
		if e.cfg.ShutdownWait > 0 {
			e.log("WCCP: the wait for routers is over")
		}
		l.done = true
	case l.dropped.IsZero() && !slices.ContainsFunc(e.groups, l.holds):
		e.tellMoves()
		e.log("WCCP: routers send us nothing any more")
		l.done = true
	}
}

// holds reports whether a group that is being handed over still has buckets for us somewhere.
func (l *leaving) holds(g *group) bool {
	if l.groups[g] != handingOver {
		return false
	}
	return slices.ContainsFunc(g.routers, func(r *router) bool {
		same := r.view != nil && r.view.Key == l.keys[r]
		return r.view != nil && (r.held > 0 || same && (r.held < 0 || l.mayBeGiven(r)))
	})
}

// mayBeGiven reports whether a router that lists us without buckets may have been told,
// or be told soon, to give us some: its view is as old as our last HERE_I_AM, and no
// assignment made since then is in it.
func (l *leaving) mayBeGiven(r *router) bool { return l.weight > 0 && r.joined() && r.held == 0 }

// unconfirmed reports whether we sent an assignment that no view has shown yet.
func (r *router) unconfirmed() bool { return r.owed && !r.sentAt.IsZero() }

// Left reports whether leaving is over: no router sends anything any more, or the wait has ended.
func (e *Engine) Left() bool { return e.leaving.done }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Hold withholds all announcements for a reason: ports that do not accept, a
// process out of descriptors or memory, caches being rebuilt. Routers drop this
// cache after three intervals. Several reasons add up.
func (e *Engine) Hold(reason string, now time.Time) {
	if slices.Contains(e.holds, reason) {
		return
	}
	e.holds = append(e.holds, reason)
	e.log("WCCP: nothing is announced to routers: {reason}", zap.String("reason", reason))
}

// Release takes a reason back; without any left, announcing begins again at once.
func (e *Engine) Release(reason string, now time.Time) {
	at := slices.Index(e.holds, reason)
	if at < 0 {
		return
	}
	e.holds = slices.Delete(e.holds, at, at+1)
	if len(e.holds) > 0 {
		return
	}
	e.log("WCCP: announcing to routers again")
	for _, g := range e.groups {
		if g.announceAt.Before(now) {
			g.announceAt = now
		}
	}
	if e.v1 != nil && e.v1.announceAt.Before(now) {
		e.v1.announceAt = now
	}
}

// announcing reports whether anything is said about a group.
func (e *Engine) announcing(g *group) bool {
	return len(e.holds) == 0 && !e.leaving.done && e.leaving.groups[g] != stopped
}

func (e *Engine) announcingV1() bool { return len(e.holds) == 0 && !e.leaving.begun }
