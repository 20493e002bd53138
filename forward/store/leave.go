package store

import "slices"

// leave takes a reader out of the entry.
func (e *Entry) leave(r *Reader) {
	if at := slices.Index(e.readers, r); at >= 0 {
		e.readers = slices.Delete(e.readers, at, at+1)
	}
}

// leaveAndDecide takes a reader out and, when it was the last, decides whether the
// fetch goes on.
func (e *Entry) leaveAndDecide(r *Reader) (goesOn bool) {
	e.mu.Lock()
	r.letGo(e)
	e.leave(r)
	hand := handNothing
	goesOn = !e.over()
	switch {
	case e.over():
	case len(e.readers) > 0 || e.clientless:
		if e.permit != permitOwn {
			hand = e.want()
		}
	case e.quickAbort():
		goesOn, hand = false, handStop
	default:
		e.clientless = true
		hand = e.want()
	}
	e.trim()
	e.wakeWriter()
	e.mu.Unlock()
	e.freeIfLast()
	if hand == handStop {
		e.s.stats.quickAborts.Add(1)
		e.finish(ErrAborted)
		if e.filler == nil {
			return false
		}
	}
	hand.do(e)
	return goesOn
}

// quickAbort decides whether a fetch nobody reads any more is ended: quick_abort_min,
// quick_abort_max and quick_abort_pct. Lengths include the head, as in 2.6.
func (e *Entry) quickAbort() bool {
	c := e.s.config.Load()
	if e.phase != pending && !e.kept || e.obsolete {
		return true // nothing of it would stay
	}
	if c.QuickAbortMin < 0 {
		return false
	}
	expected, have := e.announced+int64(e.headLen), e.size+int64(e.headLen)
	if f, ok := e.filler.(Arriving); ok {
		have += f.Arrived()
	}
	left := expected - have
	switch {
	case e.announced < 0: // its length is unknown
		return true
	case left < c.QuickAbortMin:
		return false
	case left > c.QuickAbortMax:
		return true
	case expected < 100:
		return false
	}
	return have/(expected/100) <= int64(c.QuickAbortPct)
}
