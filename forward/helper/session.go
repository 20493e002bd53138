package helper

import (
	"context"
	"time"
)

// Session is a process that one client has for several questions, as NTLM needs.
type Session struct {
	pool  *Pool
	child *child
	over  bool // guarded by pool.mu
	hold  *time.Timer
}

// Reserve takes a process that has nothing to do, or waits for one. It is for pools
// without concurrency. A session that rests longer than Options.Hold is over.
func (p *Pool) Reserve(ctx context.Context) (*Session, error) {
	s := &Session{pool: p}
	t := newTicket()
	t.session = s
	if err := p.take(ctx, t); err != nil {
		return nil, err
	}
	s.child = t.child
	p.mu.Lock() // Release, which may come at once, looks at it
	s.hold = time.AfterFunc(p.o.Hold, s.Release)
	p.mu.Unlock()
	return s, nil
}

// Ask asks the session's process.
func (s *Session) Ask(ctx context.Context, question []byte) (string, error) {
	if err := checkQuestion(question); err != nil {
		return "", err
	}
	p, c, t := s.pool, s.child, newTicket()
	p.mu.Lock()
	if s.over || c.session != s || c.pending > 0 {
		p.mu.Unlock()
		return "", ErrExpired
	}
	s.hold.Stop()
	t.child = c
	c.fill(0, t)
	p.mu.Unlock()
	line, err := "", ErrDied
	if c.exchange(t, question) {
		line, err = p.await(ctx, t)
	}
	if err != nil {
		s.Release()
		return "", err
	}
	p.mu.Lock()
	if !s.over {
		s.hold.Reset(p.o.Hold)
	}
	p.mu.Unlock()
	return line, nil
}

// Release gives the process back. A second call does nothing.
func (s *Session) Release() {
	p, c := s.pool, s.child
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.over {
		return
	}
	s.over = true
	if s.hold != nil {
		s.hold.Stop()
	}
	if c != nil && c.session == s {
		c.session = nil
		p.assignQueued()
		p.retireIdle()
	}
}
