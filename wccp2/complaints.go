package wccp2

import (
	"fmt"
	"net/netip"
	"time"
)

// reason is a kind of bad packet or trouble; each is logged on its own.
type reason uint8

const (
	noRoute reason = iota
	unsendable
	strangeSource
	malformed
	wrongMessage
	strangeService
	wrongSecurity
	wrongDigest
	replayed
	absurd
	unknownPart
	sameIdentity
)

// complainEvery is how often one source is complained about for one reason.
const complainEvery = time.Minute

// complainLimit bounds the sources remembered; beyond it they share one entry.
const complainLimit = 256

type complaint struct {
	from netip.Addr
	why  reason
}

type said struct {
	at    time.Time
	quiet int // complaints not logged since
}

// complaints keeps the log readable whatever arrives from wherever.
type complaints struct {
	last map[complaint]*said
}

// complain logs text about from unless that was done within the last minute.
func (e *Engine) complain(now time.Time, from netip.Addr, why reason, text string) {
	c := &e.complaints
	if c.last == nil {
		c.last = map[complaint]*said{}
	}
	key := complaint{from, why}
	if c.last[key] == nil && len(c.last) >= complainLimit {
		key.from = netip.Addr{}
	}
	s := c.last[key]
	switch {
	case s == nil:
		c.last[key] = &said{at: now}
	case now.Sub(s.at) < complainEvery:
		s.quiet++
		return
	default:
		if s.quiet > 0 {
			text += fmt.Sprintf(" (and %d more like this)", s.quiet)
		}
		*s = said{at: now}
	}
	e.log(text)
}

// forget drops what is too old to matter.
func (c *complaints) forget(now time.Time) {
	for k, s := range c.last {
		if now.Sub(s.at) >= 2*complainEvery {
			delete(c.last, k)
		}
	}
}

// Ignored counts packets that were dropped before they belonged to a service and router.
type Ignored struct {
	UnknownSource, Malformed, WrongMessage, UnknownService uint64
}
