package routersim

import (
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// DefaultInterval is the time between a cache's HERE_I_AMs (4.1 of the draft: HERE_I_AM_T).
const DefaultInterval = 10 * time.Second

// Group is a service group the router takes part in.
type Group struct {
	Service  wire.ServiceID
	Password string // "": no security
}

// Config describes one router. The zero values of optional fields mean what a
// router does that nobody configured.
type Config struct {
	// Address is where caches send to and answers come from.
	Address netip.Addr
	// ID is what the router calls itself; by default its address. Routers use their
	// highest loopback address.
	ID netip.Addr
	// Groups are the services enabled. Others are refused unless AnyService.
	Groups     []Group
	AnyService bool
	Password   string // for services that AnyService lets in
	// Version is 2 by default. A router speaks one version at a time.
	Version int

	Interval time.Duration // 0: DefaultInterval
	// Forwarding, Return and Assignment are the methods supported, as bits of the
	// capabilities component; 0 means both of each.
	Forwarding, Return, Assignment uint32
	// NoCapabilities leaves the component out of answers, as old routers do; GRE and hash hold then.
	NoCapabilities bool
	MaskView       MaskView

	Faults Faults
	Seed   uint64 // of the faults' dice

	// LogDatagrams adds an event with the octets for every datagram.
	LogDatagrams bool
	// Observe hears every event, Publish every new table (nil: the service has none
	// now). Both are called from Receive and Advance and must not call back.
	Observe func(Event)
	Publish func(wire.ServiceID, *Table)
}

// MaskView is how a cache with mask assignment looks in the router view.
type MaskView string

// The forms seen of routers.
const (
	MaskViewFull  MaskView = "full"  // its masks with its values (5.7.2); the default
	MaskViewShort MaskView = "short" // no masks: what Squid 2.6 can read
	MaskViewEcho  MaskView = "echo"  // the mask it announced, without values
)

const bothMethods = 3

func (c Config) withDefaults() Config {
	if !c.ID.IsValid() {
		c.ID = c.Address
	}
	if c.Version == 0 {
		c.Version = 2
	}
	if c.Interval == 0 {
		c.Interval = DefaultInterval
	}
	for _, methods := range []*uint32{&c.Forwarding, &c.Return, &c.Assignment} {
		if *methods == 0 {
			*methods = bothMethods
		}
	}
	if c.NoCapabilities {
		c.Forwarding, c.Return, c.Assignment = wire.MethodGRE, wire.MethodGRE, wire.MethodHash
	}
	if c.MaskView == "" {
		c.MaskView = MaskViewFull
	}
	if c.Observe == nil {
		c.Observe = func(Event) {}
	}
	if c.Publish == nil {
		c.Publish = func(wire.ServiceID, *Table) {}
	}
	return c
}
