package dns

import (
	"sync/atomic"
	"time"
)

// A server that left silentAfter questions for AAAA records in a row unanswered,
// while it answered others, is not waited for: when all servers are like that such
// questions are put again after silentFor only.
const (
	silentAfter = 3
	silentFor   = 10 * time.Minute
)

// silence remembers a server's manners about AAAA records.
type silence struct {
	misses  atomic.Int32
	until   atomic.Int64 // in nanoseconds since 1970: no such question before
	replied atomic.Int64 // when it answered anything
}

// answered notes an answer, to a question for AAAA records or another one.
func (s *silence) answered(aaaa bool, now time.Time) {
	s.replied.Store(now.UnixNano())
	if aaaa && s.misses.Load() != 0 {
		s.misses.Store(0)
		s.until.Store(0)
	}
}

// missed notes that a question for AAAA records put at a time got no answer. It
// counts when the server was there.
func (s *silence) missed(put, now time.Time) {
	if s.replied.Load() >= put.UnixNano() && s.misses.Add(1) >= silentAfter {
		s.until.Store(now.Add(silentFor).UnixNano())
	}
}

// silentAAAA reports whether no server is worth asking for AAAA records now.
func (a *asker) silentAAAA() bool {
	now := time.Now().UnixNano()
	for i := range a.counts {
		if a.counts[i].silence.until.Load() <= now {
			return false
		}
	}
	return true
}
