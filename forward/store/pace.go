package store

import (
	"context"
	"time"
)

// Pace waits until the readers, or the disk, are near enough to what was appended.
// The fetch's own goroutine calls it before it reads from the origin. The error
// says that the entry has ended or nobody wants it.
func (e *Entry) Pace(ctx context.Context) error {
	for {
		e.mu.Lock()
		wait, limit := e.mustWait()
		if wait && e.pacing == nil {
			e.pacing = make(chan struct{}, 1)
		}
		err := e.err
		if err == nil && (e.over() || e.useless()) {
			err = ErrAborted
		}
		e.mu.Unlock()
		if err != nil || !wait {
			return err
		}
		if err := e.waitForReaders(ctx, limit); err != nil {
			return err
		}
	}
}

// useless reports whether nobody reads and nothing stays.
func (e *Entry) useless() bool {
	return e.phase == streaming && len(e.readers) == 0 && !e.kept
}

// waitForReaders waits until one of them moves, or for the time given.
func (e *Entry) waitForReaders(ctx context.Context, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-e.pacing:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// mustWait reports whether the writer must wait, and for how long at most before it
// looks again.
func (e *Entry) mustWait() (wait bool, limit time.Duration) {
	c := e.s.config.Load()
	if e.over() || e.whole {
		return false, 0
	}
	gap := max(c.ReadAheadGap, 4<<10)
	writing := e.swap.writing()
	unwritten := int64(0)
	if writing {
		unwritten = e.size - e.swap.high
	}
	if len(e.readers) == 0 {
		return unwritten >= c.Backlog, c.Stall
	}
	if unwritten >= c.Backlog {
		// No client waits for a write.
		e.s.stats.slowDisk.Add(1)
		e.unkeep()
		writing = false
	}
	slowest, fastest := e.readers[0], e.readers[0]
	for _, r := range e.readers {
		if r.at < slowest.at {
			slowest = r
		}
		if r.at > fastest.at {
			fastest = r
		}
	}
	if writing {
		return e.size-fastest.at > gap, c.Stall // who is behind reads from disk
	}
	if e.size-slowest.at <= gap {
		return false, 0
	}
	return true, e.endStalled(slowest, c.Stall)
}

// endStalled ends the slowest reader if it has made no progress for too long while
// others wait for it; otherwise it returns when to look again.
func (e *Entry) endStalled(slowest *Reader, stall time.Duration) time.Duration {
	others := false
	for _, r := range e.readers {
		others = others || r.waiting && r != slowest
	}
	idle := e.s.now().Sub(slowest.progress)
	switch {
	case idle < stall:
		return stall - idle
	case !others:
		return stall
	}
	e.s.stats.stalled.Add(1)
	e.leave(slowest)
	slowest.err = ErrStalled
	if slowest.held {
		slowest.endedHolding = true
		e.ended++
		e.endedTo = max(e.endedTo, slowest.heldTo)
	}
	if slowest.whenEnded != nil {
		go slowest.whenEnded()
	}
	e.trim()
	return 0
}
