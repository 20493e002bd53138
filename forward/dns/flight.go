package dns

import (
	"context"
	"sync"
)

// maxFlights bounds the lookups under way at one time: each holds a goroutine
// and a socket.
const maxFlights = 2048

// flights joins equal lookups: whoever asks what is being asked already waits
// for that answer. A lookup goes on when its askers leave, so that the next one
// finds its result.
type flights[K comparable] struct {
	mu      sync.Mutex
	under   map[K]*flight
	running sync.WaitGroup
	closed  bool
}

// flight is one lookup under way.
type flight struct {
	done chan struct{} // closed when the result is in memory
	err  error         // result, for those who waited
}

// start begins work for key unless it is under way already. work must leave its
// result where the callers look for it. nil means that there is no room.
func (f *flights[K]) start(key K, work func() error) *flight {
	f.mu.Lock()
	defer f.mu.Unlock()
	if have := f.under[key]; have != nil {
		return have
	}
	if f.closed || len(f.under) >= maxFlights {
		return nil
	}
	if f.under == nil {
		f.under = make(map[K]*flight)
	}
	fl := &flight{done: make(chan struct{})}
	f.under[key] = fl
	f.running.Add(1)
	go f.fly(key, fl, work)
	return fl
}

func (f *flights[K]) fly(key K, fl *flight, work func() error) {
	defer f.running.Done()
	fl.err = work()
	f.mu.Lock()
	delete(f.under, key)
	f.mu.Unlock()
	close(fl.done)
}

// wait waits for the end of a lookup, or of the asker's patience.
func (fl *flight) wait(ctx context.Context) error {
	select {
	case <-fl.done:
		return fl.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close refuses new lookups and waits for those under way.
func (f *flights[K]) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.running.Wait()
}
