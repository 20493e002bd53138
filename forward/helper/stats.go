package helper

import "time"

// counts are a pool's totals, guarded by Pool.mu.
type counts struct {
	asked, answered, refused, restarts uint64
	longest                            int
	refusedAt                          time.Time
}

// Stats are a pool at one moment.
type Stats struct {
	Name    string
	Program []string
	// Wanted is how many processes should run.
	Wanted int
	// Asked and Answered count questions, Refused those that no process was asked,
	// Restarts processes that ended by themselves.
	Asked, Answered, Refused, Restarts uint64
	// Queue is how many questions wait, LongestQueue how many ever did at once.
	Queue, LongestQueue int
	Children            []ChildStats
}

// ChildStats are one process.
type ChildStats struct {
	Number, Pid     int
	Asked, Answered uint64
	// Pending is how many questions it has not answered, Waiting how long the first
	// of them has waited.
	Pending int
	Waiting time.Duration
	// Mean is how long an answer took.
	Mean time.Duration
	// Reserved: a client has it for several questions. Leaving: it gets no more.
	Reserved, Leaving bool
}

// Stats counts.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Stats{
		Name: p.o.Name, Program: p.o.Program, Wanted: p.o.Children, Asked: p.counts.asked, Answered: p.counts.answered,
		Refused: p.counts.refused, Restarts: p.counts.restarts, Queue: len(p.queue), LongestQueue: p.counts.longest,
	}
	for _, c := range p.children {
		cs := ChildStats{Number: c.number, Pid: c.proc.Pid(), Asked: c.asked, Answered: c.answered, Pending: c.pending,
			Reserved: c.session != nil, Leaving: c.leaving}
		if since := c.oldest(); !since.IsZero() {
			cs.Waiting = time.Since(since)
		}
		if c.answered > 0 {
			cs.Mean = c.took / time.Duration(c.answered)
		}
		s.Children = append(s.Children, cs)
	}
	return s
}
