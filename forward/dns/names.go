package dns

import (
	"context"
	"errors"
	"net/netip"

	"golang.org/x/net/dns/dnsmessage"
)

// Name implements Resolver.
func (c *Cache) Name(ctx context.Context, addr netip.Addr) (string, error) {
	addr = addr.Unmap().WithZone("")
	name, failed, ok := c.knownName(addr)
	if !ok {
		q, work := c.nameLookup(addr)
		fl, full := c.asking.join(q, clientOf(ctx), work)
		if full != nil {
			return "", &Error{addr.String(), full.Kind, full.Detail}
		}
		if _, err := c.asking.wait(ctx, fl); err != nil {
			return "", err
		}
		name, failed, _ = c.names.find(addr, c.now())
	}
	if failed != nil {
		return "", failed
	}
	if name == "" {
		return "", &Error{addr.String(), NoData, ""}
	}
	return name, nil
}

// KnownName implements Resolver.
func (c *Cache) KnownName(addr netip.Addr) (string, bool) {
	addr = addr.Unmap().WithZone("")
	name, failed, ok := c.knownName(addr)
	if !ok {
		c.asking.start(c.nameLookup(addr))
		return "", false
	}
	return name, failed == nil && name != ""
}

// knownName looks into the hosts file and into memory.
func (c *Cache) knownName(addr netip.Addr) (name string, failed *Error, ok bool) {
	c.counts.nameRequests.Add(1)
	if name, ok := c.settings.Load().Hosts.names[addr]; ok {
		c.counts.nameHits.Add(1)
		return name, nil, true
	}
	name, failed, ok = c.names.find(addr, c.now())
	switch {
	case !ok:
		c.counts.nameMisses.Add(1)
	case failed != nil:
		c.counts.nameNegativeHits.Add(1)
	default:
		c.counts.nameHits.Add(1)
	}
	return name, failed, ok
}

func (c *Cache) nameLookup(addr netip.Addr) (question, func(context.Context) (reply, error)) {
	q := question{reverseName(addr), dnsmessage.TypePTR}
	return q, func(ctx context.Context) (reply, error) { return reply{}, c.fetchName(ctx, addr, q) }
}

// fetchName asks for the name of an address and keeps the outcome. The error
// is nil when the outcome, good or bad, is in memory.
func (c *Cache) fetchName(ctx context.Context, addr netip.Addr, q question) error {
	set := c.settings.Load()
	begun := c.now()
	r, err := set.asker.ask(ctx, q)
	if ctx.Err() != nil { // cancelled: nobody learnt anything
		return ctx.Err()
	}
	now := c.now()
	c.counts.nameReplies.Add(1)
	if set.Took != nil {
		set.Took(now.Sub(begun))
	}
	e := nameEntry{used: now, expires: now.Add(set.NegativeTTL)}
	switch {
	case err != nil:
		if !errors.As(err, &e.failed) {
			return err
		}
		e.failed = &Error{addr.String(), e.failed.Kind, e.failed.Detail}
	case r.name == "":
		e.failed = &Error{addr.String(), NoData, ""}
	default:
		e.name, e.expires = r.name, now.Add(set.keep(r.ttl))
	}
	c.names.put(addr, e, max(1, set.NameEntries))
	return nil
}
