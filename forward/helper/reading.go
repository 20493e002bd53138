package helper

import (
	"bytes"
	"errors"
	"fmt"
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
