package forward

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/asn"
	"github.com/cuttle-proxy/cuttle/forward/auth"
	"github.com/cuttle-proxy/cuttle/forward/clients"
	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/holdings"
	"github.com/cuttle-proxy/cuttle/forward/origin"
	"github.com/cuttle-proxy/cuttle/forward/overload"
	"github.com/cuttle-proxy/cuttle/forward/peer"
	"github.com/cuttle-proxy/cuttle/forward/peer/netdb"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/cuttle-proxy/cuttle/forward/sock"
)

// lookups is how names are looked up.
func (s *Server) lookups(cfg *conf.Config) dns.Options {
	o := dns.FromConfig(cfg, s.parts.Log)
	o.Control = s.parts.PrepareLookup
	o.Trace = s.say.DNS
	return o
}

// New builds everything the configuration asks for except sockets. An error
// names the directive at fault; nothing is left open then.
func New(cfg *conf.Config, parts Parts) (*Server, error) {
	s := &Server{parts: parts, failed: make(chan error, 1), over: make(chan struct{}), say: report.NewSections(parts.Log), logins: auth.NewMemory()}
	s.helpers.Spawner = parts.Spawner
	s.names = parts.Resolver
	if s.names == nil {
		s.ownNames = dns.New(s.lookups(cfg))
		s.names = s.ownNames
	}
	var err error
	if s.watcher, err = sock.NewWatcher(); err != nil {
		s.closeNames()
		return nil, err
	}
	s.pool = origin.NewPool(origin.PoolOptions{Timeout: cfg.PconnTimeout})
	s.dialer = origin.Dialer{Pool: s.pool, Watcher: s.watcher, Dial: s.dial}
	s.fetching.Names, s.fetching.Pool, s.fetching.Dialer, s.fetching.Log = s.names, s.pool, &s.dialer, parts.Log
	s.fetching.Say = s.say
	s.cache.Fetching, s.cache.Logs, s.cache.Panics = &s.fetching, s.logs, &s.panics
	s.cache.Refreshed = s.logRefresh
	s.cache.Disks, s.cache.CheckDisks = parts.Disks, parts.CheckDisks
	s.neighbours = peer.NewNeighbours(parts.Log)
	s.crew = clients.NewCrew((*client).serveNew)
	s.systems = asn.New(asn.Dialer(s.names, func(ctx context.Context, to netip.AddrPort) (asn.Conn, error) {
		return parts.Network.Dial(ctx, Dialing{To: to})
	}), parts.Log)
	s.peers = peer.Env{Names: s.names, Log: parts.Log, Connect: s.tryPeer, Over: s.over, Talk: s.neighbours, Getter: documents{s}, Ways: netdb.New(cfg.NetDBLow, cfg.NetDBHigh)}
	s.ports.Open, s.ports.Accept, s.ports.Log = parts.Network.Listen, s.acceptFrom, parts.Log
	s.overload.Log, s.overload.Rest, s.overload.Relieve, s.overload.Tell = parts.Log, parts.OverloadRest, s.pool.DropIdle, parts.Overloaded
	s.reserve.State, s.reserve.LetGo = &s.overload, s.relieve
	p, err := newPolicy(cfg, s.shared())
	if err != nil {
		s.watcher.Close()
		s.closeNames()
		return nil, err
	}
	if err = s.cache.Open(cfg); err != nil {
		p.retire()
		s.watcher.Close()
		s.closeNames()
		return nil, err
	}
	s.current.Store(p)
	s.neighbours.Use(s.local(p))
	s.vitals.Watch(parts.Log, func() *conf.Config { return s.current.Load().cfg })
	p.warn(parts.Log)
	return s, nil
}

// Listen opens every http_port, at least one of them, icp_port and htcp_port. It is
// separate from Serve because ports and transparent sockets may need rights the
// process gives up before serving.
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
	s.current.Load().fetch.Peers.LoadWays()
	s.neighbours.Start()
	s.systems.Configure(s.current.Load().cfg)
	select {
	case err := <-s.failed:
		return err
	case <-s.over:
		return nil
	}
}

// Swap replaces the configuration. Transactions under way keep the one they
// began with, listeners that stay remain open. On error the old configuration
// goes on serving; a port, log, error page or cache_dir that cannot be had is none
// (Unserved).
func (s *Server) Swap(ctx context.Context, cfg *conf.Config) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping.Load() {
		return nil
	}
	var excused []error
	with := s.shared()
	with.excuse = func(err error) { excused = append(excused, err) }
	p, err := newPolicy(cfg, with)
	if err != nil {
		return err
	}
	if err := s.ports.Use(ctx, cfg.Ports()); err != nil {
		p.retire()
		return err
	}
	if err := s.neighbours.Listen(ctx, cfg); err != nil {
		excused = append(excused, err)
	}
	if s.ownNames != nil {
		s.ownNames.Reconfigure(s.lookups(cfg))
	}
	s.pool.SetOptions(origin.PoolOptions{Timeout: cfg.PconnTimeout})
	if err := s.cache.Reconfigure(cfg); err != nil {
		excused = append(excused, err)
	}
	for _, err := range excused {
		s.parts.Log.Error("ERROR: {error}", report.Error(err))
	}
	s.unserved = excused
	old := s.current.Swap(p)
	old.delay.Retire()
	s.peers.Ways.SetBounds(cfg.NetDBLow, cfg.NetDBHigh)
	s.neighbours.Use(s.local(p))
	s.ports.Settle()
	s.systems.Configure(cfg)
	p.warn(s.parts.Log)
	s.former = append(slices.DeleteFunc(s.former, (*accesslog.Logs).Closed), old.logs)
	old.retire()
	return nil
}

