package routersim

import (
	"slices"
	"time"
)

// mostWaiting bounds the outbox; what does not fit is lost, as in any router.
const mostWaiting = 4096

// outbox keeps datagrams until they are due.
type outbox struct {
	waiting []delayed // by time, then by order of adding
	held    []delayed // until the next one is added, or their time
}

type delayed struct {
	Datagram
	due time.Time
}

func (o *outbox) add(d Datagram, due time.Time) {
	o.insert(delayed{d, due})
	for _, h := range o.held {
		o.insert(delayed{h.Datagram, due})
	}
	o.held = nil
}

// hold lets the next datagram overtake this one.
func (o *outbox) hold(d Datagram, atLatest time.Time) {
	if len(o.held) < mostWaiting {
		o.held = append(o.held, delayed{d, atLatest})
	}
}

func (o *outbox) insert(d delayed) {
	if len(o.waiting) >= mostWaiting {
		return
	}
	after := func(a, b delayed) int {
		if a.due.After(b.due) {
			return 1
		}
		return -1
	}
	at, _ := slices.BinarySearchFunc(o.waiting, d, after)
	o.waiting = slices.Insert(o.waiting, at, d)
}

// take removes and returns what is due.
func (o *outbox) take(now time.Time) []Datagram {
	for len(o.held) > 0 && !o.held[0].due.After(now) {
		o.insert(o.held[0])
		o.held = o.held[1:]
	}
	var due []Datagram
	for len(o.waiting) > 0 && !o.waiting[0].due.After(now) {
		due = append(due, o.waiting[0].Datagram)
		o.waiting = o.waiting[1:]
	}
	return due
}

func (o *outbox) next() time.Time {
	var next time.Time
	if len(o.waiting) > 0 {
		next = o.waiting[0].due
	}
	for _, h := range o.held {
		next = earlier(next, h.due)
	}
	return next
}
