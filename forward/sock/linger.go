package sock

import (
	"time"
)

// Bounds of what is read away before a connection is closed.
const (
	lingerTime  = 2 * time.Second
	lingerBytes = 256 << 10
	// lingerPause is the silence after which a client that sends a body may be
	// waiting for our end of the connection, lingerSilence the one that ends it.
	lingerPause   = time.Second
	lingerSilence = 30 * time.Second
)

// ReadAway reads what is left of a body nobody wants, at most so many octets, as 2.6
// does: many clients look for the answer only when they have sent all. It reports
// whether all was read. One that falls silent is shown that there is nothing to wait for.
func (c *Conn) ReadAway(left int64, until time.Time) bool {
	buf := make([]byte, 16<<10)
	silence, ended := lingerPause, false
	for left > 0 {
		deadline := time.Now().Add(silence)
		if deadline.After(until) {
			deadline = until
		}
		c.ReadUntil(deadline)
		n, err := c.Read(buf)
		left -= int64(n)
		switch {
		case err == nil || err == ErrInterrupted: // the latter by the end of the upload
		case err == ErrTimeout && !ended && time.Now().Before(until):
			if c.CloseWrite() != nil {
				return false
			}
			ended, silence = true, lingerSilence
		default:
			return false
		}
	}
	return true
}

// Linger ends our side of the connection, and reads a little, so that no reset
// destroys what was sent last.
func (c *Conn) Linger() {
	if c.CloseWrite() != nil {
		return
	}
	c.ReadUntil(time.Now().Add(lingerTime))
	buf := make([]byte, 8<<10)
	for total := 0; total < lingerBytes; {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		total += n
	}
}
