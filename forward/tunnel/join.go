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

// Join moves bytes both ways until one side ends, in error or not, and gives how many
// they were. Either direction's progress renews the patience of both. There is no
// other limit: client_lifetime is not for tunnels, as 2.6 has it.
func (e *Ends) Join() (moved int64) {
	var last atomic.Int64
	last.Store(time.Now().UnixNano())
	var uploaded int64
	done := make(chan struct{})
	move := func(t *sock.Transfer) {
		for {
			t.Run()
			if t.ReadErr != sock.ErrTimeout && t.WriteErr != sock.ErrTimeout {
				return
			}
			// The other direction may have moved meanwhile.
			idle := time.Since(time.Unix(0, last.Load()))
			if idle >= e.Patience || t.WriteErr != nil {
				return
			}
			t.ReadErr = nil
		}
	}
	up := &sock.Transfer{From: e.Client, To: e.Origin, Left: -1, Small: sock.SpliceFrom, Patience: e.Patience,
		Moved: func(n int) { uploaded += int64(n); last.Store(time.Now().UnixNano()) }}
	down := &sock.Transfer{From: e.Origin, To: e.Client, Left: -1, Small: sock.SpliceFrom, Patience: e.Patience,
		Moved: func(n int) { moved += int64(n); last.Store(time.Now().UnixNano()) }}
	go func() {
		defer close(done)
		defer e.Recover()
		move(up)
		if !e.Halves || !up.Complete() || e.Origin.CloseWrite() != nil {
			e.Origin.Abort() // ends the other direction too
		}
	}()
	move(down)
	e.Client.CloseWrite()
	if !e.Halves || !down.Complete() {
		e.Client.CloseRead()
	}
	<-done
	return moved + uploaded
}
