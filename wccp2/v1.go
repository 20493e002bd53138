package wccp2

import (
	"net/netip"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// firstV1Announcement comes this long after the start (FACTS "Timing": 5.2 s recorded).
const firstV1Announcement = 5 * time.Second

// versionOne names version 1's one service, which has no name on the wire.
const versionOne = "version 1"

// v1Group is version 1: one router, one service without a name.
type v1Group struct {
	cfg        V1Config
	announceAt time.Time
	asked      time.Time
	local      netip.Addr

	receiveID uint32
	heard     time.Time
	caches    []netip.Addr // as the router lists them
	held      int
	buckets   wire.Bitmap
	stale     bool

	assigned   []netip.Addr // the caches of our last assignment; nil without one
	changeThen uint32       // the router's change number when we made it, or once it was taken
	taken      bool         // the number has changed since, or the buckets are shown, so it was taken
	counter    Counter
}

func newV1Group(cfg V1Config, now time.Time) *v1Group {
	return &v1Group{cfg: cfg, announceAt: now.Add(firstV1Announcement)}
}

// tickV1 announces and notices silence.
func (e *Engine) tickV1(now time.Time) {
	g := e.v1
	if !g.heard.IsZero() && now.Sub(g.heard) >= lostAfter {
		e.log("WCCP: router {router} lost, silent for {seconds} seconds",
			zap.Stringer("router", g.cfg.Router.Addr()), zap.Int("seconds", int(now.Sub(g.heard).Seconds())))
		if g.held > 0 {
			e.moved(now, versionOne, g.held)
		}
		g.heard, g.caches, g.assigned, g.held = time.Time{}, nil, nil, 0
		g.stale = g.buckets.Count() > 0
	}
	if !e.announcingV1() || !due(g.announceAt, now) {
		return
	}
	for due(g.announceAt, now) {
		g.announceAt = g.announceAt.Add(Interval)
	}
	if g.local = e.cfg.Local(g.cfg.Router.Addr()); !g.local.IsValid() {
		e.complain(now, g.cfg.Router.Addr(), noRoute, "WCCP: no route to router {router}, nothing is announced to it",
			zap.Stringer("router", g.cfg.Router.Addr()))
		return
	}
	m := wire.V1Message{Type: wire.V1HereIAm, Version: g.cfg.Version, ReceiveID: g.receiveID, Buckets: g.buckets, Unassigned: g.stale}
	g.asked = now
	g.counter.HereIAm++
	e.sendV1(now, &m)
}

func (e *Engine) sendV1(now time.Time, m *wire.V1Message) {
	datagram, err := m.Append(nil)
	if err != nil {
		e.complain(now, e.v1.cfg.Router.Addr(), unsendable, "WCCP: {message} cannot be said: {error}",
			zap.Stringer("message", m.Type), zap.String("error", err.Error()))
		return
	}
	e.send(e.v1.cfg.Router, datagram)
}

// packetV1 takes a version 1 packet.
func (e *Engine) packetV1(now time.Time, from netip.Addr, datagram []byte) {
	g := e.v1
	if g == nil || g.cfg.Router.Addr() != from {
		e.ignored.UnknownSource++
		e.complain(now, from, strangeSource, "WCCP: version 1 packet from {router}, which is no router of ours", zap.Stringer("router", from))
		return
	}
	m, err := wire.ParseV1(datagram)
	switch {
	case err != nil:
		e.ignored.Malformed++
		e.complain(now, from, malformed, "WCCP: malformed packet from {router}: {error}",
			zap.Stringer("router", from), zap.String("error", err.Error()))
	case m.Type != wire.V1ISeeYou || m.Version != g.cfg.Version:
		e.ignored.WrongMessage++
		e.complain(now, from, wrongMessage, "WCCP: {message} of version {version} from {router} ignored",
			zap.Stringer("message", m.Type), zap.Uint32("version", m.Version), zap.Stringer("router", from))
	case len(m.Caches) > memberLimit:
		g.counter.Dropped++
		e.complain(now, from, absurd, "Ignoring WCCP_I_SEE_YOU from {router} with number of caches set to {caches}",
			zap.Stringer("router", from), zap.Int("caches", len(m.Caches)))
	default:
		e.iSeeYouV1(now, m)
	}
}

// iSeeYouV1 takes the router's answer and assigns where that is ours to do.
func (e *Engine) iSeeYouV1(now time.Time, m *wire.V1Message) {
	g := e.v1
	if g.heard.IsZero() {
		e.log("WCCP: router {router} answers", zap.Stringer("router", g.cfg.Router.Addr()))
	}
	g.counter.ISeeYou++
	g.heard, g.receiveID, g.caches = now, m.ReceiveID, nil
	held := 0
	for _, c := range m.Caches {
		g.caches = append(g.caches, c.Addr)
		if c.Addr != g.local {
			continue
		}
		if n := c.Buckets.Count(); n > 0 && !c.Unassigned {
			held, g.buckets = n, c.Buckets
		}
	}
	g.stale = held == 0 && g.buckets.Count() > 0
	if held != g.held {
		e.log("WCCP: router {router} gives us {buckets} of 256 buckets", zap.Stringer("router", g.cfg.Router.Addr()), zap.Int("buckets", held))
		if held < g.held {
			e.moved(now, versionOne, g.held-held)
		}
		g.held = held
	}
	if e.announcingV1() && g.mustAssign(m.Change, g.shows(m)) {
		g.assigned, g.changeThen, g.taken = slices.Clone(g.caches), m.Change, false
		e.assignV1(now)
	}
}

// mustAssign reports whether the router needs an assignment from us: we are the
// lowest of its caches, and the caches are others than last time, or the change
// number and the buckets shown tell that the assignment was not taken, or that
// something happened after it was. Some routers raise the number when they take an
// assignment (draft-forster), others only show the buckets.
func (g *v1Group) mustAssign(change uint32, shown bool) bool {
	if !slices.Contains(g.caches, g.local) || slices.MinFunc(g.caches, netip.Addr.Compare) != g.local {
		return false
	}
	switch {
	case !slices.Equal(g.caches, g.assigned):
		return true
	case !g.taken && change == g.changeThen && !shown:
		return true
	case !g.taken: // a rise is our own assignment's
		g.taken, g.changeThen = true, change
		return false
	}
	return change != g.changeThen
}

// assignV1 hands out contiguous blocks in the router's order, the rest to the
// last (FACTS "Version 1").
func (e *Engine) assignV1(now time.Time) {
	g := e.v1
	m := wire.V1Message{Type: wire.V1AssignBuckets, ReceiveID: g.receiveID}
	for _, c := range g.caches {
		m.Caches = append(m.Caches, wire.V1Cache{Addr: c})
	}
	for i := range m.Table {
		m.Table[i] = wire.MakeBucket(blockOf(i, len(g.caches)), false)
	}
	g.counter.Assignments++
	e.log("WCCP: assigning {caches} caches", zap.Int("caches", len(g.caches)))
	e.sendV1(now, &m)
}

// blockOf is the cache that bucket i belongs to when n share 256.
func blockOf(i, n int) int { return min(i/(256/n), n-1) }

// shows reports whether every cache has the buckets there that our last assignment gave it.
func (g *v1Group) shows(m *wire.V1Message) bool {
	for at, c := range m.Caches {
		var ours wire.Bitmap
		for i := range 256 {
			if blockOf(i, len(m.Caches)) == at {
				ours.Set(uint8(i))
			}
		}
		if c.Unassigned || c.Buckets != ours {
			return false
		}
	}
	return len(m.Caches) > 0
}
