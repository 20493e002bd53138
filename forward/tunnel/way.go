package tunnel

import (
	"time"

	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// wokenStay is how long a goroutine that was started for bytes on a quiet way waits for
// more.
const wokenStay = time.Second

// way is one direction of a tunnel. A goroutine moves its bytes, or it is parked: then
// the Watcher has the connection they come from, and starts one.
type way struct {
	sock.Transfer
	t *Tunnel
	// parked and over are guarded by the tunnel's mutex.
	parked, over bool
}

func (w *way) begin(t *Tunnel, from, to sock.Stream) {
	w.t = t
	w.Transfer = sock.Transfer{From: from, To: to, Left: -1, Small: sock.SpliceFrom, Patience: t.Patience, Rest: t.Stay, Moved: t.count}
}

// run moves bytes until the way is over, or quiet.
func (w *way) run() {
	defer w.t.Recover()
	over := true
	defer func() { // also where a panic ends it
		if over {
			w.close()
		}
	}()
	if over = w.move(); !over {
		w.rest()
	}
}

// move returns true when the way is over, and false when its rest is.
func (w *way) move() (over bool) {
	for {
		w.Run()
		if w.ReadErr != sock.ErrTimeout || w.WriteErr != nil {
			return true
		}
		// The other direction may have moved meanwhile.
		if w.t.patience() <= 0 {
			return true
		}
		w.ReadErr = nil
		if w.Rest > 0 {
			return false
		}
	}
}

// close ends the side that is told of the end of this one.
func (w *way) close() {
	t := w.t
	if w == &t.down {
		if !t.upIsOver() { // else both are closed next
			t.Client.CloseWrite()
		}
		if !t.Halves || !w.Complete() {
			t.Client.CloseRead()
			t.up.wake()
		}
	} else if !t.Halves || !w.Complete() || t.Origin.CloseWrite() != nil {
		t.Abort() // ends the other direction too
	}
	t.mu.Lock()
	w.over = true
	var end func()
	if t.up.over && t.down.over {
		if end = t.end; t.timer != nil {
			t.timer.Stop()
		}
	}
	t.mu.Unlock()
	if w == &t.up && t.done != nil {
		close(t.done)
	}
	if end != nil {
		end()
	}
}

func (t *Tunnel) upIsOver() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.up.over
}

// rest waits for more without a goroutine, where that can be.
func (w *way) rest() {
	if !w.park() {
		w.Rest = 0
		go w.run()
	}
}

// park gives the connection to the Watcher.
func (w *way) park() bool {
	t, from := w.t, w.From.Bare()
	if from == nil || t.Watcher == nil {
		return false
	}
	if t.Parking != nil {
		t.parking.Do(t.Parking)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if from.Aborted() || t.Watcher.Await(from, w) != nil {
		return false
	}
	w.parked = true // whoever wakes it waits for the lock
	if t.timer == nil {
		t.timer = time.AfterFunc(t.patience(), t.expire)
	}
	return true
}

// Arrived implements sock.Arrival.
func (w *way) Arrived(*sock.Conn) { w.wake() }

// wake starts a goroutine for a way that is parked.
func (w *way) wake() {
	w.t.mu.Lock()
	defer w.t.mu.Unlock()
	if w.parked {
		w.parked = false
		w.Rest = wokenStay
		go w.run()
	}
}
