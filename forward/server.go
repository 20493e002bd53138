package forward

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/origin"
	"github.com/cuttle-proxy/cuttle/forward/overload"
	"github.com/cuttle-proxy/cuttle/forward/peer"
	"github.com/cuttle-proxy/cuttle/forward/ports"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"go.uber.org/zap"
)

// Parts are what a Server is given beside its configuration.
type Parts struct {
	// Network opens listeners, tells original destinations and dials.
	Network Network
	// Log receives the lines of cache.log.
	Log *zap.Logger
	// Version is the release named in Via, Server and page signatures, as in
	// squid/VERSION.
	Version string
	// LogFiles opens and renames the logs; nil does it in this process.
	LogFiles accesslog.Opener
	// Resolver answers names; nil means forward/dns by the configuration.
	Resolver dns.Resolver
	// PrepareLookup is applied to every socket of forward/dns before use; nil does
	// nothing.
	PrepareLookup func(network, address string, c syscall.RawConn) error
	// Overloaded is told when the process runs out of descriptors or memory, and
	// when it is well again; nil for nobody to tell.
	Overloaded func(bool)
	// OverloadRest is how long it must have been well; 0 for the default.
	OverloadRest time.Duration
}

// Server forwards HTTP for one configuration at a time. Everything it derives
// from the configuration (access lists, resolver, log files, error pages) it
// builds itself, so that a reconfigure is one call.
type Server struct {
	parts      Parts
	current    atomic.Pointer[policy]
	names      dns.Resolver
	cache      *dns.Cache // names, when it is ours
	watcher    *sock.Watcher
	pool       *origin.Pool
	dialer     origin.Dialer
	fetching   fetch.Env
	peers      peer.Env
	neighbours *peer.Neighbours
	dates      http1.DateCache
	clients    clients
	hardware   acl.Neighbours
	overload   overload.State
	tunnelled  report.PerClient // clients that do not speak HTTP
	strangers  report.PerClient // IPv6 clients that IPv4 rules would have let in

	ports    ports.Set
	mu       sync.Mutex // guards unheard and the order of Swap, Rotate and Shutdown
	unheard  error      // icp_port or htcp_port cannot be had
	failed   chan error
	over     chan struct{} // closed when Shutdown has finished
	overOnce sync.Once

	stopping atomic.Bool
	requests atomic.Uint64
	blind    atomic.Uint64
	passed   atomic.Uint64
	panics   atomic.Uint64
}

// lookups is how names are looked up.
func (s *Server) lookups(cfg *conf.Config) dns.Options {
	o := dns.FromConfig(cfg, s.parts.Log)
	o.Control = s.parts.PrepareLookup
	return o
}

// New builds everything the configuration asks for except sockets. An error
// names the directive at fault; nothing is left open then.
func New(cfg *conf.Config, parts Parts) (*Server, error) {
	s := &Server{parts: parts, failed: make(chan error, 1), over: make(chan struct{})}
	s.names = parts.Resolver
	if s.names == nil {
		s.cache = dns.New(s.lookups(cfg))
		s.names = s.cache
	}
	var err error
	if s.watcher, err = sock.NewWatcher(); err != nil {
		s.closeNames()
		return nil, err
	}
	s.pool = origin.NewPool(origin.PoolOptions{Timeout: cfg.PconnTimeout})
	s.dialer = origin.Dialer{Pool: s.pool, Watcher: s.watcher, Dial: s.dial}
	s.fetching.Names, s.fetching.Pool, s.fetching.Dialer, s.fetching.Log = s.names, s.pool, &s.dialer, parts.Log
	s.neighbours = peer.NewNeighbours(parts.Log)
	s.peers = peer.Env{Names: s.names, Log: parts.Log, Connect: s.tryPeer, Over: s.over, Talk: s.neighbours}
	s.ports.Open, s.ports.Accept, s.ports.Log = parts.Network.Listen, s.acceptFrom, parts.Log
	s.overload.Log, s.overload.Rest, s.overload.Relieve, s.overload.Tell = parts.Log, parts.OverloadRest, s.pool.DropIdle, parts.Overloaded
	p, err := newPolicy(cfg, s)
	if err != nil {
		s.watcher.Close()
		s.closeNames()
		return nil, err
	}
	s.current.Store(p)
	s.neighbours.Use(s.local(p))
	p.warn(parts.Log)
	return s, nil
}

