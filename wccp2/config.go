package wccp2

import (
	"errors"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// Config says what an [Engine] announces, and to whom. It is not changed once handed over.
type Config struct {
	// Routers are the version 2 routers, in the order of their lines.
	Routers []netip.AddrPort
	// Services are announced to every router, in the order of their lines.
	Services []Service

	// Forwarding, Return and Assignment are sent as capabilities as they stand
	// (wire.MethodGRE and so on) and held against what routers offer.
	Forwarding, Return, Assignment uint32
	// Mask is the bits that mask assignment looks at, in whichever field the
	// service hashes; 0 means DefaultMask.
	Mask     uint32
	Division Division
	Weight   uint16

	// ShutdownWait bounds how long leaving takes; 0 leaves at once.
	ShutdownWait time.Duration

	// V1 is the version 1 side; nil without one.
	V1 *V1Config

	// Local gives the address by which this cache is known to a router, the
	// zero Addr while there is none (no route). It is asked at each announcement.
	Local func(router netip.Addr) netip.Addr
	// Transfers counts the client transfers under way, for the log when buckets
	// move; nil where nobody counts. It must not call back.
	Transfers func() int
	// Moved is told that routers have given buckets of ours to another cache, once
	// for each line about it; nil for nobody. It must not call back.
	Moved func()
}

// Service is one service group to join.
type Service struct {
	wire.Service
	// Secure: messages carry an MD5 digest made with Password.
	Secure   bool
	Password string
}

// V1Config is version 1's: one router, the well known service, no password.
type V1Config struct {
	Router  netip.AddrPort
	Version uint32 // wccp_version
}

// DefaultMask is the mask recorded of 2.6: six bits, 64 values.
const DefaultMask = 0x1741

// MaxMaskBits bounds a mask: an assignment has a value of 16 octets for each
// combination of its bits and is sent as one datagram.
const MaxMaskBits = 8

// maxRouters is how many routers a group can have (draft 5.6.6 sets no limit;
// routers and the recorded simulator take 32).
const maxRouters = 32

// ErrNoHash is a service that cannot be assigned by mask, in 2.6's words.
//
//lint:ignore ST1005 recorded wording
var ErrNoHash = errors.New("Unknown service hash method")

// ErrAssignment is an assignment method that is neither hash nor mask, in 2.6's words.
//
//lint:ignore ST1005 recorded wording
var ErrAssignment = errors.New("Unknown Wccp2 assignment method")

// check refuses what cannot be announced.
func (c *Config) check() error {
	if len(c.Routers) > maxRouters {
		return fmt.Errorf("%d WCCP routers configured, at most %d work", len(c.Routers), maxRouters)
	}
	if n := bits.OnesCount32(c.Mask); n > MaxMaskBits {
		return fmt.Errorf("the WCCP mask %#x has %d bits, at most %d work", c.Mask, n, MaxMaskBits)
	}
	if c.Local == nil {
		return errors.New("no way to find the local address")
	}
	if len(c.Services) > 0 && c.Assignment != wire.MethodHash && c.Assignment != wire.MethodMask {
		return ErrAssignment
	}
	for i, s := range c.Services {
		if c.Assignment == wire.MethodMask {
			if _, err := maskFor(s.Service, c.mask(), false); err != nil {
				return err
			}
		}
		for _, t := range c.Services[:i] {
			if s.ServiceID == t.ServiceID {
				return fmt.Errorf("WCCP service %s is configured twice", s.ServiceID)
			}
		}
	}
	return nil
}

func (c *Config) mask() uint32 {
	if c.Mask == 0 {
		return DefaultMask
	}
	return c.Mask
}

// sameGroup reports whether a service and its methods are announced alike in both
// configurations, so that what is known of the group can be kept.
func sameGroup(a, b *Config, s Service) bool {
	return slices.Contains(b.Services, s) && a.Forwarding == b.Forwarding && a.Return == b.Return &&
		a.Assignment == b.Assignment && a.mask() == b.mask()
}
