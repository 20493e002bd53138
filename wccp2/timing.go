package wccp2

import "time"

// The protocol's times (draft 4.1, 4.8.1, 4.14; FACTS "Timing").
const (
	// Interval is HERE_I_AM_T.
	Interval = 10 * time.Second
	// firstAnnouncement comes this long after the start.
	firstAnnouncement = time.Second
	// assignWait is how long a group has to be quiet before it is assigned.
	assignWait = Interval * 3 / 2
	// assignLimit is how long changes may put an assignment off altogether; one
	// interval is left before routers flush their tables.
	assignLimit = 4 * Interval
	// lostAfter is the silence after which a router is lost, and a cache to a router.
	lostAfter = 3 * Interval
	// queryAnswers HERE_I_AM answer a REMOVAL_QUERY, this far apart.
	queryAnswers    = 3
	queryAnswerStep = Interval / 10
)

// earliest gives the earlier of two times; the zero time is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// due reports whether a timer set to at has run out.
func due(at, now time.Time) bool { return !at.IsZero() && !at.After(now) }
