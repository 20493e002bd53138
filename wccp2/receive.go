package wccp2

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// Packet takes one datagram that came from an address. Whatever is wrong with
// it, it is dropped, counted, and complained about at most once a minute.
func (e *Engine) Packet(now time.Time, from netip.AddrPort, datagram []byte) {
	source := from.Addr().Unmap()
	if wire.IsV1(datagram) {
		e.packetV1(now, source, datagram)
		return
	}
	if !slices.ContainsFunc(e.cfg.Routers, func(r netip.AddrPort) bool { return r.Addr() == source }) {
		e.ignored.UnknownSource++
		e.complain(now, source, strangeSource, "WCCPv2 Packet received from unknown router {router}", zap.Stringer("router", source))
		return
	}
	m, err := wire.Parse(datagram)
	if err != nil {
		e.ignored.Malformed++
		text := "Malformed WCCPv2 Packet"
		if fault := (*wire.Error)(nil); errors.As(err, &fault) && fault.Incomplete {
			text = "Incomplete WCCPv2 Packet"
		}
		e.complain(now, source, malformed, "{packet} from {router}: {error}",
			zap.String("packet", text), zap.Stringer("router", source), zap.String("error", err.Error()))
		return
	}
	if m.Type != wire.ISeeYou && m.Type != wire.RemovalQuery {
		e.ignored.WrongMessage++
		e.complain(now, source, wrongMessage, "WCCPv2: {message} from {router} is no message for a cache",
			zap.Stringer("message", m.Type), zap.Stringer("router", source))
		return
	}
	g := e.group(m.Service.ServiceID, source)
	if g == nil {
		e.ignored.UnknownService++
		e.complain(now, source, strangeService,
			"WCCPv2 Unknown service received from router ({id}) {router} {service}", zap.Uint8("id", m.Service.ID), zap.Stringer("router", source), zap.Stringer("service", m.Service.ServiceID))
		return
	}
	r := g.from(source)
	if r.alien = !e.authentic(now, g, r, m, datagram); r.alien {
		r.counter.Dropped++
		return
	}
	for _, part := range m.Skipped {
		e.complain(now, source, unknownPart, "Unknown record type in WCCPv2 Packet ({type}) from {router}",
			zap.Uint16("type", uint16(part.Type)), zap.Stringer("router", source))
	}
	if m.Type == wire.RemovalQuery {
		e.removalQuery(now, g, r, m.Query)
		return
	}
	e.iSeeYou(now, g, r, m)
}

// group finds a service by number and type, a standard and a dynamic service of
// one number being two, and by the family of a router.
func (e *Engine) group(id wire.ServiceID, router netip.Addr) *group {
	for _, g := range e.groups {
		if g.svc.ServiceID == id && g.v6 == router.Is6() {
			return g
		}
	}
	return nil
}

// authentic holds the message against the service's password (draft 4.7).
func (e *Engine) authentic(now time.Time, g *group, r *router, m *wire.Message, datagram []byte) bool {
	want := wire.NoSecurity
	if g.svc.Secure {
		want = wire.MD5Security
	}
	from := r.to.Addr()
	if m.Security.Option != want {
		e.complain(now, from, wrongSecurity, "Invalid security option in WCCPv2 Packet ({option} vs {wanted}). Router {router}, service {service}",
			zap.Uint32("option", m.Security.Option), zap.Uint32("wanted", want), zap.Stringer("router", from),
			zap.Stringer("service", g.svc.ServiceID))
		return false
	}
	if g.svc.Secure && !wire.Authentic(datagram, m, g.svc.Password) {
		e.complain(now, from, wrongDigest, "Received WCCPv2 Packet failed authentication: router {router} has another password for service {service}",
			zap.Stringer("router", from), zap.Stringer("service", g.svc.ServiceID))
		return false
	}
	return true
}

// viewLimit is how many caches a router's view may name before it is taken for
// nonsense; more than 32 of them cannot be assigned anyway.
const viewLimit = 256

