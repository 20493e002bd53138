package sock

import "time"

// limit is one direction's deadline, in nanoseconds of the clock in instant; 0
// means none. want is the time that counts, armed the time the runtime's timer
// stands at, never later than want. Renewing a deadline only moves want; the
// timer is moved when it fires too early.
type limit struct {
	want, armed int64
}

// instant is t on a clock that only goes forward, never 0 for a real time.
func instant(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return max(int64(t.Sub(started)), 1)
}

// started is an hour before the process began, so that earlier times can be
// told apart from none.
var started = time.Now().Add(-time.Hour)

// ReadUntil sets the time after which reads return ErrTimeout; the zero time
// means never. Only the reading goroutine may call it.
func (c *Conn) ReadUntil(t time.Time) {
	if c.read.mustArm(instant(t)) && c.s.SetReadDeadline(t) == nil {
		// Abort or Wake may have come first, and their deadline is gone.
		if c.aborted.Load() {
			c.Abort()
		} else if c.woken.Load() {
			c.Wake()
		} else if c.interrupted.Load() {
			c.Interrupt()
		}
	}
}

// WriteUntil is ReadUntil for writes.
func (c *Conn) WriteUntil(t time.Time) {
	if c.write.mustArm(instant(t)) && c.s.SetWriteDeadline(t) == nil && c.aborted.Load() {
		c.Abort()
	}
}

// mustArm notes the time that counts and reports whether the timer stands too late.
func (l *limit) mustArm(t int64) bool {
	l.want = t
	if t == 0 || (l.armed != 0 && t >= l.armed) {
		return false
	}
	l.armed = t
	return true
}

// over is called when the timer fired. It returns ErrTimeout or ErrAborted, or
// arms the timer anew and says that the operation should be tried again.
func (l *limit) over(c *Conn, set func(time.Time) error) (again bool, _ error) {
	if c.aborted.Load() {
		return false, ErrAborted
	}
	l.armed = 0
	if l == &c.read && c.interrupted.Swap(false) {
		if l.want == 0 {
			set(time.Time{})
		}
		return false, ErrInterrupted
	}
	woken := l == &c.read && c.woken.Swap(false)
	if !woken && l.want != 0 && instant(time.Now()) >= l.want {
		// The timer has fired for good: the next deadline must arm it again.
		return false, ErrTimeout
	}
	l.armed = l.want
	at := time.Time{}
	if l.want != 0 {
		at = started.Add(time.Duration(l.want))
	}
	if err := set(at); err != nil {
		return false, plain(err)
	}
	// Abort may have come between the check above and the new deadline.
	if c.aborted.Load() {
		return false, ErrAborted
	}
	return true, nil
}
