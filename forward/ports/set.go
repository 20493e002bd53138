package ports

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
)

// Set is the sockets of one configuration after the other.
type Set struct {
	// Open opens the sockets of a line: one, or one for each family.
	Open func(context.Context, *conf.HTTPPort) ([]*net.TCPListener, error)
	// Accept serves a socket until it is closed; it is called in a goroutine of its own.
	Accept func(*Listener)
	// Log receives the lines of cache.log.
	Log *zap.Logger
	// Every is the time between tries to open what could not be had; 0 for ten seconds.
	Every time.Duration

	mu       sync.Mutex
	all      []*Listener
	leaving  []*Listener // of lines that are no more, until Settle
	failures []Failure
	retry    *time.Timer
	serving  bool
	closed   bool
}

// Use opens the sockets of lines, taking over those that serve one of them already.
// Settle follows, once what the lines say is in force. An error says that nothing
// listens: no line's port could be had, and there was none before.
func (s *Set) Use(ctx context.Context, lines []*conf.HTTPPort) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.stopTrying()
	left := slices.Concat(s.all, s.leaving)
	s.all, s.failures = nil, nil
	for _, line := range lines {
		kept := false
		left = slices.DeleteFunc(left, func(l *Listener) bool {
			if !sameSocket(l.Line(), line) {
				return false
			}
			kept = true
			s.all = append(s.all, l)
			l.line.Store(line)
			return true
		})
		if kept {
			continue
		}
		if err := s.open(ctx, line); err != nil {
			s.failures = append(s.failures, Failure{line, err})
		}
	}
	s.leaving = left
	if len(s.all)+len(s.leaving) == 0 && len(s.failures) > 0 {
		return s.failures[0].Err
	}
	for _, f := range s.failures {
		s.tell(f)
	}
	return nil
}

func (s *Set) tell(f Failure) {
	if text := f.bindText(); text != "" {
		s.Log.Warn(text)
	}
	s.Log.Warn("WARNING: {error}; tried again every {pause}", report.Error(f), zap.Duration("pause", s.every()))
}

func (s *Set) open(ctx context.Context, line *conf.HTTPPort) error {
	sockets, err := s.Open(ctx, line)
	if err != nil {
		return err
	}
	var opened []*Listener
	for _, socket := range sockets {
		var l *Listener
		if l, err = New(socket, line); err != nil {
			break
		}
		opened = append(opened, l)
	}
	if err != nil {
		for _, l := range opened {
			l.Close()
		}
		return err
	}
	for _, l := range opened {
		s.all = append(s.all, l)
		s.Log.Info("Accepting "+kind(line)+" connections at {address}, port {port}, FD {fd}.",
			zap.String("address", fmt.Sprint(addressOf(l.TCPListener, line))), zap.Uint16("port", line.Addr.Port()), zap.Int("fd", l.descriptor()))
	}
	return nil
}

// addressOf is the address a socket listens at: the line's, but for the second
// socket of a line without one.
func addressOf(socket *net.TCPListener, line *conf.HTTPPort) string {
	at, ok := socket.Addr().(*net.TCPAddr)
	if ok && at.IP.To4() == nil && line.Addr.Addr().Is4() {
		return "[" + at.IP.String() + "]"
	}
	return line.Addr.Addr().String()
}

// Settle closes what no line asks for any more and begins to accept on the rest.
// Where no port of the lines can be had, those of before go on, under the new rules.
func (s *Set) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.yield()
	s.startAccepting()
	if len(s.failures) > 0 && !s.closed {
		s.retry = time.AfterFunc(s.every(), s.tryAgain)
	}
}

// yield closes the leaving sockets, at least those whose number a line wants at
// another address, and tries for what these may have been in the way of.
func (s *Set) yield() {
	if len(s.leaving) == 0 {
		return
	}
	var closed []*Listener
	s.leaving = slices.DeleteFunc(s.leaving, func(l *Listener) bool {
		inTheWay := slices.ContainsFunc(s.failures, func(f Failure) bool { return f.Line.Addr.Port() == l.Line().Addr.Port() })
		if len(s.all) == 0 && !inTheWay {
			return false
		}
		l.Close()
		closed = append(closed, l)
		return true
	})
	if len(closed) == 0 {
		return
	}
	s.tryFailures()
	if len(s.all)+len(s.leaving) > 0 {
		return
	}
	for _, l := range closed { // better the old ports than none
		if s.open(context.Background(), l.Line()) == nil {
			s.leaving, s.all = append(s.leaving, s.all...), nil
		}
	}
}

// tryFailures opens what can be had by now.
func (s *Set) tryFailures() {
	s.failures = slices.DeleteFunc(s.failures, func(f Failure) bool { return s.open(context.Background(), f.Line) == nil })
	if len(s.all) > 0 {
		for _, l := range s.leaving {
			l.Close()
		}
		s.leaving = nil
	}
}

func (s *Set) tryAgain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.retry == nil {
		return
	}
	s.retry = nil
	s.tryFailures()
	s.startAccepting()
	if len(s.failures) > 0 {
		s.retry = time.AfterFunc(s.every(), s.tryAgain)
	}
}

func (s *Set) stopTrying() {
	if s.retry != nil {
		s.retry.Stop()
		s.retry = nil
	}
}

func (s *Set) every() time.Duration {
	if s.Every == 0 {
		return 10 * time.Second
	}
	return s.Every
}

// Serve begins to accept on what was opened so far, and on all that Settle and later
// tries bring.
func (s *Set) Serve() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serving = true
	s.startAccepting()
}

func (s *Set) startAccepting() {
	if !s.serving {
		return
	}
	for _, l := range slices.Concat(s.all, s.leaving) {
		if !l.started.Swap(true) {
			go s.Accept(l)
		}
	}
}

// Failures are the ports that cannot be had at present.
func (s *Set) Failures() []Failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.failures)
}

// Listeners are the sockets in use.
func (s *Set) Listeners() []*Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.all, s.leaving)
}

// Close closes all of them and opens none any more.
func (s *Set) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.stopTrying()
	for _, l := range slices.Concat(s.all, s.leaving) {
		l.Close()
	}
	s.all, s.leaving = nil, nil
}
