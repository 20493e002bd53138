package forward

import (
	"errors"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// overloadRest is how long nothing may have run short before the process counts
// as well again. It is longer than one WCCP interval, so that the state does not
// come and go with every announcement.
const overloadRest = 15 * time.Second

// overload is the state of a process that has run out of descriptors or memory:
// it goes on with what it has, asks for no new work, and comes back by itself.
// The zero value is ready.
type overload struct {
	mu     sync.Mutex
	timer  *time.Timer // runs while overloaded
	ended  bool
	counts Overload
}

// Overload tells of shortages of descriptors or memory.
type Overload struct {
	Now       bool   `json:"now"`
	Times     uint64 `json:"times"`     // how often it began
	Shortages uint64 `json:"shortages"` // accepts and connects that failed
}

// Overload reads the state.
func (s *Server) Overload() Overload {
	s.scarce.mu.Lock()
	defer s.scarce.mu.Unlock()
	return s.scarce.counts
}

// shortage tells errors of a process or system that has nothing left to give.
func shortage(err error) bool {
	for _, e := range []error{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// ranShort is called with every error of a socket. A shortage begins the
// overload, or prolongs it: kept connections to origins are given up, since each
// is a descriptor, and whoever sends us traffic is asked to stop.
func (s *Server) ranShort(err error) {
	if !shortage(err) {
		return
	}
	o := &s.scarce
	o.mu.Lock()
	defer o.mu.Unlock()
	o.counts.Shortages++
	switch {
	case o.ended:
		return
	case o.counts.Now:
		o.timer.Reset(s.rest())
		return
	}
	o.counts.Now = true
	o.counts.Times++
	o.timer = time.AfterFunc(s.rest(), s.recovered)
	what := "memory"
	if errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) {
		what = "filedescriptors"
	}
	s.parts.Log.Warn("WARNING! Your cache is running out of " + what)
	s.pool.DropIdle()
	if s.parts.Overloaded != nil {
		s.parts.Overloaded(true)
	}
}

func (s *Server) rest() time.Duration {
	if s.parts.OverloadRest > 0 {
		return s.parts.OverloadRest
	}
	return overloadRest
}

// recovered ends the overload after a time without shortage.
func (s *Server) recovered() {
	o := &s.scarce
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.counts.Now || o.ended {
		return
	}
	o.counts.Now = false
	s.parts.Log.Info("The shortage is over: new connections are welcome again")
	if s.parts.Overloaded != nil {
		s.parts.Overloaded(false)
	}
}

// end stops the timer for good.
func (o *overload) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended = true
	if o.timer != nil {
		o.timer.Stop()
	}
}
