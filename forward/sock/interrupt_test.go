package sock

import (
	"testing"
	"time"
)

// An interruption ends one read; taken back it ends none, and the time that was set for
// reading counts again.
func TestUninterrupt(t *testing.T) {
	for _, limited := range []bool{false, true} {
		c, far := pair(t)
		if limited {
			c.ReadUntil(time.Now().Add(time.Hour))
		}
		far.Write([]byte("ab"))
		b := make([]byte, 1)
		c.Interrupt()
		if _, err := c.Read(b); err != ErrInterrupted {
			t.Errorf("interrupted: %v", err)
		}
		c.Interrupt()
		c.Uninterrupt()
		if n, err := c.Read(b); n != 1 || err != nil {
			t.Errorf("taken back: %d, %v", n, err)
		}
		c.Uninterrupt() // there is none
		if n, err := c.Read(b); n != 1 || err != nil {
			t.Errorf("and on: %d, %v", n, err)
		}
		c.Interrupt()
		c.Uninterrupt()
		c.ReadUntil(time.Now().Add(time.Millisecond))
		if _, err := c.Read(b); err != ErrTimeout {
			t.Errorf("after the time: %v", err)
		}
		c.Interrupt()
		c.Abort()
		c.Uninterrupt()
		if _, err := c.Read(b); err != ErrAborted {
			t.Errorf("aborted: %v", err)
		}
	}
}
