// Package report keeps reports in cache.log few.
package report

import (
	"net/netip"
	"sync"
	"time"
)

// Bounds on reports: one a client in that time, and so many clients remembered.
const (
	reportInterval = time.Minute
	reportClients  = 1024
)

// PerClient keeps one client from filling cache.log with the same report. The
// zero value is ready.
type PerClient struct {
	mu   sync.Mutex
	last map[netip.Addr]time.Time
}

// May reports whether something about a client may be reported now. When
// too many are reported at a time, the others wait.
func (p *PerClient) May(client netip.Addr, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if last, ok := p.last[client]; ok && now.Sub(last) < reportInterval {
		return false
	}
	if p.last == nil {
		p.last = make(map[netip.Addr]time.Time)
	}
	if len(p.last) >= reportClients {
		for other, last := range p.last {
			if now.Sub(last) >= reportInterval {
				delete(p.last, other)
			}
		}
		if len(p.last) >= reportClients {
			return false
		}
	}
	p.last[client] = now
	return true
}
