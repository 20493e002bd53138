package routersim

import "time"

// When a cache is asked and dropped, and an assignment given up, in intervals: 2.5 and
// 3 after the last good HERE_I_AM (4.4, 4.5 of the draft), and 5 after a change of
// membership that no assignment followed.
const (
	queryAfter = 2.5
	dropAfter  = 3
	flushAfter = 5
)

func (r *Router) intervals(n float64) time.Duration {
	return time.Duration(n * float64(r.config.Interval))
}

// expire runs the timers of a group.
func (r *Router) expire(g *group) {
	for _, m := range append([]*member(nil), g.members...) {
		quiet := r.now.Sub(m.lastGood())
		switch {
		case quiet >= r.intervals(dropAfter):
			r.expel(g, m, quiet)
		case quiet >= r.intervals(queryAfter) && m.usable && !m.queried && !r.config.Faults.Silent:
			r.query(g, m)
		}
	}
	if g.stale() && r.now.Sub(g.changedAt) >= r.intervals(flushAfter) {
		g.assignment = nil
		r.publish(g)
		r.observe(Event{Name: Flushed, Service: g.service.ServiceID.String(), Change: g.change, Why: "no assignment followed the last change of membership"})
	}
}

// expel forgets a cache that was not heard, or whose echo was never right.
func (r *Router) expel(g *group, m *member, quiet time.Duration) {
	g.remove(m)
	if !m.usable {
		return
	}
	r.memberChange(g)
	r.observe(Event{Name: CacheLeft, Service: g.service.ServiceID.String(), Cache: m.address, Why: "no HERE_I_AM with our receive id", Seconds: quiet.Seconds(), Change: g.change, Caches: g.usableAddresses()})
}

// lastGood is what the timers of a cache count from.
func (m *member) lastGood() time.Time {
	if m.usable {
		return m.echoed
	}
	return m.heard
}

// stale reports whether the assignment is older than the membership.
func (g *group) stale() bool { return g.assignment != nil && g.assignedFor != g.change }

// nextExpiry is when expire has something to do if nothing is heard.
func (r *Router) nextExpiry(g *group) time.Time {
	var next time.Time
	for _, m := range g.members {
		after := r.intervals(dropAfter)
		if m.usable && !m.queried && !r.config.Faults.Silent {
			after = r.intervals(queryAfter)
		}
		next = earlier(next, m.lastGood().Add(after))
	}
	if g.stale() {
		next = earlier(next, g.changedAt.Add(r.intervals(flushAfter)))
	}
	return next
}
