package wccp2

import (
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"
)

// Moves counts what was lost to other caches: a transfer whose bucket moves is
// broken off where its next packets reach a cache that knows nothing of it.
type Moves struct {
	// Buckets that routers took away, each counted at each router.
	Buckets uint64 `json:"buckets"`
	// Transfers that clients had under way when that happened. Which of them had
	// a moved bucket only the router can tell: its hash is not published.
	Transfers uint64 `json:"transfers"`
}

// movesGather is how long moves are gathered into one line: a router's answers
// for several services, and the answers of several routers, come together.
const movesGather = time.Second

// moves is what moved since the last line about it.
type moves struct {
	total     Moves
	tellAt    time.Time // zero with nothing to tell
	transfers int       // under way when the first of them moved
	parts     []movedPart
}

// movedPart is one service's share of a line.
type movedPart struct {
	service string
	buckets int // the most that one router took
	routers int
}

// moved notes that a router gives us fewer buckets of a service than before.
func (e *Engine) moved(now time.Time, service string, buckets int) {
	m := &e.moves
	if m.tellAt.IsZero() {
		m.tellAt = now.Add(movesGather)
		if e.cfg.Transfers != nil {
			m.transfers = e.cfg.Transfers()
		}
		m.total.Transfers += uint64(m.transfers)
	}
	m.total.Buckets += uint64(buckets)
	for i := range m.parts {
		if p := &m.parts[i]; p.service == service {
			p.buckets, p.routers = max(p.buckets, buckets), p.routers+1
			return
		}
	}
	m.parts = append(m.parts, movedPart{service, buckets, 1})
}

// tellMoves logs what has moved, in one line, and tells who wants to know.
func (e *Engine) tellMoves() {
	m := &e.moves
	if m.tellAt.IsZero() {
		return
	}
	var list []string
	for _, p := range m.parts {
		text := fmt.Sprintf("%d of %s", p.buckets, p.service)
		if p.routers > 1 {
			text += fmt.Sprintf(" at %d routers", p.routers)
		}
		list = append(list, text)
	}
	e.log("WCCP: buckets moved away: {buckets}; {transfers} transfers were running",
		zap.String("buckets", strings.Join(list, ", ")), zap.Int("transfers", m.transfers))
	*m = moves{total: m.total}
	if e.cfg.Moved != nil {
		e.cfg.Moved()
	}
}
