package tunnel

import (
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
	// Recover is deferred by the goroutine that moves what the client says.
	Recover func()
}

// Tunnel moves bytes both ways between its ends until one side ends, in error or not.
// Either direction's progress renews the patience of both. There is no other limit:
// client_lifetime is not for tunnels, as 2.6 has it.
type Tunnel struct {
	Ends
	up, down sock.Transfer
	moved    atomic.Int64
	last     atomic.Int64 // when bytes moved last, in nanoseconds
	done     chan struct{}
}

// Join begins to move what the client says; Run moves the rest.
func (e Ends) Join() *Tunnel {
	t := &Tunnel{Ends: e, done: make(chan struct{})}
	t.last.Store(time.Now().UnixNano())
	t.up = sock.Transfer{From: e.Client, To: e.Origin, Left: -1, Small: sock.SpliceFrom, Patience: e.Patience, Moved: t.count}
	t.down = sock.Transfer{From: e.Origin, To: e.Client, Left: -1, Small: sock.SpliceFrom, Patience: e.Patience, Moved: t.count}
	go t.upward()
	return t
}

// Moved is how many bytes have reached either side. It may be asked at any time.
func (t *Tunnel) Moved() int64 { return t.moved.Load() }

func (t *Tunnel) count(n int) {
	t.moved.Add(int64(n))
	t.last.Store(time.Now().UnixNano())
}

// Run moves what the origin says and returns true when both directions have ended. With
// a stay it returns false when the origin has said nothing for that long: the tunnel goes
// on with the next Run, in whatever goroutine.
func (t *Tunnel) Run(stay time.Duration) (over bool) {
	t.down.Rest = stay
	if !t.move(&t.down) {
		return false
	}
	t.Client.CloseWrite()
	if !t.Halves || !t.down.Complete() {
		t.Client.CloseRead()
	}
	<-t.done
	return true
}

func (t *Tunnel) upward() {
	defer close(t.done)
	defer t.Recover()
	t.move(&t.up)
	if !t.Halves || !t.up.Complete() || t.Origin.CloseWrite() != nil {
		t.Origin.Abort() // ends the other direction too
	}
}

// move returns true when the direction has ended, and false when its rest is over.
func (t *Tunnel) move(d *sock.Transfer) (over bool) {
	for {
		d.Run()
		if d.ReadErr != sock.ErrTimeout || d.WriteErr != nil {
			return true
		}
		// The other direction may have moved meanwhile.
		idle := time.Since(time.Unix(0, t.last.Load()))
		if idle >= t.Patience {
			return true
		}
		d.ReadErr = nil
		if d.Rest > 0 {
			return false
		}
	}
}
