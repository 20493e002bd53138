package helper

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
)

// Bounds that squid.conf does not set.
const (
	// MaxQuestion is the longest question in bytes, its line end included: many
	// helpers read into 8 KB and would take the rest of a longer line for another question.
	MaxQuestion = 8192
	// MaxAnswer is the longest answer. A Kerberos ticket of somebody in many groups has 64 KB.
	MaxAnswer = 128 << 10
	// leastQueue is how many questions may wait at least, whatever the number of processes.
	leastQueue = 1000
	// DefaultPatience is how long an answer may take.
	DefaultPatience = 2 * time.Minute
	// DefaultHold is how long a session may rest between two questions: as long as
	// a client takes to send its next request.
	DefaultHold = 30 * time.Second
)

// Options say which program a Pool runs and how it is spoken to.
type Options struct {
	// Name is what logs and statistics call it.
	Name string
	// Program is the command line.
	Program []string
	// Children is how many processes run.
	Children int
	// Concurrency is how many questions a process is given at a time, with channel
	// numbers; 0 gives one without number.
	Concurrency int
	// Secret: answers may hold passwords, so no log shows them.
	Secret bool
	// Spawner starts the processes; nil means Exec.
	Spawner Spawner
	// Log gets the lines for cache.log.
	Log *zap.Logger
	// Patience is how long an answer may take, Hold how long a Session may rest;
	// 0 for the defaults.
	Patience, Hold time.Duration
}

// Pool is the processes of one program.
type Pool struct {
	o   Options
	say report.Section // what is asked and answered

	mu       sync.Mutex
	children []*child  // those that run, in the order of their starts
	queue    []*ticket // first come first served
	closed   bool
	greets   bool // the program says something when it starts
	number   int  // of the last child started
	pause    time.Duration
	restart  *time.Timer // set while a start is ahead
	watch    *time.Timer
	sweeper  *time.Timer
	sweeping bool // sweeper is set
	counts   counts
	warned   time.Time // of a full queue
	strays   throttle  // of lines on channels that are not there
	running  sync.WaitGroup
	errors   *complaints
}

// NewPool starts the processes. A program that cannot be started is complained of
// in the log and tried again; questions are refused meanwhile.
func NewPool(o Options) *Pool {
	if o.Spawner == nil {
		o.Spawner = Exec{}
	}
	if o.Patience == 0 {
		o.Patience = DefaultPatience
	}
	if o.Hold == 0 {
		o.Hold = DefaultHold
	}
	p := &Pool{o: o, say: report.NewSection(o.Log, 84), errors: newComplaints(o.Name, o.Log)}
	o.Log.Info("helperOpenServers: Starting {children} '{program}' processes", zap.Int("children", o.Children), zap.String("program", base(o.Program[0])))
	p.mu.Lock()
	p.startMissing()
	p.watch = time.AfterFunc(o.Patience/4, p.lookAround)
	p.mu.Unlock()
	return p
}

func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// Ask asks a question, given without line end, and returns the answer without it.
// When ctx ends first, the answer is thrown away when it comes.
func (p *Pool) Ask(ctx context.Context, question []byte) (string, error) {
	if err := checkQuestion(question); err != nil {
		return "", err
	}
	for range askTries {
		t := newTicket()
		if err := p.take(ctx, t); err != nil {
			return "", err
		}
		if t.child.exchange(t, question) {
			return p.await(ctx, t)
		}
	}
	return "", ErrDied
}

// askTries is how many processes are tried that turn out to speak unasked before they
// are asked.
const askTries = 3

func checkQuestion(question []byte) error {
	if len(question) > MaxQuestion-16 || bytes.ContainsAny(question, "\n\r\x00") {
		return ErrQuestion
	}
	return nil
}

