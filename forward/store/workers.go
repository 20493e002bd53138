package store

import "sync"

// workers do what waits for disks: reads and writes each in goroutines of their
// own, with a queue that is never waited for.
type workers struct {
	reads, writes chan func()
	done          sync.WaitGroup
	mu            sync.RWMutex
	closed        bool
}

func newWorkers(each, queue int) *workers {
	w := &workers{reads: make(chan func(), queue), writes: make(chan func(), queue)}
	for range each {
		w.done.Add(2)
		go w.run(w.reads)
		go w.run(w.writes)
	}
	return w
}

func (w *workers) run(jobs chan func()) {
	defer w.done.Done()
	for job := range jobs {
		job()
	}
}

// read queues a job that reads. It is false when the queue is full.
func (w *workers) read(job func()) bool { return w.submit(w.reads, job) }

// write queues a job that writes.
func (w *workers) write(job func()) bool { return w.submit(w.writes, job) }

func (w *workers) submit(jobs chan func(), job func()) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return false
	}
	select {
	case jobs <- job:
		return true
	default:
		return false
	}
}

// waiting is how many jobs are queued.
func (w *workers) waiting() (reads, writes int) { return len(w.reads), len(w.writes) }

// close lets what is queued end.
func (w *workers) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	close(w.reads)
	close(w.writes)
	w.done.Wait()
}
