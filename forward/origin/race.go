package origin

import (
	"context"
	"time"
)

// Attempt is one of several ways to connect.
type Attempt struct {
	Key Key
	// Err is why it failed.
	Err error
}

// OpenFirst opens a connection by the first of keys that answers: each is tried when the
// one before it has failed, or has said nothing for stagger (RFC 8305 section 5). Those
// that come late are closed. told hears of each that failed, before OpenFirst returns;
// the error is that of the last of them.
func (d *Dialer) OpenFirst(ctx context.Context, keys []Key, ports LocalPorts, timeout, stagger time.Duration, recvBuffer int, told func(Attempt)) (*Conn, error) {
	type outcome struct {
		conn *Conn
		Attempt
	}
	racing, cancel := context.WithCancel(ctx)
	defer cancel()
	outcomes := make(chan outcome, len(keys))
	started, running := 0, 0
	start := func() {
		k := keys[started]
		started++
		running++
		go func() {
			c, err := d.Open(racing, k, ports, timeout, recvBuffer)
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
			if started < len(keys) {
				start()
				pause.Reset(stagger)
			}
			continue
		case o := <-outcomes:
			running--
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
		case ctx.Err() != nil || running == 0 && started == len(keys):
			for range running {
				if late := <-outcomes; late.conn != nil {
					late.conn.Close()
				}
			}
			return nil, last
		case started < len(keys):
			start()
			pause.Reset(stagger)
		}
	}
}
