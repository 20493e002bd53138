package sock

// writing is the state of one Write between its steps.
type writing struct {
	step func(uintptr) bool // made once per connection, so that a call allocates nothing
	rest []byte
	err  error
}

// Write writes all of p, waiting until the time set by WriteUntil.
func (c *Conn) Write(p []byte) (int, error) {
	done := 0
	if d := c.own; d != nil {
		var err error
		if done, err = d.writeFirst(p); err != errAgain {
			return done, err
		}
		p = p[done:] // the state of what has to wait is made for that alone
	}
	n, err := c.writeAll(p)
	return done + n, err
}

func (c *Conn) writeAll(p []byte) (int, error) {
	w := c.w
	if w == nil {
		w = &writing{}
		w.step = w.write
		c.w = w
	}
	w.rest, w.err = p, nil
	for {
		err := c.raw.Write(w.step)
		again := false
		if err == nil {
			err = w.err
		} else {
			again, err = c.overWriting(err)
		}
		if !again {
			done := len(p) - len(w.rest)
			w.rest = nil
			return done, err
		}
	}
}

// write runs inside RawConn.Write: false means wait for room.
func (w *writing) write(fd uintptr) bool {
	n, err := writeNow(int(fd), w.rest)
	w.rest, w.err = w.rest[n:], err
	return err != errAgain
}
