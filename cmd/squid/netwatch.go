package main

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward"
	"github.com/cuttle-proxy/cuttle/tproxy"
	"github.com/cuttle-proxy/cuttle/tproxy/gre"
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

// networkWatch looks after what changes underneath a process that intercepts.
type networkWatch struct {
	log   *zap.Logger
	stop  chan struct{}
	ended sync.WaitGroup

	routers []netip.Addr
	told    networkCounts // what had gone wrong when it was last told of
	toldAt  time.Time     // zero for never

	ifaces   string          // the interfaces there are
	known    map[string]bool // findings about the host that were told of
	lookedAt time.Time
}

// networkCounts are the counters -k network shows.
type networkCounts struct {
	Dial       tproxy.DialCounts `json:"connections"`
	GRE        *gre.Counts       `json:"gre,omitempty"`
	Routers    []netip.Addr      `json:"gre_routers,omitempty"`
	Stranger   string            `json:"gre_last_stranger,omitempty"`
	Checked    uint64            `json:"host_checked"`
	Unverified uint64            `json:"host_unverified"`
	Tunnels    uint64            `json:"blind_tunnels"`
	Overload   forward.Overload  `json:"overload"`
}

// counts reads all of them.
func (p *process) counts() networkCounts {
	n := networkCounts{Dial: p.network.dialCounts(), Tunnels: p.server.BlindTunnels(), Overload: p.server.Overload()}
	n.Checked, n.Unverified = p.server.Verification()
	if r := p.gre.Load(); r != nil {
		c := r.Counts()
		n.GRE = &c
		if who := r.Stranger(); who.IsValid() {
			n.Stranger = who.String()
		}
	}
	return n
}

// watchNetwork begins to look. It is called again after a reconfigure.
func (p *process) watchNetwork(cfg *conf.Config) {
	p.unwatchNetwork()
	if !intercepts(cfg) {
		return
	}
	w := &networkWatch{log: p.log, stop: make(chan struct{})}
	if before := p.watch; before != nil {
		w.told, w.toldAt = before.told, before.toldAt
	}
	p.watch = w
	w.ifaces, w.lookedAt = interfaces(), time.Now()
	w.ended.Go(func() {
		tick := time.NewTicker(watchInterval)
		defer tick.Stop()
		w.known = w.findings(cfg) // the start has told of these
		for {
			select {
			case <-w.stop:
				return
			case now := <-tick.C:
				w.followRouters(p, cfg)
				w.tell(p.counts(), now)
				w.lookAtHost(p, cfg, now)
			}
		}
	})
}

func (p *process) unwatchNetwork() {
	if w := p.watch; w != nil && w.stop != nil {
		close(w.stop)
		w.ended.Wait()
		w.stop = nil // it remembers what it has told of
	}
}

// followRouters lets those send GRE that WCCP has learnt of.
func (w *networkWatch) followRouters(p *process, cfg *conf.Config) {
	r := p.gre.Load()
	if r == nil {
		return
	}
	list := routersOf(cfg, p.learntRouters())
	if slices.Equal(list, w.routers) {
		return
	}
	w.routers = list
	r.SetRouters(list)
	w.log.Info(fmt.Sprintf("GRE is accepted from %v", list))
}

// tell logs what went wrong since it was last told.
func (w *networkWatch) tell(now networkCounts, at time.Time) {
	if at.Sub(w.toldAt) < troubleSilence {
		return
	}
	lines := now.trouble(w.told)
	if len(lines) == 0 {
		return
	}
	for _, line := range lines {
		w.log.Warn("WARNING: " + line)
	}
	w.told, w.toldAt = now, at
}

// trouble words what has gone wrong since another reading.
func (n networkCounts) trouble(since networkCounts) (lines []string) {
	more := func(count, before uint64, format string, args ...any) {
		if count > before {
			lines = append(lines, fmt.Sprintf(format, append([]any{count - before}, args...)...))
		}
	}
	more(n.Dial.Exhausted, since.Dial.Exhausted,
		"%d connections could not be made for want of a local port; widen net.ipv4.ip_local_port_range")
	more(n.Dial.Refused, since.Dial.Refused, "%d connections would have come back to the proxy itself")
	if n.GRE == nil {
		return lines
	}
	before := gre.Counts{}
	if since.GRE != nil && since.GRE.Received <= n.GRE.Received { // the same receiver still
		before = *since.GRE
	}
	more(n.GRE.Stranger, before.Stranger, "%d GRE packets dropped, the last from %s, which is no router of ours; if it is one, name it in wccp2_router", cmp.Or(n.Stranger, "an address the packet filter does not tell"))
	more(n.GRE.Lost, before.Lost, "%d GRE packets lost because they came faster than they could be taken")
	more(n.GRE.Malformed+n.GRE.Checksum, before.Malformed+before.Checksum, "%d damaged GRE packets dropped")
	more(n.GRE.Own, before.Own, "%d GRE packets dropped that would have gone round in a loop")
	more(n.GRE.Unsent, before.Unsent, "%d packets could not be given back to a router")
	return lines
}

// lookAtHost checks the host again when interfaces have come or gone, and now and
// then in any case: with network_setup what is missing is made again, and what is
// not well since is told of.
func (w *networkWatch) lookAtHost(p *process, cfg *conf.Config, now time.Time) {
	there := interfaces()
	if there == w.ifaces && now.Sub(w.lookedAt) < hostInterval {
		return
	}
	if there != w.ifaces && cfg.NetworkSetup {
		p.setUpNetworkAgain(cfg)
	}
	w.ifaces, w.lookedAt = there, now
	if decapsulates(cfg) && int(segmentSize(cfg)) != p.network.now.Load().sockets.MSS {
		p.network.configure(cfg)
		w.log.Info(fmt.Sprintf("TCP segments are kept to %d octets, as the way to the router wants it", segmentSize(cfg)))
	}
	found := lookAtHost(cfg)
	known := map[string]bool{}
	for _, f := range found {
		known[f.ID+f.Fact] = true
		if !w.known[f.ID+f.Fact] {
			p.tellFindings([]host.Finding{f})
		}
	}
	w.known = known
}

func (w *networkWatch) findings(cfg *conf.Config) map[string]bool {
	known := map[string]bool{}
	for _, f := range lookAtHost(cfg) {
		known[f.ID+f.Fact] = true
	}
	return known
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
