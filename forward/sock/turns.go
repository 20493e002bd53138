package sock

import "golang.org/x/sys/unix"

// Turn is one waking of a connection with bytes to read, as Turns gives it.
type Turn struct {
	c     *Conn
	fd    int
	empty bool
}

// Read reads what is there now; EAGAIN when there is nothing, io.EOF at the
// end. A turn must read until a read did not fill its buffer, otherwise it must
// not end in waiting.
func (t *Turn) Read(p []byte) (int, error) {
	n, err := readNow(t.fd, p)
	t.empty = err != nil || n < len(p)
	return n, err
}

// Empty tells whether the last Read has emptied the socket, so that waiting is
// safe.
func (t *Turn) Empty() bool { return t.empty }

// Write writes all of p. It tries the descriptor first and waits, until the
// time set by WriteUntil, only when the socket is full.
func (t *Turn) Write(p []byte) (int, error) {
	n, err := writeNow(t.fd, p)
	if err != unix.EAGAIN {
		return n, err
	}
	m, err := t.c.Write(p[n:])
	return n + m, err
}

// Turns calls turn now and then each time the connection becomes readable,
// until turn returns true. The first call may find nothing to read. Between
// turns it waits until the time set by ReadUntil and returns ErrTimeout when
// that is over. Within a turn the connection must not be read in any other way:
// the reader's lock is held.
//
// Every new call of Turns begins with a call of turn because an edge may have
// come while nobody waited.
func (c *Conn) Turns(turn func(*Turn) (done bool)) error {
	t := Turn{c: c}
	step := func(fd uintptr) bool {
		t.fd = int(fd)
		for {
			t.empty = true
			if turn(&t) {
				return true
			}
			if t.empty {
				return false
			}
		}
	}
	for {
		err := c.raw.Read(step)
		if err == nil {
			return nil
		}
		if again, err := c.overReading(err); !again {
			return err
		}
	}
}
