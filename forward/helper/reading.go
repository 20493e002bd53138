package helper

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"

	"go.uber.org/zap"
)

// reads is who waits for what a child says. A goroutine of the child's own does at the
// beginning, while nobody asks, and where answers have channel numbers. Otherwise who
// asks takes the answer himself: that saves waking a second goroutine for each.
type reads uint8

const (
	byReader reads = iota
	byNobody       // it was asked just now, and will be again
	byAsker
)

// sweepAfter is how long a child may have nobody who reads, and how long who asks reads
// himself: while he does, he does not notice that his client has gone.
const sweepAfter = 50 * time.Millisecond

// read takes answers until the child ends, but for those that are taken by who asked.
func (c *child) read() {
	defer c.pool.running.Done()
	for c.readLines(c.out.Read) == errOver {
		<-c.wake
		if c.fault != "" {
			break
		}
		c.expectEnd()
	}
	if c.fault != "" {
		c.pool.o.Log.Error("ERROR: {helper} #{number} (process {process}) {fault}: it is ended",
			c.named(), c.numbered(), zap.Int("process", c.proc.Pid()), zap.String("fault", c.fault))
		c.proc.Kill()
	}
	c.pool.lost(c)
	c.out.Close()
}

// expectEnd sets until when the reader reads: for as long as the process lives, and a
// while behind that.
func (c *child) expectEnd() {
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	until := time.Time{}
	if c.exited {
		until = time.Now().Add(lastLines)
	}
	c.out.SetReadDeadline(until)
}

// errOver: the child has answered, and it is not the caller's turn to read any more.
var errOver = errors.New("answered")

// readLines takes what the child says, as read gives it. It returns at the end of the
// output, with errOver, or with what is wrong in c.fault.
func (c *child) readLines(read func([]byte) (int, error)) error {
	for {
		if len(c.buf) == cap(c.buf) {
			if cap(c.buf) >= MaxAnswer {
				c.fault = fmt.Sprintf("answers with more than %d bytes", MaxAnswer)
				return nil
			}
			c.buf = append(make([]byte, 0, 2*cap(c.buf)), c.buf...)
		}
		n, err := read(c.buf[len(c.buf):cap(c.buf)])
		c.buf = c.buf[:len(c.buf)+n]
		for rest := c.buf; ; {
			end := bytes.IndexByte(rest, '\n')
			if end < 0 {
				c.buf = c.buf[:copy(c.buf, rest)]
				break
			}
			line := bytes.TrimSuffix(rest[:end], []byte{'\r'})
			if rest = rest[end+1:]; len(rest) == 0 {
				c.buf = c.buf[:0] // somebody else's as soon as this line is taken
			}
			fault, over := c.said(line, len(rest) > 0)
			if over {
				return errOver
			}
			if fault != "" {
				c.fault = fault
				return nil
			}
		}
		if err != nil {
			return err
		}
	}
}

// letGo is for who has read an answer. It reports whether the next one is for somebody
// else to read. The caller holds pool.mu.
func (c *child) letGo() (over bool) {
	was := c.reads
	if c.pool.o.Concurrency == 0 && !c.resting && !c.pool.closed {
		c.reads = byNobody
		c.pool.sweepSoon()
		return true
	}
	if was == byAsker {
		c.reads = byNobody
		c.watch()
		return true
	}
	return false
}

// watch has the reader read where nobody does. The caller holds pool.mu.
func (c *child) watch() {
	if c.reads == byNobody {
		c.reads = byReader
		c.wake <- struct{}{}
	}
}

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

// turn is what an asker does when he gets the process.
type turn struct {
	question []byte // nil once it was asked
	into     []byte
	n        int
	err      error
	look     func(fd uintptr) bool // RawConn.Read's
}

var (
	errSpoke = errors.New("the helper speaks unasked")
	errGone  = errors.New("the helper is gone")
)

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
	n, err := readNow(fd, t.into)
	switch {
	case t.question == nil:
		t.n, t.err = n, err
		return err != errAgain
	case err == errAgain:
		c.ask(0, t.question)
		t.question = nil
		return false
	case err == nil:
		t.err = errSpoke
	default:
		t.err = errGone
	}
	return true
}

// sweepSoon looks after children without a reader in a moment. The caller holds p.mu.
func (p *Pool) sweepSoon() {
	switch {
	case p.sweeping:
	case p.sweeper == nil:
		p.sweeper = time.AfterFunc(sweepAfter, p.sweep)
	default:
		p.sweeper.Reset(sweepAfter)
	}
	p.sweeping = true
}

// sweep has the reader read of children that were not asked anything for a while, and of
// those whose answer takes a while.
func (p *Pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweeping = false
	for _, c := range p.children {
		switch {
		case c.reads == byReader:
		case c.swept != c.asked:
			c.swept = c.asked
			p.sweepSoon()
		case c.reads == byNobody:
			c.watch()
		default:
			c.out.SetReadDeadline(time.Unix(1, 0)) // he hands over
		}
	}
}

// newChild makes one of a process that was started, with its pipes.
func newChild(p *Pool, proc Process, in, out *os.File) (*child, error) {
	raw, err := out.SyscallConn()
	if err != nil {
		return nil, err
	}
	rawIn, err := in.SyscallConn()
	if err != nil {
		return nil, err
	}
	p.number++
	c := &child{
		pool: p, number: p.number, proc: proc, in: in, out: out, raw: raw, rawIn: rawIn, began: time.Now(),
		slots: make([]*ticket, max(1, p.o.Concurrency)), buf: make([]byte, 0, 1024), wake: make(chan struct{}, 1),
	}
	c.turn.look, c.put = c.look, c.putNow
	return c, nil
}
