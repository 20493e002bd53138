package helper

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
)

// A process that ends without having answered anything, or cannot be started, is
// tried again after a pause that doubles from firstPause to lastPause.
const (
	firstPause = time.Second
	lastPause  = 30 * time.Second
	// soundAge is how long a process must have lived to be started again at once.
	soundAge = 10 * time.Second
	// lastLines is how long output is waited for after a process has ended: what it
	// started itself may hold the pipe.
	lastLines = time.Second
	// farewell is how long a process may take to end after its input was closed.
	farewell = 10 * time.Second
)

// startMissing starts processes until all run. The caller holds p.mu.
func (p *Pool) startMissing() {
	p.restart = nil
	for !p.closed && len(p.children) < p.o.Children {
		if err := p.startOne(); err != nil {
			p.o.Log.Error("ERROR: {helper}: cannot start {program}: {error}", zap.String("helper", p.o.Name), zap.String("program", p.o.Program[0]), report.Error(err))
			p.startLater(p.longerPause())
			break
		}
	}
	p.assignQueued()
}

// startOne starts a process. The caller holds p.mu.
func (p *Pool) startOne() error {
	theirIn, in, err := os.Pipe()
	if err != nil {
		return err
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		in.Close()
		theirIn.Close()
		return err
	}
	proc, err := p.o.Spawner.Start(Command{Args: p.o.Program, Stdin: theirIn, Stdout: theirOut, Stderr: p.errors.writer()})
	theirIn.Close()
	theirOut.Close()
	if err != nil {
		in.Close()
		out.Close()
		return err
	}
	c, err := newChild(p, proc, in, out)
	if err != nil {
		proc.Kill()
		in.Close()
		out.Close()
		return err
	}
	p.children = append(p.children, c)
	if p.greets && p.o.Concurrency == 0 {
		c.rest(greeting)
	}
	p.running.Add(2)
	go c.read()
	go c.wait()
	return nil
}

// wait notes the end of the process.
func (c *child) wait() {
	defer c.pool.running.Done()
	how := c.proc.Wait()
	c.pool.mu.Lock()
	expected := c.leaving
	c.exited = true
	c.out.SetReadDeadline(time.Now().Add(lastLines))
	c.watch()
	if c.end != nil {
		c.end.Stop()
	}
	c.pool.mu.Unlock()
	if !expected {
		c.pool.o.Log.Warn("WARNING: {helper} #{number} (process {process}) exited: {how}", c.named(), c.numbered(), zap.Int("process", c.proc.Pid()), zap.String("how", fmt.Sprint(how)))
	}
}

// lost takes a child out that answers no more, and has another one started.
func (p *Pool) lost(c *child) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.children = slices.DeleteFunc(p.children, func(o *child) bool { return o == c })
	for _, t := range c.slots {
		if t != nil {
			t.answer <- result{err: ErrDied}
		}
	}
	c.session = nil
	c.sayFarewell()
	switch {
	case p.closed:
		p.assignQueued()
		p.ended()
		return
	case c.answered > 0 || time.Since(c.began) >= soundAge:
		p.startLater(0)
	default:
		p.startLater(p.longerPause())
	}
	p.counts.restarts++
}

// sayFarewell closes the child's input, by which helpers know that they are to end,
// and makes sure that it does. The caller holds pool.mu.
func (c *child) sayFarewell() {
	c.in.Close()
	if c.end == nil {
		c.end = time.AfterFunc(farewell, c.proc.Kill)
	}
}

func (p *Pool) longerPause() time.Duration {
	if p.restart == nil { // those that die together count once
		p.pause = min(max(2*p.pause, firstPause), lastPause)
	}
	return p.pause
}

// startLater has what is missing started after a while. When nothing runs until
// then, those who wait are told.
func (p *Pool) startLater(after time.Duration) {
	if p.restart == nil {
		p.restart = time.AfterFunc(after, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.startMissing()
		})
	}
	if len(p.children) == 0 && after > 0 {
		p.o.Log.Error("ERROR: The {helper} helpers are crashing too rapidly, need help! Next try in {pause}", zap.String("helper", p.o.Name), zap.Duration("pause", after))
		p.fail(ErrDown)
	}
}

// fail answers all who wait. The caller holds p.mu.
func (p *Pool) fail(err error) {
	for _, t := range p.queue {
		t.answer <- result{err: err}
	}
	p.queue = nil
}

// lookAround ends processes that owe an answer for too long.
func (p *Pool) lookAround() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.children {
		if since := c.oldest(); !since.IsZero() && time.Since(since) > p.o.Patience {
			p.o.Log.Error("ERROR: {helper} #{number} (process {process}) owes an answer since {patience}: it is ended",
				c.named(), c.numbered(), zap.Int("process", c.proc.Pid()), zap.Duration("patience", p.o.Patience))
			c.proc.Kill()
		}
	}
	if p.watch != nil {
		p.watch.Reset(p.o.Patience / 4)
	}
}

// oldest is when the question was asked that waits longest, zero for none.
func (c *child) oldest() (since time.Time) {
	for _, t := range c.slots {
		if t != nil && (since.IsZero() || t.asked.Before(since)) {
			since = t.asked
		}
	}
	return since
}
