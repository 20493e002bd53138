package peer

import (
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/peer/pinger"
)

// openPinger opens the socket for measurements when a configuration wants them; n.mu is
// locked. It stays open: another one may need rights that were given up. Where there is
// none nothing is measured, as with a 2.6 whose pinger could not be started.
func (n *Neighbours) openPinger(cfg *conf.Config) {
	if !cfg.MeasuresWays || n.pings != nil {
		return
	}
	p, err := pinger.Open()
	if err != nil {
		n.log.Warn("WARNING: pinger_program: distances are not measured: " + err.Error())
		return
	}
	n.pings = p
	n.log.Info("Pinger socket opened")
	n.listening.Add(1)
	go func() {
		defer n.listening.Done()
		p.Receive(n.measured)
	}()
}

// measure sends an echo to an address.
func (n *Neighbours) measure(to netip.Addr) {
	n.mu.Lock()
	p := n.pings
	n.mu.Unlock()
	if p != nil {
		p.Send(to)
	}
}

// measured keeps what an echo showed.
func (n *Neighbours) measured(from netip.Addr, rtt time.Duration, hops int) {
	l := n.local.Load()
	if l == nil || l.Peers.env.Ways == nil {
		return
	}
	l.Peers.env.Ways.Measured(from, rtt, hops, l.Peers.env.now())
}
