package sock

// Turn is one waking of a connection with bytes to read, as Turns gives it. The
// taker keeps one for as long as the connection lives.
type Turn struct {
	c     *Conn
	step  func(uintptr) bool // made once
	taker Taker
	fd    int
	empty bool
	again bool // the last Read found nothing
}

// Taker takes the turns of a connection.
type Taker interface {
	// TakeTurn reads and acts; it returns true to end Turns.
	TakeTurn(*Turn) (done bool)
}

// Read reads what is there now; EAGAIN when there is nothing, io.EOF at the
// end.
func (t *Turn) Read(p []byte) (int, error) {
	n, err := readNow(t.fd, p)
	t.again = err != nil // nothing to read, or the end: another read tells nothing new
	t.empty = err != nil || n < len(p)
	if d := t.c.own; d != nil {
		d.drained(!t.empty)
	}
	return n, err
}

// Empty reports whether waiting is safe: the last Read has emptied the socket. A
// short read alone does not mean that, for the peer's FIN may have come with
// the bytes, in one edge, and no other edge will tell of it. The Watcher does:
// either it has told already, or it is going to, and its HangUp calls Wake.
func (t *Turn) Empty() bool {
	if d := t.c.own; d != nil {
		return t.empty && !d.left
	}
	return t.empty && t.c.watch.Load() != nil && !t.c.PeerClosed()
}

// Write writes all of p. It tries the descriptor first and waits, until the
// time set by WriteUntil, only when the socket is full.
func (t *Turn) Write(p []byte) (int, error) {
	n, err := writeNow(t.fd, p)
	if err != errAgain {
		return n, err
	}
	m, err := t.c.Write(p[n:])
	return n + m, err
}

// Turns lets taker take a turn now and then each time the connection becomes
// readable, until TakeTurn returns true. The first may find nothing to read. A
// turn that left bytes unread is followed by another at once. Between turns it
// waits until the time set by ReadUntil and returns ErrTimeout when that is
// over. Within a turn the connection must not be read in any other way: the
// reader's lock is held.
//
// Every new call of Turns begins with a turn because an edge may have come
// while nobody waited.
func (c *Conn) Turns(t *Turn, taker Taker) error {
	t.c, t.taker = c, taker
	if t.step == nil {
		t.step = t.take
	}
	for {
		err := c.raw.Read(t.step)
		if err == nil {
			return nil
		}
		if again, err := c.overReading(err); !again {
			return err
		}
	}
}

// take runs inside RawConn.Read: false waits without resetting the edge.
func (t *Turn) take(fd uintptr) bool {
	t.fd = int(fd)
	for {
		t.again = true
		if t.taker.TakeTurn(t) {
			return true
		}
		if t.again || t.Empty() {
			return false
		}
	}
}