// iSeeYou takes a router's answer.
func (e *Engine) iSeeYou(now time.Time, g *group, r *router, m *wire.Message) {
	from := r.to.Addr()
	if !r.fresh(m.RouterIdentity.ReceiveID) {
		r.counter.Dropped++
		e.complain(now, from, replayed, "WCCPv2: I_SEE_YOU of router {router} for service {service} repeats receive id {receive_id} (last was {last}), ignored",
			zap.Stringer("router", from), zap.Stringer("service", g.svc.ServiceID), zap.Uint32("receive_id", m.RouterIdentity.ReceiveID),
			zap.Uint32("last", r.receiveID))
		return
	}
	if n := len(m.RouterView.Caches); n > viewLimit || len(m.RouterView.Routers) > viewLimit {
		r.counter.Dropped++
		e.complain(now, from, absurd, "WCCPv2: router {router} sees {caches} caches and {routers} routers in service {service}, ignored",
			zap.Stringer("router", from), zap.Int("caches", n), zap.Int("routers", len(m.RouterView.Routers)),
			zap.Stringer("service", g.svc.ServiceID))
		return
	}
	r.counter.ISeeYou++
	r.receiveID, r.open = m.RouterIdentity.ReceiveID, false
	e.seen(now, g, r, m.RouterIdentity.ID)
	changed := e.negotiate(g, r, m.Capabilities)
	if e.look(now, g, r, m) || changed {
		g.fleet(r.local).touch(now)
	}
	e.remember(g, r)
	g.checkKey(r)
	e.deliver(g, g.fleet(r.local), now)
	e.watchLeaving(now)
}

// fresh reports whether an answer with this receive id is not one that was seen
// before: ids rise (draft 5.7.1). A lower or equal one is believed only as the
// answer to a HERE_I_AM that has none yet, which is how a router that restarted
// is met; an old answer sent again gets no further than the true one, which
// follows on its heels.
func (r *router) fresh(id uint32) bool {
	return r.open || int32(id-r.receiveID) > 0
}

// seen notes that the router lives, and what it calls itself.
func (e *Engine) seen(now time.Time, g *group, r *router, id netip.Addr) {
	if id.IsValid() && !id.IsUnspecified() && id != r.id {
		r.id = id
	}
	for _, other := range g.routers {
		if other != r && other.id == r.id {
			e.complain(now, r.to.Addr(), sameIdentity, "WCCPv2: routers {other} and {router} both call themselves {identity}",
				zap.Stringer("other", other.to.Addr()), zap.Stringer("router", r.to.Addr()), zap.Stringer("identity", r.id))
		}
	}
	if r.heard.IsZero() {
		e.log("WCCPv2: router {router} answers for service {service}, identity {identity}",
			zap.Stringer("router", r.to.Addr()), zap.Stringer("service", g.svc.ServiceID), zap.Stringer("identity", r.id))
	}
	r.heard, r.dropped = now, false
}

// loseSilent drops routers that have not answered for three intervals.
func (e *Engine) loseSilent(g *group, now time.Time) {
	for _, r := range g.routers {
		if r.dropped || now.Sub(r.lastSign()) < lostAfter {
			continue
		}
		r.dropped = true
		if r.heard.IsZero() {
			if e.announcing(g) {
				how := "does not answer"
				if r.alien {
					how = "answers with another password, or none,"
				}
				e.log("WCCPv2: router {router} {answers} for service {service}",
					zap.Stringer("router", r.to.Addr()), zap.String("answers", how), zap.Stringer("service", g.svc.ServiceID))
			}
			continue
		}
		if e.announcing(g) {
			e.log("WCCPv2: router {router} lost for service {service}, silent for {seconds} seconds",
				zap.Stringer("router", r.to.Addr()), zap.Stringer("service", g.svc.ServiceID), zap.Int("seconds", int(now.Sub(r.heard).Seconds())))
		}
		if r.held > 0 {
			e.moved(now, g.svc.ServiceID.String(), r.held)
		}
		was := g.fleet(r.local)
		r.heard, r.silent, r.receiveID = time.Time{}, now, 0
		r.view, r.refusal, r.owed, r.open = nil, "", false, false
		r.stale = r.mine.Count() > 0
		r.held = 0
		was.touch(now)
	}
}

// removalQuery answers a router that is about to drop us (draft 4.14).
func (e *Engine) removalQuery(now time.Time, g *group, r *router, q *wire.RouterQuery) {
	r.counter.Queries++
	if !e.announcing(g) || r.burst > 0 {
		return
	}
	if q.Target.IsValid() && !q.Target.IsUnspecified() && q.Target != r.local {
		return
	}
	e.log("WCCPv2: router {router} asks whether we still serve {service}",
		zap.Stringer("router", r.to.Addr()), zap.Stringer("service", g.svc.ServiceID))
	r.burst, r.burstAt = queryAnswers, now
	e.announceDue(g, now)
}
