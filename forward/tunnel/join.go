package tunnel

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// Ends are the two connections of a tunnel.
type Ends struct {
	Client *sock.Conn
	Origin sock.Stream
	// Patience is how long both sides may be silent.
	Patience time.Duration
	// Halves: a side that has said all it had to say is still answered. Otherwise the
	// tunnel ends at once when the client half-closes.
	Halves bool
	// Recover is deferred by the goroutines that move bytes.
	Recover func()
	// Watcher, with Stay, waits for a side that has been silent for so long, in the place
	// of a goroutine.
	Watcher *sock.Watcher
	Stay    time.Duration
	// Parking, when set, is called before a way is given to the Watcher for the first
	// time: whatever the client's end of it would tell somebody who reads is told
	// otherwise from there on.
	Parking func()
	// Pace slows down what the origin says; nil for as fast as it goes.
	Pace Pacer
}

// Pacer is a sock.Pacer whose wait can be ended by anybody.
type Pacer interface {
	sock.Pacer
	Stop()
}

// Tunnel moves bytes both ways between its ends until one side ends, in error or not.
// Either direction's progress renews the patience of both. There is no other limit:
// client_lifetime is not for tunnels, as 2.6 has it.
type Tunnel struct {
	Ends
	up, down way
	moved    atomic.Int64
	last     atomic.Int64 // when bytes moved last, in nanoseconds
	held     atomic.Bool  // what the origin said waits for Pace

	parking sync.Once

	mu    sync.Mutex
	timer *time.Timer   // of the patience, once a way has been parked
	end   func()        // called when both ways are over, see Leave
	done  chan struct{} // closed when the way up is over; nil while nobody waits for that
}

// Join makes a tunnel, which Run moves.
func (e Ends) Join() *Tunnel {
	t := &Tunnel{Ends: e}
	t.last.Store(time.Now().UnixNano())
	t.up.begin(t, e.Client, e.Origin)
	t.down.begin(t, e.Origin, e.Client)
	if e.Pace != nil {
		t.down.Pace = paced{e.Pace, t}
	}
	return t
}

// Moved is how many bytes have reached either side. It may be asked at any time.
func (t *Tunnel) Moved() int64 { return t.moved.Load() }

func (t *Tunnel) count(n int) {
	t.moved.Add(int64(n))
	t.last.Store(time.Now().UnixNano())
}

// Run moves what either says and returns true when both directions have ended. With
// a Stay it returns false when the origin has said nothing for that long: Leave follows.
func (t *Tunnel) Run() (over bool) {
	switch t.runBoth() {
	case bothOver:
		return true
	case bothQuiet:
		t.up.rest()
		return false
	}
	if !t.up.over { // nobody else knows of it yet
		t.done = make(chan struct{})
		go t.up.run()
	}
	if !t.down.over {
		if !t.down.move() {
			return false
		}
		t.down.close()
	}
	if t.done != nil {
		<-t.done
	}
	return true
}

// Leave lets the tunnel go on by itself, after a Run that returned false. end is called
// when it is over, by a goroutine of the tunnel.
func (t *Tunnel) Leave(end func()) {
	t.mu.Lock()
	t.end = end
	t.mu.Unlock()
	t.down.rest()
}

// Abort ends the tunnel. It may be called at any time.
func (t *Tunnel) Abort() {
	t.Origin.Abort()
	if t.Pace != nil {
		t.Pace.Stop()
	}
	t.down.wake()
}

// paced is the tunnel's Pace, whose waits are no silence.
type paced struct {
	Pacer
	t *Tunnel
}

// Wait implements sock.Pacer.
func (p paced) Wait() error {
	p.t.held.Store(true)
	defer func() {
		p.t.count(0)
		p.t.held.Store(false)
	}()
	return p.Pacer.Wait()
}

// patience is how long the tunnel may still be silent; 0 or less when that is over.
func (t *Tunnel) patience() time.Duration {
	if t.held.Load() {
		return t.Patience
	}
	return t.Patience - time.Since(time.Unix(0, t.last.Load()))
}

// expire is called by the timer: ways that are parked have none of their own.
func (t *Tunnel) expire() {
	if left := t.patience(); left > 0 {
		t.mu.Lock()
		t.timer.Reset(left)
		t.mu.Unlock()
		return
	}
	t.up.wake()
	t.down.wake()
}
