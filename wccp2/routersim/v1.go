package routersim

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// webCache is the one service version 1 knows, as the packet side calls it.
var webCache = wire.ServiceID{Type: wire.Standard, ID: 0}

// serviceV1 names the group of version 1 in events.
const serviceV1 = "v1"

// groupV1 is a router's farm of version 1 caches (draft-forster-wrec-wccp-v1-00).
type groupV1 struct {
	members   []*memberV1
	receiveID uint32
	change    uint32
	changedAt time.Time
	assigned  bool
	buckets   [256]netip.Addr
}

type memberV1 struct {
	address  netip.Addr
	at       netip.AddrPort
	revision uint32
	shown    uint32
	usable   bool
	heard    time.Time
}

func newGroupV1() *groupV1 { return new(groupV1) }

func (g *groupV1) member(address netip.Addr) *memberV1 {
	for _, m := range g.members {
		if m.address == address {
			return m
		}
	}
	return nil
}

func (g *groupV1) usable() []netip.Addr {
	var all []netip.Addr
	for _, m := range g.members {
		if m.usable {
			all = append(all, m.address)
		}
	}
	return all
}

func (r *Router) receiveV1(from netip.AddrPort, datagram []byte) {
	message, err := wire.ParseV1(datagram)
	why := ""
	switch {
	case err != nil:
		why = err.Error()
	case r.config.Version != 1:
		why = "the router speaks version 2"
	case message.Type == wire.V1HereIAm:
		why = r.hereIAmV1(message, from)
	case message.Type == wire.V1AssignBuckets:
		why = r.assignV1(message, from)
	default:
		why = "not a message for routers"
	}
	if why != "" {
		r.observe(Event{Name: Refused, Service: serviceV1, Cache: from.Addr(), Message: kindOf(datagram), Why: why})
	}
}

func (r *Router) hereIAmV1(message *wire.V1Message, from netip.AddrPort) string {
	g := r.v1
	m := g.member(from.Addr())
	if m == nil {
		if len(g.members) >= maxMembers {
			return fmt.Sprintf("the farm has %d caches already", maxMembers)
		}
		m = &memberV1{address: from.Addr()}
		g.members = append(g.members, m)
		r.observe(Event{Name: CacheSeen, Service: serviceV1, Cache: m.address})
	}
	right := m.shown != 0 && message.ReceiveID == m.shown
	r.observe(Event{Name: HereIAm, Service: serviceV1, Cache: m.address, ReceiveID: message.ReceiveID, Expected: m.shown})
	m.at, m.heard, m.revision = from, r.now, message.HashRevision
	if right && !m.usable {
		m.usable = true
		r.memberChangeV1()
		r.observe(Event{Name: CacheJoined, Service: serviceV1, Cache: m.address, Change: g.change, Caches: g.usable()})
	}
	r.answerV1(m)
	return ""
}

func (r *Router) answerV1(m *memberV1) {
	g := r.v1
	g.receiveID++
	m.shown = g.receiveID
	shown := m.shown
	if r.config.Faults.WrongReceiveID {
		shown ^= 0x5A5A5A5A
	}
	answer := &wire.V1Message{Type: wire.V1ISeeYou, Change: g.change, ReceiveID: shown}
	for _, other := range g.members {
		if !other.usable {
			continue
		}
		entry := wire.V1Cache{Addr: other.address, HashRevision: other.revision}
		for i, cache := range g.buckets {
			if g.assigned && cache == other.address {
				entry.Buckets.Set(uint8(i))
			}
		}
		entry.Unassigned = entry.Buckets.Count() == 0
		answer.Caches = append(answer.Caches, entry)
	}
	payload, err := answer.Append(nil)
	if err != nil {
		r.observe(Event{Name: Refused, Service: serviceV1, Why: "not sent: " + err.Error()})
		return
	}
	r.post(Datagram{m.at, payload})
}

func (r *Router) assignV1(message *wire.V1Message, from netip.AddrPort) string {
	g := r.v1
	sender := g.member(from.Addr())
	switch {
	case r.config.Faults.IgnoreAssignments:
		return "fault: assignments are ignored"
	case sender == nil || !sender.usable:
		return "assignment from a cache that is not usable"
	case message.ReceiveID != sender.shown:
		return fmt.Sprintf("assignment with receive id %d, expected %d", message.ReceiveID, sender.shown)
	}
	g.assigned = true
	count := make(map[netip.Addr]int)
	for i, bucket := range message.Table {
		g.buckets[i] = netip.Addr{}
		if index, assigned := bucket.Index(); assigned {
			g.buckets[i] = message.Caches[index].Addr
		}
		count[g.buckets[i]]++
	}
	var shares []Share
	for cache, n := range count {
		shares = append(shares, Share{cache, n})
	}
	slices.SortFunc(shares, func(a, b Share) int { return a.Cache.Compare(b.Cache) })
	r.config.Publish(webCache, g.table())
	r.observe(Event{Name: Assigned, Service: serviceV1, Cache: sender.address, Change: g.change, Form: "hash", Buckets: shares, Seconds: r.now.Sub(g.changedAt).Seconds()})
	return ""
}

func (r *Router) memberChangeV1() {
	g := r.v1
	g.change++
	g.changedAt = r.now
	if len(g.usable()) == 0 {
		g.assigned = false
	}
	r.config.Publish(webCache, g.table())
}

// table is the farm's assignment; version 1 forwards by GRE only and hashes the destination.
func (g *groupV1) table() *Table {
	if !g.assigned {
		return nil
	}
	t := &Table{Service: wire.Service{ServiceID: webCache}, Bare: true}
	index := make(map[netip.Addr]uint8)
	for _, address := range g.usable() {
		index[address] = uint8(len(t.Targets))
		t.Targets = append(t.Targets, Target{Cache: address})
	}
	for i, cache := range g.buckets {
		t.Buckets[i] = Unassigned
		if at, usable := index[cache]; usable {
			t.Buckets[i] = at
		}
	}
	return t
}

func (r *Router) expireV1() {
	g := r.v1
	for _, m := range append([]*memberV1(nil), g.members...) {
		quiet := r.now.Sub(m.heard)
		if quiet < r.intervals(dropAfter) {
			continue
		}
		g.members = slices.DeleteFunc(g.members, func(x *memberV1) bool { return x == m })
		if m.usable {
			r.memberChangeV1()
			r.observe(Event{Name: CacheLeft, Service: serviceV1, Cache: m.address, Why: "no HERE_I_AM", Seconds: quiet.Seconds(), Change: g.change, Caches: g.usable()})
		}
	}
}

func (r *Router) nextExpiryV1() time.Time {
	var next time.Time
	for _, m := range r.v1.members {
		next = earlier(next, m.heard.Add(r.intervals(dropAfter)))
	}
	return next
}
