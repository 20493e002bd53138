package dns

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// askAgainAfter is the age of an answer above which a name is asked for again
// when the answer does not hold the address a client wants: the client may have
// been given another part of the set. Nobody can make us ask more often.
const askAgainAfter = 5 * time.Second

// Belongs implements Resolver.
func (c *Cache) Belongs(ctx context.Context, host string, addr netip.Addr) (bool, error) {
	addr = addr.Unmap().WithZone("")
	name := canonical(host)
	set := c.settings.Load()
	if c.seen.has(name, addr, c.now().Add(-set.VerifyMemory)) {
		return true, nil
	}
	if addr.Is6() && !c.sawIPv6.Load() {
		c.sawIPv6.Store(true)
	}
	answer, err := c.find(ctx, host, false)
	if err == nil && answer.Contains(addr) {
		return true, nil
	}
	if c.worthAsking(name, addr, set) {
		name = strings.Clone(name)
		if answer, err = c.lookUp(ctx, set, name, false); err == nil && addr.Is6() && !answer.Contains(addr) {
			c.awaitAAAA(ctx, set, name)
			answer, err = c.find(ctx, name, false)
		}
	}
	var failed *Error
	if errors.As(err, &failed) && failed.Lasting() {
		return false, nil
	}
	return err == nil && answer.Contains(addr), err
}

// Verified implements Resolver.
func (c *Cache) Verified(host string, addr netip.Addr) (belongs, known bool) {
	addr = addr.Unmap().WithZone("")
	if literal, ok := Numeric(host); ok {
		return literal == addr, true
	}
	name := canonical(host)
	set := c.settings.Load()
	if c.seen.has(name, addr, c.now().Add(-set.VerifyMemory)) {
		return true, true
	}
	if addr.Is6() && !c.sawIPv6.Load() {
		c.sawIPv6.Store(true)
	}
	if fixed := set.Hosts.addrs[name]; fixed != nil {
		return Answer{addrs: fixed}.Contains(addr), true
	}
	if !askable(name) {
		return false, true
	}
	answer, failed, ok := c.addrs.find(name, c.now(), false)
	switch {
	case ok && failed == nil && answer.Contains(addr):
		return true, true
	case ok && failed == nil && !c.worthAsking(name, addr, set):
		return false, true
	case ok && failed != nil:
		return false, failed.Lasting()
	}
	name = strings.Clone(name)
	c.asking.start(question{name, typeAddrs}, c.addrLookup(set, name))
	return false, false
}

// aaaaPatience is how long one who wants to know about an IPv6 address waits for
// AAAA records that are late.
const aaaaPatience = time.Second

// awaitAAAA waits for AAAA records that were not there in time for an entry.
func (c *Cache) awaitAAAA(ctx context.Context, set *settings, name string) {
	if !c.asksAAAA(set) || c.addrs.hasBoth(name) {
		return
	}
	fl, full := c.askFamily(set, question{name, dnsmessage.TypeAAAA})
	if full != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, aaaaPatience)
	defer cancel()
	c.asking.wait(ctx, fl)
}

// worthAsking reports whether another question could bring addr to light.
func (c *Cache) worthAsking(name string, addr netip.Addr, set *settings) bool {
	if set.Hosts.addrs[name] != nil {
		return false
	}
	c.addrs.mu.Lock()
	defer c.addrs.mu.Unlock()
	e, _ := c.addrs.entries.Peek(name)
	if e == nil || e.failed != nil {
		return false
	}
	return addr.Is6() && !e.both || c.now().Sub(e.since) >= askAgainAfter
}
