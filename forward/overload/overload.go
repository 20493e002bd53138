// Package overload is the state of a process that has run out of descriptors or
// memory: it goes on with what it has, asks for no new work, and comes back by
// itself.
package overload

import (
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// DefaultRest is how long nothing may have run short before the process counts
// as well again. It is longer than one WCCP interval, so that the state does not
// come and go with every announcement.
const DefaultRest = 15 * time.Second

// State is the state. Set its exported fields before use.
type State struct {
	Log *zap.Logger
	// Rest takes the place of DefaultRest unless it is 0.
	Rest time.Duration
	// Relieve is called when a shortage begins, to give up what can be given up.
	Relieve func()
	// Tell is told of beginning and end; nil for nobody to tell.
	Tell func(bool)

	mu     sync.Mutex
	timer  *time.Timer // runs while overloaded
	ended  bool
	counts Counts
}

// Counts tell of shortages of descriptors or memory.
type Counts struct {
	Now       bool   `json:"now"`
	Times     uint64 `json:"times"`     // how often it began
	Shortages uint64 `json:"shortages"` // accepts and connects that failed
}

// Counts reads the state.
func (s *State) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// Shortage reports whether an error is that of a process or system that has nothing
// left to give.
func Shortage(err error) bool {
	for _, e := range []error{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// Failed is called with every error of a socket. A shortage begins the overload, or
// prolongs it.
func (s *State) Failed(err error) {
	if !Shortage(err) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts.Shortages++
	s.meet(err)
}

// prolong is Failed for a shortage that was counted already, and lasts.
func (s *State) prolong(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meet(err)
}

// meet begins the overload, or prolongs it.
func (s *State) meet(err error) {
	switch {
	case s.ended:
		return
	case s.counts.Now:
		s.timer.Reset(s.rest())
		return
	}
	s.counts.Now = true
	s.counts.Times++
	s.timer = time.AfterFunc(s.rest(), s.recovered)
	what := "memory"
	if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) {
		what = "filedescriptors"
	}
	s.Log.Warn("WARNING! Your cache is running out of " + what)
	s.Relieve()
	if s.Tell != nil {
		s.Tell(true)
	}
}

func (s *State) rest() time.Duration {
	if s.Rest > 0 {
		return s.Rest
	}
	return DefaultRest
}

// recovered ends the overload after a time without shortage.
func (s *State) recovered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.counts.Now || s.ended {
		return
	}
	s.counts.Now = false
	s.Log.Info("The shortage is over: new connections are welcome again")
	if s.Tell != nil {
		s.Tell(false)
	}
}

// End stops the timer for good.
func (s *State) End() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	if s.timer != nil {
		s.timer.Stop()
	}
}
