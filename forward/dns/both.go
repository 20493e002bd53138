package dns

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// How much longer we wait for the records of one family when the answer about the
// other one is there, whatever it says (RFC 8305 section 3): some servers never answer
// one of the two questions. IPv4 addresses are tried first here, and are worth more
// patience. What comes later is put into the entry then.
const (
	resolutionDelay = 50 * time.Millisecond // for AAAA
	ipv4Patience    = time.Second           // for A, when there are AAAA records
)

// fetchAddrs asks for the addresses of a canonical name, A records and where they
// are of use AAAA records at the same time, and keeps the outcome. The error is that
// of the lookup; an empty outcome is one.
func (c *Cache) fetchAddrs(ctx context.Context, set *settings, name string) error {
	begun := c.now()
	e := addrEntry{both: c.asksAAAA(set)}
	var r reply
	var err error
	if e.both {
		r, e.late, err = c.fetchBoth(ctx, set, name)
		e.both = e.late != dnsmessage.TypeAAAA
	} else {
		r, err = set.asker.ask(ctx, question{name, dnsmessage.TypeA})
	}
	if ctx.Err() != nil { // cancelled: nobody learnt anything
		return ctx.Err()
	}
	if err == nil && len(r.addrs) == 0 {
		err = &Error{name, NoData, ""}
	}
	now := c.now()
	c.counts.addrReplies.Add(1)
	if set.Took != nil {
		set.Took(now.Sub(begun))
	}
	e.order, e.since, e.used, e.expires = r.addrs, now, now, now.Add(set.NegativeTTL)
	if err == nil {
		e.expires = now.Add(set.keep(r.ttl))
		c.seen.add(name, r.addrs, now)
	} else if !errors.As(err, &e.failed) || e.failed.Kind == Overloaded {
		return err
	}
	c.addrs.put(name, e, set.highWater(), set.lowWater())
	return err
}

// fetchBoth asks both questions. late is the type whose answer was not waited for,
// 0 for none.
func (c *Cache) fetchBoth(ctx context.Context, set *settings, name string) (r reply, late dnsmessage.Type, err error) {
	four, full := c.askFamily(set, question{name, dnsmessage.TypeA})
	if full != nil {
		return reply{}, 0, full
	}
	defer c.asking.leave(four)
	six, full := c.askFamily(set, question{name, dnsmessage.TypeAAAA})
	if full != nil {
		return reply{}, 0, full
	}
	defer c.asking.leave(six)

	var patience <-chan time.Time
	fourDone, sixDone := four.done, six.done
	for fourDone != nil || sixDone != nil {
		select {
		case <-ctx.Done():
			return reply{}, 0, ctx.Err()
		case <-patience:
			if fourDone != nil {
				return six.reply, dnsmessage.TypeA, nil
			}
			return four.reply, dnsmessage.TypeAAAA, four.err
		case <-fourDone:
			fourDone = nil
			switch {
			case isKind(four.err, NotFound): // there is no record of any type
				return reply{}, 0, four.err
			case four.err == nil || isKind(four.err, NoData):
				patience = time.After(resolutionDelay)
			}
		case <-sixDone:
			sixDone = nil
			if six.err == nil && len(six.reply.addrs) > 0 {
				patience = time.After(ipv4Patience)
			}
		}
	}
	r = four.reply
	if six.err == nil && len(six.reply.addrs) > 0 {
		if len(r.addrs) == 0 {
			return six.reply, 0, nil
		}
		r.addrs = append(r.addrs[:len(r.addrs):len(r.addrs)], six.reply.addrs...)
		r.ttl = min(r.ttl, six.reply.ttl)
	}
	return r, 0, four.err
}

func isKind(err error, kind Kind) bool {
	var failed *Error
	return errors.As(err, &failed) && failed.Kind == kind
}

// askFamily asks for the records of one family in a lookup of its own, which outlives
// those who did not wait for it, and puts what comes late into the name's entry.
func (c *Cache) askFamily(set *settings, q question) (*flight, *Error) {
	return c.asking.join(q, netip.Addr{}, func(ctx context.Context) (reply, error) {
		r, err := set.asker.ask(ctx, q)
		if err == nil {
			now := c.now()
			c.seen.add(q.name, r.addrs, now)
			c.addrs.addLate(q, r.addrs, now.Add(set.keep(r.ttl)), now)
		}
		return r, err
	})
}

// asksAAAA reports whether AAAA records are asked for.
func (c *Cache) asksAAAA(set *settings) bool {
	return !set.NoAAAA && (c.sawIPv6.Load() || set.IPv6()) && !set.asker.silentAAAA()
}
