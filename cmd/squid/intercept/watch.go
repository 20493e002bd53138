package intercept

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/cuttle-proxy/cuttle/tproxy/host"
)

// How often an intercepting process looks at its network: the routers that may
// send GRE, the counters that tell of trouble. What went wrong is said once a
// minute at most; the path to the routers is measured anew as often.
const (
	watchInterval  = time.Second
	troubleSilence = time.Minute
	hostInterval   = 5 * time.Minute // between looks at the host, if no interface comes before
)

// watch looks after what changes underneath a process that intercepts.
type watch struct {
	log   *zap.Logger
	stop  chan struct{}
	ended sync.WaitGroup

	routers []netip.Addr
	told    Counts    // what had gone wrong when it was last told of
	toldAt  time.Time // zero for never

	ifaces   string          // the interfaces there are
	known    map[string]bool // findings about the host that were told of
	lookedAt time.Time
}

// startWatch begins to look. It is called again after a reconfigure.
func (h *Host) startWatch() {
	h.stopWatch()
	if !Wanted(h.cfg) {
		return
	}
	w := &watch{log: h.log, stop: make(chan struct{}), ifaces: h.ifaces, known: keysOf(h.findings), lookedAt: time.Now()}
	if before := h.watch; before != nil {
		w.told, w.toldAt, w.ifaces, w.known = before.told, before.toldAt, before.ifaces, before.known
	}
	if w.ifaces == "" {
		w.ifaces = interfaces()
	}
	h.watch, h.ifaces = w, ""
	w.ended.Go(func() {
		tick := time.NewTicker(watchInterval)
		defer tick.Stop()
		// Without root there may be other findings than the start has told of. What is
		// found of an interface that came meanwhile nobody has told of.
		if now := keysOf(lookAtHost(h.cfg)); interfaces() == w.ifaces {
			w.known = now
		}
		for {
			select {
			case <-w.stop:
				return
			case now := <-tick.C:
				w.followRouters(h)
				w.tell(h.counts(), now)
				w.lookAtHost(h, now)
			}
		}
	})
}

func (h *Host) stopWatch() {
	if w := h.watch; w != nil && w.stop != nil {
		close(w.stop)
		w.ended.Wait()
		w.stop = nil // it remembers what it has told of
	}
}

// followRouters lets those send GRE that WCCP has learnt of.
func (w *watch) followRouters(h *Host) {
	r := h.gre.Load()
	if r == nil {
		return
	}
	list := routersOf(h.cfg, h.learntRouters())
	if slices.Equal(list, w.routers) {
		return
	}
	w.routers = list
	r.SetRouters(list)
	w.log.Info("GRE is accepted from {senders}", zap.String("senders", fmt.Sprint(list)))
}

// tell logs what went wrong since it was last told.
func (w *watch) tell(now Counts, at time.Time) {
	if at.Sub(w.toldAt) < troubleSilence {
		return
	}
	lines := now.trouble(w.told)
	if len(lines) == 0 {
		return
	}
	for _, line := range lines {
		w.log.Warn("WARNING: {finding}", zap.String("finding", line))
	}
	w.told, w.toldAt = now, at
}

// lookAtHost checks the host again when interfaces have come or gone, and now and
// then in any case: with network_setup what is missing is made again, and what is
// not well since is told of.
func (w *watch) lookAtHost(h *Host, now time.Time) {
	there := interfaces()
	if there == w.ifaces && now.Sub(w.lookedAt) < hostInterval {
		return
	}
	if there != w.ifaces && h.cfg.NetworkSetup {
		if err := h.setUpRulesAgain(); err != nil {
			w.log.Error("ERROR: {error}", report.Error(err))
		}
	}
	w.ifaces, w.lookedAt = there, now
	if decapsulates(h.cfg) && int(segmentSize(h.cfg)) != h.Network.now.Load().sockets.MSS {
		h.Network.Configure(h.cfg)
		w.log.Info("TCP segments are kept to {octets} octets, as the way to the router wants it", zap.Uint16("octets", segmentSize(h.cfg)))
	}
	found := lookAtHost(h.cfg)
	for _, f := range found {
		if !w.known[f.ID+f.Fact] {
			h.tell([]host.Finding{f})
		}
	}
	w.known = keysOf(found)
}

// keysOf is what tells findings from others.
func keysOf(findings []host.Finding) map[string]bool {
	keys := map[string]bool{}
	for _, f := range findings {
		keys[f.ID+f.Fact] = true
	}
	return keys
}

// interfaces names the interfaces there are, as one text to compare.
func interfaces() string {
	list, err := net.Interfaces()
	if err != nil {
		return ""
	}
	var b strings.Builder
	for _, i := range list {
		fmt.Fprintf(&b, "%d %s\n", i.Index, i.Name)
	}
	return b.String()
}