// take gets a process for the ticket, waiting for one if it must.
func (p *Pool) take(ctx context.Context, t *ticket) error {
	p.mu.Lock()
	switch {
	case p.closed:
		p.mu.Unlock()
		return ErrClosed
	case p.assign(t):
		p.mu.Unlock()
		return nil
	case len(p.children) == 0 && p.pause > 0:
		p.counts.refused++
		p.mu.Unlock()
		return ErrDown
	case len(p.queue) >= p.maxQueue():
		p.counts.refused++
		p.warnFull()
		p.mu.Unlock()
		return ErrBusy
	}
	p.queue = append(p.queue, t)
	p.counts.longest = max(p.counts.longest, len(p.queue))
	p.warnBusy()
	p.mu.Unlock()
	select {
	case <-t.turn:
		return nil
	case r := <-t.answer:
		return r.err
	case <-ctx.Done():
		p.withdraw(t)
		return ctx.Err()
	}
}

// assign gives the ticket the process with the least to do. The caller holds p.mu.
func (p *Pool) assign(t *ticket) bool {
	var best *child
	for _, c := range p.children {
		if c.free(t) && (best == nil || c.pending < best.pending) {
			best = c
		}
	}
	if best == nil {
		return false
	}
	best.give(t)
	return true
}

// assignQueued gives what is free to those who wait. The caller holds p.mu.
func (p *Pool) assignQueued() {
	for len(p.queue) > 0 && p.assign(p.queue[0]) {
		p.queue[0].turn <- struct{}{}
		p.queue[0] = nil
		p.queue = p.queue[1:]
	}
	if len(p.queue) == 0 {
		p.queue = nil // what was shifted out is not kept
	}
}

// withdraw takes a ticket out whose asker has gone before it asked.
func (p *Pool) withdraw(t *ticket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.queue, t); i >= 0 {
		p.queue = slices.Delete(p.queue, i, i+1)
		p.retireIdle()
	} else if t.child != nil { // it was given one meanwhile
		t.child.takeBack(t)
	}
}

// await waits for the answer to a question that was asked.
func (p *Pool) await(ctx context.Context, t *ticket) (string, error) {
	var r result
	select {
	case r = <-t.answer: // mostly who asks has read it himself
	default:
		select {
		case r = <-t.answer:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
	t.done()
	return r.line, r.err
}

// maxQueue is how many questions may wait. 2.6 ends itself when twice as many wait
// as there are processes, though only if it looks just then, once in ten minutes.
func (p *Pool) maxQueue() int { return max(leastQueue, 2*p.o.Children*max(1, p.o.Concurrency)) }

// busyWarnings is how often a full house is complained of, refusals how often
// questions that were refused: 2.6's ten minutes, and one.
const (
	busyWarnings = 10 * time.Minute
	refusals     = time.Minute
)

// warnBusy complains of a full house. That a process rests for a moment is no reason to.
func (p *Pool) warnBusy() {
	resting := slices.ContainsFunc(p.children, func(c *child) bool { return c.resting })
	if now := time.Now(); !resting && len(p.queue) >= max(1, len(p.children)) && now.Sub(p.warned) > busyWarnings {
		p.warned = now
		p.o.Log.Warn("WARNING: All {helper} processes are busy.", zap.String("helper", p.o.Name))
		p.o.Log.Warn("WARNING: up to {queued} pending requests queued", zap.Int("queued", len(p.queue)))
		p.o.Log.Warn("Consider increasing the number of {helper} processes in your config file.", zap.String("helper", p.o.Name))
	}
}

func (p *Pool) warnFull() {
	if now := time.Now(); now.Sub(p.counts.refusedAt) > refusals {
		p.counts.refusedAt = now
		p.o.Log.Error("ERROR: Too many queued {helper} requests ({queued} on {children}): questions are refused",
			zap.String("helper", p.o.Name), zap.Int("queued", len(p.queue)), zap.Int("children", len(p.children)))
	}
}

// Waiting reports how many questions wait for a process.
func (p *Pool) Waiting() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.queue)
}
