package routersim

import (
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// Event is something that happened at a router. Its JSON form is one line of the
// event log; fields that do not apply are left out.
type Event struct {
	Time   time.Time  `json:"time"`
	Name   EventName  `json:"event"`
	Router netip.Addr `json:"router,omitzero"`
	// Service is the group, as in "dynamic/80"; "v1" for version 1, which has one group.
	Service string     `json:"service,omitempty"`
	Cache   netip.Addr `json:"cache,omitzero"`
	Message string     `json:"message,omitempty"` // kind of datagram
	Why     string     `json:"why,omitempty"`

	ReceiveID uint32       `json:"receive_id,omitempty"`
	Expected  uint32       `json:"expected,omitempty"` // the receive id that would have been right
	Change    uint32       `json:"change,omitempty"`   // member change number
	Weight    uint16       `json:"weight,omitempty"`
	Caches    []netip.Addr `json:"caches,omitempty"` // usable ones, in the order of the view
	Key       *Key         `json:"key,omitempty"`
	Form      string       `json:"form,omitempty"`    // hash or mask
	Buckets   []Share      `json:"buckets,omitempty"` // of an assignment
	Seconds   float64      `json:"seconds,omitempty"` // since the last member change, or of silence
	Octets    int          `json:"octets,omitempty"`
	Hex       string       `json:"hex,omitempty"` // the datagram, when datagrams are logged
}

// EventName names what happened.
type EventName string

// The events of the control plane.
const (
	Started       EventName = "started"        // the router listens
	Restarted     EventName = "restarted"      // it forgot everything, as after a reload
	Received      EventName = "received"       // a datagram came (when datagrams are logged)
	Sent          EventName = "sent"           // a datagram went out (when datagrams are logged)
	Lost          EventName = "lost"           // a fault lost a datagram
	Refused       EventName = "refused"        // a message was not accepted; why says it
	GroupFormed   EventName = "group formed"   // the first cache announced a service
	Redefined     EventName = "redefined"      // a group without usable caches took a new description
	CacheSeen     EventName = "cache seen"     // first HERE_I_AM
	HereIAm       EventName = "here i am"      // each accepted HERE_I_AM
	CacheJoined   EventName = "cache joined"   // it returned our receive id
	CacheQueried  EventName = "cache queried"  // REMOVAL_QUERY sent
	CacheLeft     EventName = "cache left"     // timed out or no longer acceptable
	WeightChanged EventName = "weight changed" // a usable cache announced another weight
	Unsupported   EventName = "unsupported"    // no method in common
	Assigned      EventName = "assigned"       // an assignment was accepted
	Flushed       EventName = "flushed"        // an assignment was dropped for want of a new one
)

// Key names an assignment: who made it, and the how-manieth of theirs.
type Key struct {
	By     netip.Addr `json:"by"`
	Number uint32     `json:"number"`
}

func keyOf(key wire.AssignmentKey) *Key { return &Key{key.Addr, key.Change} }

// Share is how many buckets (or mask values) a cache has; without a cache, how
// many are unassigned.
type Share struct {
	Cache   netip.Addr `json:"cache,omitzero"`
	Buckets int        `json:"buckets"`
}
