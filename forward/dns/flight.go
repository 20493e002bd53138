package dns

import (
	lists "container/list"
	"context"
	"net/netip"
	"sync"
	"time"
)

// Bounds of the lookups under way: of all, of those one client waits for, and of
// those nobody waits for. A lookup is a goroutine and a few hundred bytes.
const (
	maxFlights   = 6144
	maxPerClient = 256
	maxParked    = 512
)

// parkedFor is how long a lookup goes on that nobody waits for (any more): a slow
// answer is worth having, no answer is not.
const parkedFor = 10 * time.Second

// flights joins equal lookups: whoever asks what is being asked already waits for
// that answer. When its askers have left, or had none from the start, a lookup is
// parked: it goes on for a while, so that the next one finds its result, and is the
// first to be cancelled when there are too many.
type flights struct {
	life context.Context // ends all

	mu      sync.Mutex
	under   map[question]*flight
	clients map[netip.Addr]int // lookups each waits for
	parked  lists.List         // *flight, longest parked first
	running sync.WaitGroup
	closed  bool
}

// flight is one lookup under way.
type flight struct {
	q      question
	cancel context.CancelFunc
	done   chan struct{} // closed when reply and err are there, and the result in memory
	reply  reply
	err    error

	// Guarded by flights.mu.
	waiting int
	client  netip.Addr     // on whose account it is while somebody waits
	place   *lists.Element // in parked
	timer   *time.Timer    // cancels it when parked for too long
	ended   bool
}

// join begins a lookup unless it is under way already, for somebody who will wait:
// every join needs a wait or a leave. The error is that there is no room, or none for the client.
func (f *flights) join(q question, client netip.Addr, work func(context.Context) (reply, error)) (*flight, *Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fl := f.under[q]
	if fl == nil || fl.waiting == 0 {
		if client.IsValid() && f.clients[client] >= maxPerClient {
			return nil, &Error{q.name, Overloaded, "too many for one client"}
		}
		if fl == nil {
			if fl = f.begin(q, work); fl == nil {
				return nil, &Error{q.name, Overloaded, ""}
			}
		}
		f.unpark(fl)
		f.charge(fl, client)
	}
	fl.waiting++
	return fl, nil
}

// start begins a lookup nobody waits for, unless it is under way already.
func (f *flights) start(q question, work func(context.Context) (reply, error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.under[q] != nil {
		return
	}
	if fl := f.begin(q, work); fl != nil {
		f.park(fl)
	}
}

// begin makes a lookup, nil when there is no room.
func (f *flights) begin(q question, work func(context.Context) (reply, error)) *flight {
	if !f.closed && len(f.under) >= maxFlights && f.parked.Len() > 0 {
		f.evict(f.parked.Front().Value.(*flight))
	}
	if f.closed || len(f.under) >= maxFlights {
		return nil
	}
	ctx, cancel := context.WithCancel(f.life)
	fl := &flight{q: q, cancel: cancel, done: make(chan struct{})}
	f.under[q] = fl
	f.running.Add(1)
	go f.fly(ctx, fl, work)
	return fl
}

func (f *flights) fly(ctx context.Context, fl *flight, work func(context.Context) (reply, error)) {
	defer f.running.Done()
	fl.reply, fl.err = work(ctx)
	fl.cancel()
	f.mu.Lock()
	f.forget(fl)
	f.mu.Unlock()
	close(fl.done)
}

// forget takes a lookup off the books. The caller holds f.mu.
func (f *flights) forget(fl *flight) {
	fl.ended = true
	if f.under[fl.q] == fl {
		delete(f.under, fl.q)
	}
	f.unpark(fl)
	f.charge(fl, netip.Addr{})
}

// charge puts a lookup on a client's account, instead of another one's.
func (f *flights) charge(fl *flight, client netip.Addr) {
	if old := fl.client; old.IsValid() {
		if f.clients[old]--; f.clients[old] == 0 {
			delete(f.clients, old)
		}
	}
	if fl.client = client; client.IsValid() {
		f.clients[client]++
	}
}

// park notes that nobody waits for a lookup.
func (f *flights) park(fl *flight) {
	f.charge(fl, netip.Addr{})
	if f.parked.Len() >= maxParked {
		f.evict(f.parked.Front().Value.(*flight))
	}
	fl.place = f.parked.PushBack(fl)
	fl.timer = time.AfterFunc(parkedFor, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if fl.place != nil {
			f.evict(fl)
		}
	})
}

func (f *flights) unpark(fl *flight) {
	if fl.place != nil {
		f.parked.Remove(fl.place)
		fl.timer.Stop()
		fl.place, fl.timer = nil, nil
	}
}

// evict cancels a parked lookup. Who asks the same now begins another one.
func (f *flights) evict(fl *flight) {
	fl.cancel()
	f.forget(fl)
}

// wait waits for the end of a lookup, or of the asker's patience.
func (f *flights) wait(ctx context.Context, fl *flight) (reply, error) {
	select {
	case <-fl.done:
		return fl.reply, fl.err
	case <-ctx.Done():
		f.leave(fl)
		return reply{}, ctx.Err()
	}
}

// leave takes a join back without waiting for the end.
func (f *flights) leave(fl *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if fl.waiting--; fl.waiting == 0 && !fl.ended {
		f.park(fl)
	}
}

// close refuses new lookups and waits for those under way, which must end with life.
func (f *flights) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.running.Wait()
}
