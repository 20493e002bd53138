package tunnel

import (
	"time"

	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// outcome is what runBoth leaves.
type outcome uint8

const (
	oneEach   outcome = iota // each way needs a goroutine
	bothOver                 // nothing
	bothQuiet                // ways that may rest
)

// runBoth moves both ways in one goroutine as long as there is little to move: most
// tunnels are over by then. Where one way has to wait for room, or is worth a pipe, the
// other needs a goroutine of its own.
func (t *Tunnel) runBoth() outcome {
	if t.Stay == 0 || t.Pace != nil {
		return oneEach
	}
	pair, ok := sock.NewPair(t.Client, t.Origin.Bare())
	if !ok {
		return oneEach
	}
	for {
		for _, w := range [...]*way{&t.up, &t.down} {
			if w.over {
				continue
			}
			switch w.Step() {
			case sock.Busy:
				pair.Part()
				return oneEach
			case sock.Ended:
				w.close()
			}
		}
		if t.up.over && t.down.over {
			return bothOver
		}
		err := pair.Wait(time.Now().Add(min(t.Stay, t.Patience)))
		if err != nil {
			pair.Part()
			if err == sock.ErrTimeout && !t.up.over && !t.down.over && t.patience() > 0 {
				return bothQuiet
			}
			return oneEach
		}
	}
}
