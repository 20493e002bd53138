package icp

import (
	"net/netip"
	"time"
)

// Bounds of the memory of refused senders.
const (
	// A sender of whose queries since it was last made mute, counted as
	// leastQueries at least, muteShare percent or more were refused gets no answer
	// for muteFor (fact "Of 150 queries of one source at least 95 % denied").
	leastQueries = 150
	muteShare    = 95
	muteFor      = time.Hour
	// mostSenders bounds the table; when it is full, a new sender takes the place
	// of any other.
	mostSenders = 4096
)

// Refused tells of a sender that gets no more answers.
type Refused struct {
	From    netip.Addr
	Refused int // of the last Queries
	Queries int
}

// sender is what one address has asked.
type sender struct {
	queries, refused int
	muteUntil        time.Time
}

// refusals knows the senders that were refused at least once. The zero value is
// ready.
type refusals struct{ from map[netip.Addr]*sender }

// admit counts a query that was served, of a sender that is known.
func (r *refusals) admit(from netip.Addr) {
	if s := r.from[from]; s != nil {
		s.queries++
	}
}

// deny counts a refused query and reports whether its sender gets no answer. cut
// is set when that begins.
func (r *refusals) deny(from netip.Addr, now time.Time) (mute bool, cut *Refused) {
	s := r.from[from]
	if s == nil {
		s = r.add(from)
	}
	if now.Before(s.muteUntil) {
		return true, nil
	}
	if of := max(s.queries, leastQueries); 100*s.refused >= muteShare*of {
		cut = &Refused{From: from, Refused: s.refused, Queries: of}
		*s = sender{muteUntil: now.Add(muteFor)}
		return true, cut
	}
	s.queries++
	s.refused++
	return false, nil
}

func (r *refusals) add(from netip.Addr) *sender {
	if r.from == nil {
		r.from = map[netip.Addr]*sender{}
	}
	if len(r.from) >= mostSenders {
		for any := range r.from {
			delete(r.from, any)
			break
		}
	}
	s := &sender{}
	r.from[from] = s
	return s
}
