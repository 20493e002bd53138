package wccp2

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"go.uber.org/zap"
)

// reason is a kind of bad packet or trouble.
type reason uint8

const (
	strangeSource reason = iota
	malformed
	wrongMessage
	strangeService
	wrongSecurity
	wrongDigest
	replayed
	absurd
	badPackets // those before are bad packets, and share a source's one line
)

// Troubles that are no bad packets; each has lines of its own.
const (
	noRoute = badPackets + 1 + iota
	unsendable
	unknownPart
	sameIdentity
)

// badNames say in a few words what was wrong with packets that got no line.
var badNames = [badPackets]string{
	strangeSource:  "from no router of ours",
	malformed:      "malformed",
	wrongMessage:   "no message for a cache",
	strangeService: "of an unknown service",
	wrongSecurity:  "with the wrong security option",
	wrongDigest:    "that failed authentication",
	replayed:       "repeating a receive id",
	absurd:         "with absurd counts",
}

// complainEvery is how often one source is complained about.
const complainEvery = time.Minute

// complainLimit bounds the sources remembered; beyond it they share one entry.
const complainLimit = 256

// complaint is what a line was about: a source, and the trouble unless it sent
// bad packets.
type complaint struct {
	from netip.Addr
	why  reason
}

type said struct {
	at    time.Time
	quiet [badPackets]int // bad packets not logged since
	again int             // or other troubles
}

// complaints keeps the log readable whatever arrives from wherever.
type complaints struct {
	last map[complaint]*said
}

// complain logs a line about from, unless there was a line about it within the
// last minute. All bad packets of a source share one line a minute, which then
// tells of those before it.
func (e *Engine) complain(now time.Time, from netip.Addr, why reason, line string, fields ...zap.Field) {
	c := &e.complaints
	if c.last == nil {
		c.last = map[complaint]*said{}
	}
	key := complaint{from, max(why, badPackets)}
	if c.last[key] == nil && len(c.last) >= complainLimit {
		key.from = netip.Addr{}
	}
	s := c.last[key]
	if s != nil && now.Sub(s.at) < complainEvery {
		s.count(why)
		return
	}
	if s != nil {
		line += s.unsaid(why)
	}
	c.last[key] = &said{at: now}
	e.log(line, fields...)
}

func (s *said) count(why reason) {
	if why < badPackets {
		s.quiet[why]++
	} else {
		s.again++
	}
}

// unsaid tells what went without a line before one about why.
func (s *said) unsaid(why reason) string {
	like, rest := s.again, []string(nil)
	for i, n := range s.quiet {
		switch {
		case n == 0:
		case reason(i) == why:
			like = n
		default:
			rest = append(rest, fmt.Sprintf("%d %s", n, badNames[i]))
		}
	}
	text := ""
	if like > 0 {
		text = fmt.Sprintf(" (and %d more like this)", like)
	}
	if len(rest) > 0 {
		text += " (and packets " + strings.Join(rest, ", ") + ")"
	}
	return text
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
