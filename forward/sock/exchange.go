package sock

import "golang.org/x/sys/unix"

// exchange is the state of one Exchange between its steps.
type exchange struct {
	step    func(uintptr) bool // made once per connection, so that a call allocates nothing
	out, in []byte
	written int
	n       int
	err     error
	waiting bool // the request is out
}

// Exchange writes all of out and then waits for the first bytes of an answer,
// which it reads into in. It must only be called when nothing is left unread on
// the connection (see Clean): the readiness mark is reset before the write.
// written is what went out even when there is an error; n is 0 only with an
// error, io.EOF when the peer closed.
func (c *Conn) Exchange(out, in []byte) (written, n int, err error) {
	x := c.exchange()
	x.out, x.in, x.written, x.n, x.err, x.waiting = out, in, 0, 0, nil, false
	for {
		err = c.raw.Read(x.step)
		if err == nil {
			err = x.err
			break
		}
		again, over := c.overReading(err)
		if !again {
			err = over
			break
		}
	}
	written, n = x.written, x.n
	x.out, x.in = nil, nil
	return written, n, err
}

// exchange gives the state, with its function made once.
func (c *Conn) exchange() *exchange {
	if c.x == nil {
		c.x = &exchange{step: c.exchangeStep}
	}
	return c.x
}

// exchangeStep runs inside RawConn.Read: false means wait for the next edge.
func (c *Conn) exchangeStep(fd uintptr) bool {
	x := c.x
	if !x.waiting {
		x.waiting = true
		x.written, x.err = writeNow(int(fd), x.out)
		if x.err == unix.EAGAIN {
			var n int
			n, x.err = c.Write(x.out[x.written:])
			x.written += n
		}
		return x.err != nil
	}
	x.n, x.err = readNow(int(fd), x.in)
	return x.err != unix.EAGAIN
}

// Clean reports whether the connection is open with nothing to read: what an idle
// connection must be before it is used again. Its caller is the only one who
// may close it meanwhile.
func (c *Conn) Clean() bool { return !c.closed.Load() && emptyNow(c.fd) }
