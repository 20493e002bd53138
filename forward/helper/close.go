package helper

// Close lets the processes end: those with nothing to do now, the others when they
// have answered all that was asked before. It does not wait.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return
	}
	p.closed = true
	if p.restart != nil {
		p.restart.Stop()
	}
	if len(p.children) == 0 {
		p.fail(ErrClosed)
	}
	p.retireIdle()
	p.ended()
}

// Kill ends the processes at once.
func (p *Pool) Kill() {
	p.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.children {
		c.proc.Kill()
	}
}

// Wait waits until no process is left, after Close.
func (p *Pool) Wait() { p.running.Wait() }

// retireIdle closes the input of processes that nobody needs any more, once the
// pool is closed. The caller holds p.mu.
func (p *Pool) retireIdle() {
	if !p.closed || len(p.queue) > 0 {
		return
	}
	for _, c := range p.children {
		if c.pending > 0 || c.session != nil || c.leaving {
			continue
		}
		c.leaving = true
		c.sayFarewell()
		c.watch()
	}
}

// ended cleans up when the last process of a closed pool is gone. The caller holds
// p.mu.
func (p *Pool) ended() {
	if len(p.children) > 0 {
		return
	}
	p.fail(ErrClosed)
	if p.watch != nil {
		p.watch.Stop()
		p.watch = nil
	}
	p.errors.close()
}
