package delay

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/acl"
)

// ErrStopped ends the wait of a transfer that is given up.
var ErrStopped = errors.New("the transfer was given up while it waited for its bandwidth")

// Share is one transfer's part in its pool. One goroutine uses it, but for Stop.
type Share struct {
	transfer Transfer
	ctx      context.Context
	until    time.Time // the end of the transfer in any case, zero for none
	choice
	at place

	owed    int64 // beside what is paid for next
	paid    int64 // last
	due     time.Time
	ever    bool // it is due some day
	waiting bool
	timer   *time.Timer

	once    sync.Once
	stopped chan struct{}
}

// Begin begins a transfer's part, nil when nothing limits it. The part ends with End.
// Waiting ends with ctx, and at a time until, zero for none.
func Begin(ctx context.Context, until time.Time, of Transfer) *Share {
	c := of.Present().choose(ctx, &of)
	if c.pool == nil {
		return nil
	}
	s := &Share{transfer: of, ctx: ctx, until: until, stopped: make(chan struct{})}
	s.use(c)
	return s
}

// Tell makes other facts those of the transfer.
func (s *Share) Tell(facts *acl.Facts) { s.transfer.Facts = facts }

// use enters the pool chosen, after leaving the one before it.
func (s *Share) use(c choice) {
	s.leave()
	s.choice, s.at = c, placeOf(c.client)
	if c.pool != nil {
		c.pool.mu.Lock()
		c.pool.transfers++
		c.pool.mu.Unlock()
	}
}

func (s *Share) leave() {
	if p := s.pool; p != nil {
		p.mu.Lock()
		s.rest()
		p.transfers--
		p.mu.Unlock()
		s.pool = nil
	}
}

// rest says that the transfer waits no more. The pool is locked.
func (s *Share) rest() {
	if !s.waiting {
		return
	}
	p := s.pool
	s.waiting = false
	p.waits--
	if p.waiting[s.client]--; p.waiting[s.client] == 0 {
		delete(p.waiting, s.client)
	}
}

// End ends the part; nil is none.
func (s *Share) End() {
	if s != nil {
		s.leave()
	}
}

// Stop ends a wait, the next one too. Anybody may call it.
func (s *Share) Stop() { s.once.Do(func() { close(s.stopped) }) }

// renew chooses anew when the pools were retired.
func (s *Share) renew() {
	for s.of.retired.Load() {
		s.use(s.transfer.Present().choose(s.ctx, &s.transfer))
	}
}

// Ask is how many octets may be read now, most at most. When it is 0, Wait comes first.
func (s *Share) Ask(most int) int {
	s.renew()
	p := s.pool
	if p == nil {
		return most
	}
	p.mu.Lock()
	n := p.ask(s.client, s.at, int64(most), s.of.now())
	p.mu.Unlock()
	if n == 0 {
		s.paid, s.ever = 0, false
	}
	return int(n)
}

// Owe counts n octets with what is paid for next.
func (s *Share) Owe(n int) { s.owed += int64(n) }

// Pay counts n octets that were read and reports whether they may go on now. If not,
// Wait comes first.
func (s *Share) Pay(n int) (now bool) {
	s.renew()
	n += int(s.owed)
	s.owed = 0
	return s.pay(int64(n))
}

func (s *Share) pay(n int64) (now bool) {
	s.paid, s.due, s.ever = n, time.Time{}, true
	p := s.pool
	if p == nil {
		return true
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := p.pay(s.at, n, s.of.now())
	if wait == 0 {
		return true
	}
	if s.ever = wait > 0; s.ever {
		s.due = time.Now().Add(wait)
	}
	s.waiting = true
	p.waits++
	if p.waiting == nil {
		p.waiting = map[netip.Addr]int{}
	}
	p.waiting[s.client]++
	return false
}

// Wait waits until what was paid for may go on, or there is something to ask for
// again. The error says that the transfer is over.
func (s *Share) Wait() error {
	for {
		err, again := s.wait()
		if s.pool != nil {
			s.pool.mu.Lock()
			s.rest()
			s.pool.mu.Unlock()
		}
		if err != nil || !again {
			return err
		}
		// The configuration has changed: what was read is paid for there.
		s.renew()
		if s.paid == 0 || s.pay(s.paid) {
			return nil
		}
	}
}

// wait waits once; again says that the pools were retired.
func (s *Share) wait() (err error, again bool) {
	end := s.due
	over := !s.ever || !s.until.IsZero() && s.until.Before(end)
	if over {
		end = s.until
	}
	var ring <-chan time.Time
	if !end.IsZero() {
		if s.timer == nil {
			s.timer = time.NewTimer(time.Until(end))
		} else {
			s.timer.Reset(time.Until(end))
		}
		defer s.timer.Stop()
		ring = s.timer.C
	}
	select {
	case <-ring:
		if over {
			return context.DeadlineExceeded, false
		}
		return nil, false
	case <-s.ctx.Done():
		return s.ctx.Err(), false
	case <-s.stopped:
		return ErrStopped, false
	case <-s.of.over:
		return nil, true
	}
}
