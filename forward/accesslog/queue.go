package accesslog

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"time"
)

// queueMax is how many bytes may wait for the reader of a FIFO or for the system's
// log; lines above that are lost, and counted.
const queueMax = 1 << 20

// readerPatience is how long the end of a log waits for its reader.
const readerPatience = time.Second

// queue is the way to a log whose reader may stall: writers leave their lines and go
// on, one goroutine, as long as there is something to write, writes.
type queue struct {
	file *File // has out

	mu      sync.Mutex
	idle    sync.Cond // writing has ended, or patience
	pending []byte
	spare   []byte
	writing bool
	closed  bool
	dropped int64 // lines, since the queue is full
}

func newQueue(f *File) *queue {
	q := &queue{file: f}
	q.idle.L = &q.mu
	return q
}

// put leaves lines, mostly one.
func (q *queue) put(lines []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	if len(q.pending)+len(lines) > queueMax && len(q.pending) > 0 {
		if q.dropped == 0 {
			q.file.report(fmt.Errorf("writing log %s: its reader takes nothing; lines are lost until it works again", q.file.path))
		}
		count := int64(bytes.Count(lines, []byte{'\n'}))
		q.dropped += count
		q.file.lost.Add(count)
		return
	}
	q.pending = append(q.pending, lines...)
	if !q.writing {
		q.writing = true
		go q.write()
	}
}

// write writes until nothing is left.
func (q *queue) write() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.pending) > 0 {
		batch := q.pending
		q.pending, q.spare = q.spare[:0], nil
		q.mu.Unlock()
		q.file.write(batch)
		q.mu.Lock()
		if cap(batch) <= maxSpare {
			q.spare = batch[:0]
		}
		if q.dropped > 0 && !q.file.failing {
			q.file.report(fmt.Errorf("log %s works again; %d lines were lost", q.file.path, q.dropped))
			q.dropped = 0
		}
	}
	q.writing = false
	q.idle.Broadcast()
}

// drain waits until everything is written, for as long as a reader is given, and
// reports whether it is.
func (q *queue) drain() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	over := false
	timer := time.AfterFunc(readerPatience, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		over = true
		q.idle.Broadcast()
	})
	defer timer.Stop()
	for q.writing && !over {
		q.idle.Wait()
	}
	return !q.writing
}

// close writes what the reader takes in time, and ends. A system's log that hangs
// keeps its connection, and the goroutine at it.
func (q *queue) close() error {
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return nil
	}
	q.closed = true
	q.mu.Unlock()
	if !q.drain() {
		file, ok := q.file.out.(*os.File)
		if !ok || file.SetWriteDeadline(time.Unix(1, 0)) != nil || !q.drain() {
			return fmt.Errorf("closing log %s: its reader takes nothing", q.file.path)
		}
	}
	return q.file.out.Close()
}