// Unserved are the ports that cannot be had; an http_port is tried again now and then.
func (s *Server) Unserved() (list []error) {
	for _, f := range s.ports.Failures() {
		list = append(list, f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unheard != nil {
		list = append(list, s.unheard)
	}
	return list
}

// Listen opens every http_port, at least one of them, icp_port and htcp_port. It is separate from Serve because ports and
// transparent sockets may need rights the process gives up before serving.
func (s *Server) Listen(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cfg := s.current.Load().cfg
	if err := s.ports.Use(ctx, cfg.Ports()); err != nil {
		return err
	}
	s.ports.Settle()
	return s.neighbours.Listen(ctx, cfg)
}

// Serve accepts and serves until Shutdown has finished. It returns nil after
// a Shutdown and an error when a listener fails for good.
func (s *Server) Serve() error {
	s.ports.Serve()
	select {
	case err := <-s.failed:
		return err
	case <-s.over:
		return nil
	}
}

// Swap replaces the configuration. Transactions under way keep the one they
// began with, listeners that stay remain open. On error the old configuration
// goes on serving; a port that cannot be had is none (Unserved).
func (s *Server) Swap(ctx context.Context, cfg *conf.Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Load() {
		return nil
	}
	p, err := newPolicy(cfg, s)
	if err != nil {
		return err
	}
	if err := s.ports.Use(ctx, cfg.Ports()); err != nil {
		p.release()
		return err
	}
	if s.unheard = s.neighbours.Listen(ctx, cfg); s.unheard != nil {
		s.parts.Log.Error("ERROR: " + s.unheard.Error())
	}
	if s.cache != nil {
		s.cache.Reconfigure(s.lookups(cfg))
	}
	s.pool.SetOptions(origin.PoolOptions{Timeout: cfg.PconnTimeout})
	old := s.current.Swap(p)
	s.neighbours.Use(s.local(p))
	s.ports.Settle()
	p.warn(s.parts.Log)
	old.release()
	return nil
}

// Rotate closes the log files, renames them when logfile_rotate asks for it
// and opens them anew.
func (s *Server) Rotate() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current.Load().logs.Rotate()
}

// Shutdown stops accepting and waits at most lifetime for transactions under
// way, then cuts them. Until the last of them has ended, idle connections stay
// open, and a request that comes on one is told that the proxy stops. It returns
// when all have ended and the logs are flushed. A second call with a shorter
// lifetime shortens the first.
func (s *Server) Shutdown(lifetime time.Duration) {
	s.stopping.Store(true)
	s.mu.Lock()
	s.ports.Close()
	s.mu.Unlock()
	t := time.NewTimer(lifetime)
	defer t.Stop()
	for over := false; !over; {
		left := s.clients.departure()
		if s.Transfers() == 0 {
			break
		}
		select {
		case <-left:
		case <-t.C:
			over = true
		case <-s.over:
			return
		}
	}
	for {
		s.clients.each((*client).cut)
		t := time.NewTimer(time.Second)
		select {
		case <-s.clients.empty():
			t.Stop()
			s.finish()
			return
		case <-t.C: // one that was just being accepted
		}
	}
}

// finish closes what is left after the last client.
func (s *Server) finish() {
	s.overOnce.Do(func() {
		s.overload.End()
		s.neighbours.Close()
		s.pool.Close()
		s.watcher.Close()
		s.closeNames()
		s.current.Load().release()
		sock.ClosePipes()
		close(s.over)
	})
}

func (s *Server) closeNames() {
	if s.cache != nil {
		s.cache.Close()
	}
}

// Requests is the number of requests served so far.
func (s *Server) Requests() uint64 { return s.requests.Load() }

// BlindTunnels is the number of intercepted connections that did not speak HTTP
// and were joined to where the client wanted to go.
func (s *Server) BlindTunnels() uint64 { return s.blind.Load() }

// Overload tells of shortages of descriptors or memory.
func (s *Server) Overload() overload.Counts { return s.overload.Counts() }

// Verification tells how many intercepted requests were checked, and how many
// of them named a host that DNS does not tie to the address the client dialled.
func (s *Server) Verification() (checked, unverified uint64) {
	return s.fetching.Hosts.Checked.Load(), s.fetching.Hosts.Unverified.Load()
}

// PassedTLS is the number of intercepted TLS connections that were passed on by the
// name in their ClientHello.
func (s *Server) PassedTLS() uint64 { return s.passed.Load() }

// Transfers is the number of requests and tunnels under way, one for each client
// connection that does not just wait.
func (s *Server) Transfers() (n int) {
	s.clients.each(func(cl *client) {
		if cl.busy.Load() {
			n++
		}
	})
	return n
}

// Dismiss ends the connections of intercepted clients that wait for a request, and
// those of the others after their answer. It is for when a router has given their
// packets to another cache: what they would send next arrives where nobody knows
// them, and a client whose kept connection was closed opens another one.
func (s *Server) Dismiss() {
	s.clients.each(func(cl *client) {
		if cl.intercepted {
			cl.dismissed.Store(true)
			if !cl.busy.Load() { // else it will look when the answer is out
				cl.c.Wake()
			}
		}
	})
}

// acquire takes the policy that is current now.
func (s *Server) acquire() *policy {
	for {
		p := s.current.Load()
		p.users.Add(1)
		if p == s.current.Load() {
			return p
		}
		p.release()
	}
}

// dial makes the connection an origin.Key asks for.
func (s *Server) dial(ctx context.Context, k origin.Key, ports origin.LocalPorts) (conn tcpConn, err error) {
	d := Dialing{To: k.To, TOS: k.TOS}
	switch {
	case k.As.IsValid():
		d.From, d.Spoof = netip.AddrPortFrom(k.As, ports.First), true
		d.LastPort = ports.Last
	case k.From.IsValid():
		d.From = netip.AddrPortFrom(k.From, 0)
	}
	conn, err = s.parts.Network.Dial(ctx, d)
	if err != nil {
		s.overload.Failed(err)
	}
	return conn, err
}

// tryPeer makes the connection that shows whether a peer is back.
func (s *Server) tryPeer(ctx context.Context, to netip.AddrPort) error {
	c, err := s.dial(ctx, origin.Key{To: to}, origin.LocalPorts{})
	if err != nil {
		return err
	}
	return c.Close()
}

// local is the proxy as its neighbours see it under a policy.
func (s *Server) local(p *policy) *peer.Local {
	return &peer.Local{
		Config: p.cfg, Lists: p.lists, Peers: p.fetch.Peers, Methods: p.request.Methods, URL: p.url,
		Cache: nothingStored{}, Log: s.logQuery,
	}
}

// logEnv is what the logs need of the server.
func (s *Server) logEnv() accesslog.Env {
	return accesslog.Env{
		Files: s.parts.LogFiles,
		Name: func(a netip.Addr) string {
			name, _ := s.names.KnownName(a)
			return name
		},
		Report: func(err error) { s.parts.Log.Error("WARNING: " + err.Error()) },
	}
}
