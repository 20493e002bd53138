package helper

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// child is one process of a pool.
type child struct {
	pool    *Pool
	number  int
	proc    Process
	in, out *os.File // its standard input and output
	began   time.Time
	asks    outbox
	raw     syscall.RawConn // of out
	buf     []byte          // read and not yet a line; buf and fault belong to who reads
	fault   string          // why it has to end
	turn    turn            // of who asks and reads himself
	wake    chan struct{}   // tells the reader that it is its turn again

	// The rest is guarded by pool.mu.
	slots    []*ticket // by channel
	pending  int
	session  *Session // that has it for itself
	reads    reads    // who waits for what it says
	swept    uint64   // asked, when it was last looked at who reads
	exited   bool
	leaving  bool // gets no more questions
	resting  bool // gets none for a moment
	end      *time.Timer
	asked    uint64
	answered uint64
	took     time.Duration // sum over all answers
}

// newChild makes one of a process that was started, with its pipes.
func newChild(p *Pool, proc Process, in, out *os.File) (*child, error) {
	raw, err := out.SyscallConn()
	if err != nil {
		return nil, err
	}
	p.number++
	c := &child{
		pool: p, number: p.number, proc: proc, in: in, out: out, raw: raw, began: time.Now(),
		slots: make([]*ticket, max(1, p.o.Concurrency)), buf: make([]byte, 0, 1024), wake: make(chan struct{}, 1),
	}
	c.turn.look = c.look
	return c, c.asks.init(in)
}

// free reports whether the child can be given the ticket.
func (c *child) free(t *ticket) bool {
	return !c.leaving && !c.resting && c.session == nil && c.pending < len(c.slots) && (t.session == nil || c.pending == 0)
}

// give puts the ticket into the first free channel, or gives the whole child to
// its session.
func (c *child) give(t *ticket) {
	t.child = c
	if t.session != nil {
		c.session = t.session
		return
	}
	for i := range c.slots {
		if c.slots[i] == nil {
			c.fill(i, t)
			return
		}
	}
}

func (c *child) fill(channel int, t *ticket) {
	c.slots[channel], t.channel, t.asked = t, channel, time.Now()
	c.pending++
	c.asked++
	c.pool.counts.asked++
	if t.reads = c.reads == byNobody; t.reads {
		c.reads = byAsker
	}
}

// takeBack frees what was given to a ticket that was never asked.
func (c *child) takeBack(t *ticket) {
	if t.session != nil {
		if c.session == t.session {
			c.session = nil
		}
	} else if c.slots[t.channel] == t {
		c.slots[t.channel] = nil
		c.pending--
		c.asked--
		c.pool.counts.asked--
		if t.reads {
			c.reads = byNobody
		}
	}
	c.pool.assignQueued()
	c.pool.retireIdle()
}

// said takes one line; more says that there is something behind it already. The caller
// reads no more when over is true.
func (c *child) said(line []byte, more bool) (fault string, over bool) {
	p := c.pool
	if p.say.On(5) {
		p.say.Say(5, "{helper} #{number} answers {answer}", c.named(), c.numbered(), zap.String("answer", p.shown(line)))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.asked == 0 {
		c.greeted(line)
		return "", false
	}
	channel, answer := 0, line
	if p.o.Concurrency > 0 {
		number, rest, _ := bytes.Cut(line, []byte{' '})
		n, err := strconv.Atoi(string(number))
		switch {
		case err != nil:
			return "answers " + p.shown(line) + ", which has no channel number in front", false
		case n < 0 || n >= len(c.slots):
			if p.strays.passes(p.o.Name, p.o.Log) {
				p.o.Log.Warn("WARNING: {helper} #{number} says {line} on a channel that is not there", c.named(), c.numbered(), zap.String("line", p.shown(line)))
			}
			return "", false // nobody's answer, now or later
		}
		channel, answer, more = n, rest, false
	}
	t := c.slots[channel]
	if t == nil {
		p.greets = p.greets || c.resting
		return "says " + p.shown(line) + " unasked", false
	}
	c.slots[channel] = nil
	c.pending--
	c.answered++
	c.took += time.Since(t.asked)
	p.counts.answered++
	p.pause = 0
	t.answer <- result{line: string(answer)}
	if more {
		c.leaving = true
		return "says more than it was asked", false
	}
	if c.answered == 1 && p.o.Concurrency == 0 {
		c.rest(probation)
	}
	over = c.letGo()
	p.assignQueued()
	p.retireIdle()
	return "", over
}

// A process without channel numbers that says something when it starts would be one
// answer behind for ever after if its first question came before that. So its first
// answer is followed by a moment without questions, probation, in which it is found out;
// and the processes of a program known to greet are asked nothing until they have,
// for at most greeting.
const (
	probation = 20 * time.Millisecond
	greeting  = time.Second
)

// rest keeps questions away for a while. The caller holds pool.mu.
func (c *child) rest(span time.Duration) {
	c.resting = true
	time.AfterFunc(span, func() {
		c.pool.mu.Lock()
		defer c.pool.mu.Unlock()
		c.rested()
	})
}

func (c *child) rested() {
	if c.resting {
		c.resting = false
		c.pool.assignQueued()
		c.pool.retireIdle()
	}
}

func (c *child) greeted(line []byte) {
	p := c.pool
	if !p.greets {
		p.o.Log.Warn("WARNING: {helper} #{number} said {line} before it was asked anything", c.named(), c.numbered(), zap.String("line", p.shown(line)))
	}
	p.greets = true
	c.rested()
}

// shown is an answer as logs may show it.
func (p *Pool) shown(line []byte) string {
	if p.o.Secret {
		return fmt.Sprintf("something of %d bytes", len(line))
	}
	return strconv.Quote(string(line[:min(len(line), 100)]))
}

// named and numbered say which process a line is about.
func (c *child) named() zap.Field    { return zap.String("helper", c.pool.o.Name) }
func (c *child) numbered() zap.Field { return zap.Int("number", c.number) }
