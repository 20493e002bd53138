package origin

import (
	"context"
	"slices"
	"time"
)

// Attempt is one of several ways to connect.
type Attempt struct {
	Key Key
	// Err is why it failed.
	Err error
}

// OpenFirst opens a connection by the first of keys that answers: each is tried when the
// one before it has failed, or has said nothing for stagger (RFC 8305 section 5), but
// none after giveUp, and none beside itself where it is among keys again. Those that come
// late are closed. told hears of each that failed, before OpenFirst returns; the error is
// that of the last of them.
func (d *Dialer) OpenFirst(ctx context.Context, keys []Key, wishes Wishes, timeout, stagger time.Duration, giveUp time.Time, recvBuffer int, told func(Attempt)) (*Conn, error) {
	type outcome struct {
		conn *Conn
		Attempt
	}
	racing, cancel := context.WithCancel(ctx)
	defer cancel()
	outcomes := make(chan outcome, len(keys))
	started, running := 0, make([]Key, 0, len(keys))
	ready := func() bool {
		return started < len(keys) && !slices.Contains(running, keys[started]) && time.Now().Before(giveUp)
	}
	start := func() {
		k := keys[started]
		started++
		running = append(running, k)
		go func() {
			c, err := d.Open(racing, k, wishes, timeout, recvBuffer)
			outcomes <- outcome{c, Attempt{k, err}}
		}()
	}
	start()
	pause := time.NewTimer(stagger)
	defer pause.Stop()
	var last error
	for {
		select {
		case <-pause.C:
			if ready() {
				start()
				pause.Reset(stagger)
			}
			continue
		case o := <-outcomes:
			at := slices.Index(running, o.Key)
			running = slices.Delete(running, at, at+1)
			if o.Err == nil {
				go func() { // cancelled: they end at once
					for range running {
						if late := <-outcomes; late.conn != nil {
							late.conn.Close()
						}
					}
				}()
				return o.conn, nil
			}
			told(o.Attempt)
			last = o.Err
		}
		switch {
		case ctx.Err() != nil || len(running) == 0 && !ready():
			for range running {
				if late := <-outcomes; late.conn != nil {
					late.conn.Close()
				}
			}
			return nil, last
		case ready():
			start()
			pause.Reset(stagger)
		}
	}
}
