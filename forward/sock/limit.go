package sock

import "time"

// limit is one direction's deadline. want is the time that counts, armed the
// time the runtime's timer stands at, never later than want. Renewing a
// deadline only moves want; the timer is moved when it fires too early.
type limit struct {
	want, armed time.Time
}

// ReadUntil sets the time after which reads return ErrTimeout; the zero time
// means never. Only the reading goroutine may call it.
func (c *Conn) ReadUntil(t time.Time) {
	if c.read.mustArm(t) && c.tcp.SetReadDeadline(t) == nil && c.aborted.Load() {
		c.Abort()
	}
}

// WriteUntil is ReadUntil for writes.
func (c *Conn) WriteUntil(t time.Time) {
	if c.write.mustArm(t) && c.tcp.SetWriteDeadline(t) == nil && c.aborted.Load() {
		c.Abort()
	}
}

// mustArm notes the time that counts and tells whether the timer stands too late.
func (l *limit) mustArm(t time.Time) bool {
	l.want = t
	if t.IsZero() || (!l.armed.IsZero() && !t.Before(l.armed)) {
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
	l.armed = time.Time{}
	if !l.want.IsZero() && !time.Now().Before(l.want) {
		// The timer has fired for good: the next deadline must arm it again.
		return false, ErrTimeout
	}
	l.armed = l.want
	if err := set(l.want); err != nil {
		return false, plain(err)
	}
	// Abort may have come between the check above and the new deadline.
	if c.aborted.Load() {
		return false, ErrAborted
	}
	return true, nil
}
