package sock

import (
	"sync"
	"time"
)

// A deadline that is near is one of many, and most are forgotten before they come: a
// timer of the runtime for each costs a short tunnel 1 us of processor time. So the
// Watcher keeps those that come within nearBy in a list, and looks at all of it each
// soonTick as long as there are any. They come that much too late.
const (
	nearBy   = 100 * time.Millisecond
	soonTick = 10 * time.Millisecond
)

// soon is the deadlines that are near.
type soon struct {
	mu    sync.Mutex
	list  []deadline
	timer *time.Timer // runs while there are any
	over  bool
}

// deadline is one of a Descriptor, which may be closed by then.
type deadline struct {
	token uint64
	at    int64
}

// expireAt has a Descriptor's fire called at an instant that is near.
func (w *Watcher) expireAt(token uint64, at int64) {
	s := &w.soon
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.list = append(s.list, deadline{token, at})
	switch {
	case len(s.list) > 1:
	case s.timer == nil:
		s.timer = time.AfterFunc(soonTick, w.look)
	default:
		s.timer.Reset(soonTick)
	}
}

// look tells those whose deadline has come.
func (w *Watcher) look() {
	s := &w.soon
	var due []uint64
	now := instant(time.Now())
	s.mu.Lock()
	left := s.list[:0]
	for _, d := range s.list {
		if d.at > now {
			left = append(left, d)
		} else {
			due = append(due, d.token)
		}
	}
	s.list = left
	switch {
	case s.over:
	case len(left) > 0:
		s.timer.Reset(soonTick)
	default:
		s.list = nil // it may have been long
	}
	s.mu.Unlock()
	for _, token := range due {
		w.mu.Lock()
		var d *Descriptor
		if now := w.find(token); now != nil {
			d = now.d
		}
		w.mu.Unlock()
		if d != nil {
			d.fire()
		}
	}
}

// end forgets all of them.
func (s *soon) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over, s.list = true, nil
	if s.timer != nil {
		s.timer.Stop()
	}
}
