package helper

import (
	"errors"
	"sync"
	"time"
)

// What keeps a question from being answered.
var (
	// ErrBusy: too many questions wait already.
	ErrBusy = errors.New("too many questions wait")
	// ErrDied: the process ended while it had the question.
	ErrDied = errors.New("the helper ended before it answered")
	// ErrDown: no process runs, and none can be started just now.
	ErrDown = errors.New("no helper process can be kept running")
	// ErrClosed: the pool was closed.
	ErrClosed = errors.New("the helpers are being shut down")
	// ErrExpired: the session was held too long between two questions.
	ErrExpired = errors.New("the helper was needed by others")
	// ErrQuestion: the question cannot be a line: it is too long, or has a line end in it.
	ErrQuestion = errors.New("the question does not fit into a line")
)

// ticket is one question on its way: waiting for a process, then for the answer.
type ticket struct {
	turn   chan struct{} // a process was found: child and channel are set
	answer chan result
	// The rest is guarded by Pool.mu.
	child   *child
	channel int
	session *Session  // to be given the process, for as long as it likes
	asked   time.Time // when a process was found
	reads   bool      // who asks reads the answer himself
}

type result struct {
	line string
	err  error
}

var tickets = sync.Pool{New: func() any {
	return &ticket{turn: make(chan struct{}, 1), answer: make(chan result, 1)}
}}

func newTicket() *ticket { return tickets.Get().(*ticket) }

// done gives the ticket back, once its answer was received: nothing refers to it then.
func (t *ticket) done() {
	t.child, t.session, t.reads = nil, nil, false
	tickets.Put(t)
}
