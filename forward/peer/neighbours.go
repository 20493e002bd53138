package peer

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/peer/pinger"
	"go.uber.org/zap"
)

// Neighbours is the proxy among its neighbours: the sockets of icp_port and
// htcp_port, the questions under way, and what is answered to others. It outlives
// configurations.
type Neighbours struct {
	log   *zap.Logger
	local atomic.Pointer[Local]

	// turn is held over the whole of a change of configuration, the start and the
	// end. Background work, which they wait for, takes mu, but never turn.
	turn           sync.Mutex
	started, ended bool

	mu        sync.Mutex // guards what follows
	sockets   []*socket
	rounds    rounds
	stock     stock
	pings     *pinger.Pinger // nil for none
	closed    bool
	listening sync.WaitGroup
}

// Local is this proxy as its neighbours see it, under one configuration.
type Local struct {
	Config *conf.Config
	Lists  *acl.Set
	Peers  *Set
	// Methods and URL are how requests are read.
	Methods *http1.Methods
	URL     http1.URLOptions
	// Cache is what is stored here.
	Cache Cache
	// Log writes the line of an ICP query to access.log.
	Log func(Query)
}

// Query is an ICP query that was answered, for access.log.
type Query struct {
	// Tag is UDP_HIT, UDP_MISS, …
	Tag string
	// Size is that of the answer in octets.
	Size int
	From netip.AddrPort
	URL  []byte
	// Began is when it came.
	Began time.Time
}

// NewNeighbours makes one without sockets.
func NewNeighbours(log *zap.Logger) *Neighbours {
	n := &Neighbours{log: log}
	n.rounds.init()
	return n
}

// protocol is what is spoken on a socket.
type protocol uint8

const (
	speaksICP protocol = iota
	speaksHTCP
)

// socket is one UDP socket.
type socket struct {
	*net.UDPConn
	protocol protocol
	bound    netip.AddrPort
	groups   string // mcast_groups it joined, as written
	out      bool   // questions leave by it
}

// wanted is the sockets a configuration asks for: one for each port, and another
// where udp_outgoing_address differs from udp_incoming_address.
func wanted(cfg *conf.Config) (list []socket) {
	in, out := cfg.UDPIncomingAddress, cfg.UDPOutgoingAddress
	any4 := netip.IPv4Unspecified()
	if !in.IsValid() {
		in = any4
	}
	for _, port := range []struct {
		protocol protocol
		number   uint16
	}{{speaksICP, cfg.ICPPort}, {speaksHTCP, cfg.HTCPPort}} {
		if port.number == 0 {
			continue
		}
		groups := ""
		if port.protocol == speaksICP {
			groups = fmt.Sprint(cfg.MulticastGroups)
		}
		list = append(list, socket{protocol: port.protocol, bound: netip.AddrPortFrom(in, port.number), groups: groups, out: true})
		if out.IsValid() && out != in && out != netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
			list[len(list)-1].out = false
			list = append(list, socket{protocol: port.protocol, bound: netip.AddrPortFrom(out, port.number), out: true})
		}
	}
	return list
}

// Listen opens the sockets a configuration asks for; those that are open already
// and stay are kept. On error nothing has changed. The error names the directive.
func (n *Neighbours) Listen(ctx context.Context, cfg *conf.Config) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return net.ErrClosed
	}
	var next, opened []*socket
	for _, w := range wanted(cfg) {
		s := n.find(&w)
		if s == nil {
			var err error
			if s, err = open(ctx, w, cfg); err != nil {
				for _, s := range opened {
					s.Close()
				}
				return err
			}
			opened = append(opened, s)
		}
		next = append(next, s)
	}
	for _, s := range n.sockets {
		if !contains(next, s) {
			s.Close()
		}
	}
	n.sockets = next
	n.rounds.use(next)
	n.openPinger(cfg)
	for _, s := range opened {
		n.log.Info(s.says(next))
		n.listening.Add(1)
		go n.receive(s)
	}
	return nil
}

func contains(list []*socket, s *socket) bool {
	for _, have := range list {
		if have == s {
			return true
		}
	}
	return false
}

// find gives the open socket that serves as w.
func (n *Neighbours) find(w *socket) *socket {
	for _, s := range n.sockets {
		if s.protocol == w.protocol && s.bound == w.bound && s.groups == w.groups && s.out == w.out {
			return s
		}
	}
	return nil
}

// Use makes a configuration the one that is answered by from now on. What its peers
// need beside requests begins with it, once Start was called, and ends with the next.
func (n *Neighbours) Use(l *Local) {
	n.turn.Lock()
	defer n.turn.Unlock()
	old := n.local.Swap(l)
	if old != nil && old.Peers != l.Peers {
		old.Peers.stop()
		n.rounds.forgetLate()
	}
	if n.started {
		n.begin(l)
	}
}

// begin begins what a configuration needs beside requests.
func (n *Neighbours) begin(l *Local) {
	if !l.Peers.start(n) {
		return
	}
	if l.Config.DigestGeneration {
		l.Peers.spawn(func(ctx context.Context) { n.keepStock(ctx, l) })
	} else {
		n.stock.now.Store(nil)
	}
}

// Start begins what the peers need beside requests.
func (n *Neighbours) Start() {
	n.turn.Lock()
	defer n.turn.Unlock()
	if n.started || n.ended {
		return
	}
	n.started = true
	if l := n.local.Load(); l != nil {
		n.begin(l)
	}
}

// Close closes the sockets and waits until nothing is answered any more.
func (n *Neighbours) Close() {
	n.turn.Lock()
	defer n.turn.Unlock()
	n.started, n.ended = false, true
	n.mu.Lock()
	n.closed = true
	for _, s := range n.sockets {
		s.Close()
	}
	n.sockets = nil
	n.rounds.use(nil)
	if n.pings != nil {
		n.pings.Close()
	}
	n.mu.Unlock()
	if l := n.local.Load(); l != nil {
		l.Peers.stop()
	}
	n.listening.Wait()
}
