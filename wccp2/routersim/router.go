package routersim

import (
	"encoding/hex"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// Limits of what one router keeps, so that hostile caches cannot make it grow. The
// draft's own limit is 32 of each.
const (
	maxGroups  = 256
	maxMembers = 32
)

// Router is the control plane of one router. It is not safe for concurrent use.
type Router struct {
	config Config
	groups map[wire.ServiceID]*group
	v1     *groupV1
	out    outbox
	dice   *rand.Rand
	now    time.Time // of the call under way
}

// Datagram is something to send.
type Datagram struct {
	To      netip.AddrPort
	Payload []byte
}

// New makes a router that knows nobody yet.
func New(config Config) *Router {
	r := &Router{config: config.withDefaults()}
	r.dice = rand.New(rand.NewPCG(config.Seed, 0))
	r.forget()
	return r
}

// Config is the router's description with its defaults filled in.
func (r *Router) Config() Config { return r.config }

func (r *Router) forget() {
	r.groups = make(map[wire.ServiceID]*group)
	r.v1 = newGroupV1()
}

// Restart forgets everything the router learnt, as a reload does. Numbers begin
// again, and nothing is redirected until caches have joined and assigned anew.
func (r *Router) Restart(now time.Time) {
	r.now = now
	for id := range r.groups {
		r.config.Publish(id, nil)
	}
	if r.v1.assigned {
		r.config.Publish(webCache, nil)
	}
	r.forget()
	r.out = outbox{}
	r.observe(Event{Name: Restarted})
}

// SetFaults replaces the faults.
func (r *Router) SetFaults(faults Faults) { r.config.Faults = faults }

// Receive takes a datagram from a cache.
func (r *Router) Receive(now time.Time, from netip.AddrPort, datagram []byte) {
	r.now = now
	if r.happens(r.config.Faults.LossIn) {
		r.observe(Event{Name: Lost, Cache: from.Addr(), Why: "fault: incoming"})
		return
	}
	if r.config.LogDatagrams {
		r.observe(Event{Name: Received, Cache: from.Addr(), Message: kindOf(datagram), Octets: len(datagram), Hex: hex.EncodeToString(datagram)})
	}
	if r.config.Faults.Silent {
		return
	}
	if wire.IsV1(datagram) {
		r.receiveV1(from, datagram)
		return
	}
	r.receiveV2(from, datagram)
}

func (r *Router) receiveV2(from netip.AddrPort, datagram []byte) {
	message, err := wire.Parse(datagram)
	if err != nil {
		r.observe(Event{Name: Refused, Cache: from.Addr(), Message: kindOf(datagram), Why: err.Error(), Octets: len(datagram)})
		return
	}
	settings, why := r.admit(message, datagram)
	if why == "" {
		switch message.Type {
		case wire.HereIAm:
			why = r.hereIAm(settings, message, from)
		case wire.RedirectAssign:
			why = r.redirectAssign(message, from)
		default:
			why = "not a message for routers"
		}
	}
	if why != "" {
		r.observe(Event{Name: Refused, Service: message.Service.ServiceID.String(), Cache: from.Addr(), Message: message.Type.String(), Why: why})
	}
}

// admit checks that the service is one of ours and the sender knows its password.
// The reason for refusing is "" when there is none.
func (r *Router) admit(message *wire.Message, datagram []byte) (Group, string) {
	if r.config.Version != 2 {
		return Group{}, "the router speaks version 1"
	}
	settings, enabled := r.settings(message.Service.ServiceID)
	switch secured := message.Security.Option == wire.MD5Security; {
	case !enabled:
		return settings, "service is not enabled here"
	case secured && settings.Password == "":
		return settings, "message has a digest, the service has no password"
	case !secured && settings.Password != "":
		return settings, "message has no digest, the service has a password"
	case secured && !wire.Authentic(datagram, message, settings.Password):
		return settings, "digest does not fit the password"
	}
	return settings, ""
}

func (r *Router) settings(id wire.ServiceID) (Group, bool) {
	for _, g := range r.config.Groups {
		if g.Service == id {
			return g, true
		}
	}
	return Group{Service: id, Password: r.config.Password}, r.config.AnyService
}

// Advance runs the timers that are due.
func (r *Router) Advance(now time.Time) {
	r.now = now
	for _, g := range r.sortedGroups() {
		r.expire(g)
	}
	r.expireV1()
}

// Take gives the datagrams that are due, in order.
func (r *Router) Take(now time.Time) []Datagram {
	r.now = now
	var due []Datagram
	for _, d := range r.out.take(now) {
		if r.config.LogDatagrams {
			r.observe(Event{Name: Sent, Cache: d.To.Addr(), Message: kindOf(d.Payload), Octets: len(d.Payload), Hex: hex.EncodeToString(d.Payload)})
		}
		due = append(due, d)
	}
	return due
}

// Next is when Advance and Take want to be called again if nothing comes before;
// the zero time when there is nothing to wait for.
func (r *Router) Next() time.Time {
	next := r.out.next()
	for _, g := range r.groups {
		next = earlier(next, r.nextExpiry(g))
	}
	return earlier(next, r.nextExpiryV1())
}

// earlier takes the zero time for never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (r *Router) observe(e Event) {
	e.Time, e.Router = r.now, r.config.Address
	r.config.Observe(e)
}

// kindOf names the message a datagram seems to be.
func kindOf(datagram []byte) string {
	if len(datagram) < 4 {
		return ""
	}
	return wire.MessageType(uint32(datagram[0])<<24 | uint32(datagram[1])<<16 | uint32(datagram[2])<<8 | uint32(datagram[3])).String()
}