// Rotate writes the swap.state of each cache_dir anew, closes the log files, renames
// them when logfile_rotate asks for it and opens them anew; those too of configurations
// under which a tunnel or a transfer goes on.
func (s *Server) Rotate() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cache.Store.Rotate()
	problems := []error{s.current.Load().logs.Rotate()}
	s.former = slices.DeleteFunc(s.former, (*accesslog.Logs).Closed)
	for _, l := range s.former {
		problems = append(problems, l.Reopen())
	}
	return errors.Join(problems...)
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
		left := s.clients.Departure()
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
		s.clients.Each((*client).cut)
		t := time.NewTimer(time.Second)
		select {
		case <-s.clients.Empty():
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
		s.crew.Close()
		s.overload.End()
		s.vitals.Close()
		s.systems.Close()
		s.neighbours.Close()
		s.cache.Close()
		s.pool.Close()
		s.watcher.Close()
		s.closeNames()
		s.current.Load().retire()
		s.helpers.End(helperFarewell)
		sock.ClosePipes()
		close(s.over)
	})
}

func (s *Server) closeNames() {
	if s.ownNames != nil {
		s.ownNames.Close()
	}
}

// Dismiss ends the connections of intercepted clients that wait for a request, and
// those of the others after their answer. It is for when a router has given their
// packets to another cache: what they would send next arrives where nobody knows
// them, and a client whose kept connection was closed opens another one.
func (s *Server) Dismiss() {
	s.clients.Each(func(cl *client) {
		if cl.intercepted {
			cl.dismiss()
		}
	})
}

// dial makes the connection an origin.Key asks for.
func (s *Server) dial(ctx context.Context, k origin.Key, wishes origin.Wishes) (conn sock.Socket, err error) {
	d := Dialing{To: k.To, TOS: k.TOS}
	if wishes.Tunnel {
		d.Watcher = s.watcher
	}
	switch {
	case k.As.IsValid():
		d.From, d.Spoof = netip.AddrPortFrom(k.As, wishes.First), true
		d.LastPort = wishes.Last
	case k.From.IsValid():
		d.From = netip.AddrPortFrom(k.From, 0)
	}
	patience := min(shortagePatience, cmp.Or(s.parts.OverloadRest, shortagePatience))
	for waited := time.Duration(0); ; waited += shortageStep {
		conn, err = s.parts.Network.Dial(ctx, d)
		if err == nil || !overload.Shortage(err) || waited >= patience || ctx.Err() != nil {
			return conn, err
		}
		s.overload.Failed(err)
		s.relieve(relief)
		select {
		case <-ctx.Done():
		case <-time.After(shortageStep):
		}
	}
}

// A connection for which there is no descriptor waits so long, in such steps, for one
// of so many that are let go.
const (
	shortagePatience = 2 * time.Second
	shortageStep     = 50 * time.Millisecond
	relief           = 8
)

// relieve lets go of connections nobody needs just now: idle ones to origins, then up
// to n of clients that wait for their next request, then of clients that said nothing.
func (s *Server) relieve(n int) {
	if idle := s.pool.Len(); idle > 0 {
		s.pool.DropIdle()
		n -= idle
	}
	for _, cl := range s.clients.Idle(n, time.Now().Add(-silentGrace), (*client).use) {
		cl.evict()
	}
}

// tryPeer makes the connection that shows whether a peer is back.
func (s *Server) tryPeer(ctx context.Context, to netip.AddrPort) error {
	c, err := s.dial(ctx, origin.Key{To: to}, origin.Wishes{})
	if err != nil {
		return err
	}
	return c.Close()
}

// Peers tells of the peers of the present configuration.
func (s *Server) Peers() []peer.Status {
	p := s.acquire()
	defer p.Release()
	return p.fetch.Peers.Status()
}

// local is the proxy as its neighbours see it under a policy.
func (s *Server) local(p *policy) *peer.Local {
	return &peer.Local{
		Config: p.cfg, Lists: p.lists, Peers: p.fetch.Peers, Methods: p.request.Methods, URL: p.url,
		Cache: holdings.Holdings{Store: s.cache.Store, Rules: p.fetch.Rules, Purge: s.cache.Purge}, Log: s.logQuery,
	}
}

// logs are those of the present configuration, nil before there is one.
func (s *Server) logs() *accesslog.Logs {
	if p := s.current.Load(); p != nil {
		return p.logs
	}
	return nil
}

// logEnv is what the logs need of the server.
func (s *Server) logEnv() accesslog.Env {
	return accesslog.Env{
		Files: s.parts.LogFiles,
		Name: func(a netip.Addr) string {
			name, _ := s.names.KnownName(a)
			return name
		},
		Report: func(err error) { s.parts.Log.Error("WARNING: {error}", report.Error(err)) },
	}
}

// helperFarewell is how long helper programs may take to end when the proxy does.
const helperFarewell = time.Second

// shared is what the policies of all configurations have in common.
func (s *Server) shared() *shared {
	return &shared{
		names: s.names, connections: &s.clients, hardware: &s.hardware, systems: s.systems, peers: &s.peers, dates: &s.dates,
		version: s.parts.Version, log: s.parts.Log, trace: s.say.ACL, logs: s.logEnv(), helpers: &s.helpers, logins: s.logins,
	}
}
