package helper

import (
	"errors"
	"os"
)

// turn is what an asker does when he gets the process.
type turn struct {
	question []byte // nil once it was asked
	into     []byte
	n        int
	err      error
	look     func(fd uintptr) bool // RawConn.Read's
	prompt   promptness
}

var (
	errSpoke = errors.New("the helper speaks unasked")
	errGone  = errors.New("the helper is gone")
)

// exchange asks a question. The answer comes, or has come already, to the ticket. It
// reports whether the question was asked: not when the child has ended, or has said
// something since its last answer, which would be taken for the next.
func (c *child) exchange(t *ticket, question []byte) (asked bool) {
	if !t.reads {
		c.ask(t.channel, question)
		return true
	}
	c.turn.question = question
	err := c.readLines(c.askAndRead)
	if err == errOver {
		return true
	}
	p := c.pool
	asked = c.turn.question == nil
	c.turn.question = nil
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case asked:
		c.reads = byNobody
	case err == errSpoke:
		c.fault = "says something unasked"
		c.leaving = true
		c.takeBack(t)
	default:
		c.resting = true // until what waits for its end takes it out
		c.takeBack(t)
	}
	c.watch()
	return asked
}

// askAndRead asks the question of this turn, unless that was done, and reads.
func (c *child) askAndRead(into []byte) (int, error) {
	if c.turn.question == nil {
		return c.out.Read(into)
	}
	c.turn.into = into
	err := c.raw.Read(c.turn.look)
	if c.turn.question != nil && errors.Is(err, os.ErrDeadlineExceeded) {
		// Meant for who asked before, to have him hand over. He had done.
		c.raw.Control(func(fd uintptr) { c.look(fd) })
	}
	n := c.turn.n
	if c.turn.err != nil {
		err = c.turn.err
	}
	c.turn.into, c.turn.n, c.turn.err = nil, 0, nil
	return n, err
}

// look reads without waiting. That there is nothing yet shows that the process has not
// spoken since its last answer and still lives: then it is asked. It reports false when
// there is to be another look, once there may be something.
func (c *child) look(fd uintptr) (done bool) {
	t := &c.turn
	if t.question == nil {
		return t.take(fd)
	}
	switch _, err := readNow(fd, t.into); err {
	case errAgain:
		c.ask(0, t.question)
		t.question = nil
		return t.prompt.likely() && t.prompt.was(t.take(fd))
	case nil:
		t.err = errSpoke
	default:
		t.err = errGone
	}
	return true
}

// take reads what there is.
func (t *turn) take(fd uintptr) (there bool) {
	n, err := readNow(fd, t.into)
	if err == errAgain {
		return false
	}
	t.n, t.err = n, err
	return true
}

// promptness tells whether an answer is worth being looked for right behind the question.
// Where the kernel has let the helper run meanwhile, in the place of the asker or beside
// him, it is there, and nobody has to be woken for it.
type promptness struct {
	last  bool // it was there
	asked uint8
}

// lookAgain is how many questions lie between two looks while they are of no use.
const lookAgain = 8

// likely reports whether to look.
func (p *promptness) likely() bool {
	p.asked++
	return p.last || p.asked%lookAgain == 0
}

func (p *promptness) was(there bool) bool {
	p.last = there
	return there
}
