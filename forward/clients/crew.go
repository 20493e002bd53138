package clients

import (
	"runtime"
	"sync/atomic"
)

// Crew is goroutines that serve connections. One that has finished waits for the next
// connection: the goroutine need not be made, nor its stack grow again, which together
// costs 5 us. The collector takes the stacks of those that wait back to 2 KB. C's
// zero value stands for no connection.
type Crew[C comparable] struct {
	serve func(C)

	hand   chan C
	idle   atomic.Int32
	closed atomic.Bool
}

// mostIdle is how many of a crew may wait.
const mostIdle = 64

// NewCrew makes one that has nobody yet.
func NewCrew[C comparable](serve func(C)) *Crew[C] {
	return &Crew[C]{serve: serve, hand: make(chan C)}
}

// Take has a connection served.
func (w *Crew[C]) Take(c C) {
	select {
	case w.hand <- c:
	default: // nobody waits
		go w.work(c)
	}
}

// work serves connections as long as the next one comes soon enough.
func (w *Crew[C]) work(c C) {
	var none C
	for c != none {
		w.serve(c)
		c = w.next()
	}
}

// next waits for a connection; there is none when enough others wait already, or the
// crew is closed.
func (w *Crew[C]) next() (c C) {
	defer w.idle.Add(-1)
	if w.idle.Add(1) > mostIdle || w.closed.Load() {
		return c
	}
	return <-w.hand
}

// Close ends those that wait. Nothing may be taken any more.
func (w *Crew[C]) Close() {
	w.closed.Store(true)
	var none C
	for w.idle.Load() > 0 {
		select {
		case w.hand <- none:
		default: // it goes by itself, or does not wait yet
			runtime.Gosched()
		}
	}
}
