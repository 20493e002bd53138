// Package simcache is the least a WCCP cache has to say, for testing routers
// without a proxy. It keeps what the router showed last and builds the messages
// that depend on it; when to send them, and whom the buckets go to, is up to the
// caller.
package simcache

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// Cache is one cache in one service group of one router.
type Cache struct {
	Address  netip.Addr
	Router   netip.Addr // where it sends to
	Service  wire.Service
	Password string
	Weight   uint16
	// Forwarding, Return and Assignment are the methods offered; 0 means GRE, GRE and hash.
	Forwarding, Return, Assignment uint32

	seen   *wire.Message // last I_SEE_YOU
	number uint32        // of our last assignment
}

// HereIAm announces the cache with the receive id it was shown last.
func (c *Cache) HereIAm() []byte {
	identity := &wire.CacheIdentity{Addr: c.Address, Weight: c.Weight}
	if c.Assignment == wire.MethodMask {
		identity.Kind = wire.MaskData
	}
	view := &wire.CacheView{Change: 1, Caches: []netip.Addr{c.Address}}
	if c.seen != nil {
		view.Routers = []wire.RouterID{c.seen.RouterIdentity.RouterID}
	}
	return c.build(&wire.Message{
		Type: wire.HereIAm, CacheIdentity: identity, CacheView: view,
		Capabilities: []wire.Capability{
			wire.Bits(wire.ForwardingMethod, max(c.Forwarding, 1)),
			wire.Bits(wire.AssignmentMethod, max(c.Assignment, 1)),
			wire.Bits(wire.ReturnMethod, max(c.Return, 1)),
		},
	})
}

// See takes a datagram of the router. Messages other than I_SEE_YOU are only checked.
func (c *Cache) See(datagram []byte) (*wire.Message, error) {
	message, err := wire.Parse(datagram)
	if err != nil {
		return nil, err
	}
	if c.Password != "" && !wire.Authentic(datagram, message, c.Password) {
		return nil, errors.New("digest does not fit")
	}
	if message.Type == wire.ISeeYou {
		c.seen = message
	}
	return message, nil
}

// Usable reports whether the router lists the cache.
func (c *Cache) Usable() bool {
	if c.seen == nil {
		return false
	}
	for _, listed := range c.seen.RouterView.Caches {
		if listed.Addr == c.Address {
			return true
		}
	}
	return false
}

// AssignHash gives every bucket i to caches[i mod n]; an invalid address leaves it
// unassigned.
func (c *Cache) AssignHash(caches ...netip.Addr) []byte {
	a := c.assignment()
	index := make(map[netip.Addr]int)
	for i := range a.Buckets {
		cache := caches[i%len(caches)]
		if !cache.IsValid() {
			a.Buckets[i] = wire.Unassigned
			continue
		}
		if _, listed := index[cache]; !listed {
			index[cache] = len(a.Caches)
			a.Caches = append(a.Caches, cache)
		}
		a.Buckets[i] = wire.MakeBucket(index[cache], false)
	}
	return c.build(&wire.Message{Type: wire.RedirectAssign, Assignment: a})
}

// AssignMask hands out the sets as they are.
func (c *Cache) AssignMask(sets ...wire.MaskValueSet) []byte {
	a := c.assignment()
	a.Method, a.Sets = wire.AssignMask, sets
	return c.build(&wire.Message{Type: wire.RedirectAssign, AltAssignment: a})
}

// AssignNumbered does it in the short form of version 2.01.
func (c *Cache) AssignNumbered(sets ...wire.AltMaskValueSet) []byte {
	a := c.assignment()
	a.Method, a.AltSets = wire.AssignAltMask, sets
	return c.build(&wire.Message{Type: wire.RedirectAssign, Version: wire.Version2r1, AltAssignment: a})
}

func (c *Cache) assignment() *wire.Assignment {
	c.number++
	return &wire.Assignment{
		Key:     wire.AssignmentKey{Addr: c.Address, Change: c.number},
		Routers: []wire.RouterAssignment{{RouterID: c.seen.RouterIdentity.RouterID, MemberChange: c.seen.RouterView.MemberChange}},
	}
}

func (c *Cache) build(message *wire.Message) []byte {
	service := c.Service
	message.Service = &service
	if c.Password != "" {
		message.Security.Option = wire.MD5Security
	}
	datagram, err := message.Append(nil, c.Password)
	if err != nil {
		panic(fmt.Sprintf("simcache: %v", err)) // the caller's own fields do not fit a message
	}
	return datagram
}
