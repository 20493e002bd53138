package sock

import (
	"bytes"
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// Pair is two connections that one goroutine reads as long as what comes on them is
// little, both of them Descriptors.
type Pair struct{ a, b *Conn }

// NewPair makes one until Part. It returns false when the two cannot be one.
func NewPair(a, b *Conn) (p Pair, ok bool) {
	if a == nil || b == nil || a.own == nil || b.own == nil {
		return p, false
	}
	p = Pair{a, b}
	if a.own.readBy(a.own.in.wake) != nil {
		return p, false
	}
	if b.own.readBy(a.own.in.wake) != nil {
		p.Part()
		return p, false
	}
	return p, true
}

// Part gives each connection back to a reader of its own.
func (p Pair) Part() {
	wake := make(chan struct{}, 1)
	tell(wake) // it may have been the other's news
	p.b.own.readBy(wake)
}

// readBy has the news of what can be read come by a channel.
func (d *Descriptor) readBy(wake chan struct{}) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.in.wake = wake
	if err := d.trouble(&d.in); err != nil || d.events&unix.EPOLLIN != 0 {
		return err
	}
	return d.register(unix.EPOLLIN)
}

// Wait waits until one of the connections has news, at most until a time. The error is
// what a read of it would meet.
func (p Pair) Wait(until time.Time) error {
	p.a.ReadUntil(until)
	d := p.a.own
	d.mu.Lock()
	if d.in.until != 0 && !d.in.expired.Load() {
		d.in.waited = true
		d.arm(d.in.until)
	}
	d.mu.Unlock()
	<-d.in.wake
	for _, c := range [...]*Conn{p.a, p.b} {
		if err := c.own.trouble(&c.own.in); err != nil {
			if again, over := c.overReading(err); !again {
				return over
			}
		}
	}
	return nil
}

// Step is what is left after a Transfer's Step.
type Step uint8

const (
	// Quiet: nothing, until there is news.
	Quiet Step = iota
	// Ended: nothing any more.
	Ended
	// Busy: something that Run is for.
	Busy
)

// Step moves what has come, by copies, and waits for nothing. From and To are of a Pair.
func (t *Transfer) Step() Step {
	t.from, t.to = t.From.Bare(), t.To.Bare()
	from, to := t.from.own, t.to.own
	if !from.news.Swap(false) && !from.left {
		return Quiet
	}
	if !from.hold() {
		t.ReadErr = net.ErrClosed
		return Ended
	}
	defer from.release()
	if !to.hold() {
		t.WriteErr = net.ErrClosed
		return Ended
	}
	defer to.release()
	buf := copyBuffers.Get().(*[]byte)
	defer copyBuffers.Put(buf)
	return t.stepBy(*buf)
}

func (t *Transfer) stepBy(buf []byte) Step {
	from, to := t.from.own, t.to.own
	for {
		n, err := readNow(from.fd, buf)
		switch {
		case err == errAgain:
			from.left = false
			return Quiet
		case err == io.EOF:
			t.ended()
			return Ended
		case err != nil:
			t.ReadErr = err
			return Ended
		}
		m, err := writeNow(to.fd, buf[:n])
		t.stepped += int64(m)
		if t.Moved != nil {
			t.Moved(m)
		}
		switch {
		case err == errAgain:
			t.rest = bytes.Clone(buf[m:n])
			return Busy
		case err != nil:
			t.WriteErr = err
			return Ended
		case t.stepped > t.Small:
			return Busy
		case from.drained(n == len(buf)):
			return Quiet
		}
	}
}

// writeRest begins a Run with what a Step could not write.
func (t *Transfer) writeRest(total *int64) bool {
	n, err := t.To.Write(t.rest)
	t.rest = nil
	t.moved(n, total)
	t.WriteErr = err
	return err == nil
}
