package forward

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/accesslog"
	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/asn"
	"github.com/cuttle-proxy/cuttle/forward/auth"
	"github.com/cuttle-proxy/cuttle/forward/caching"
	"github.com/cuttle-proxy/cuttle/forward/clients"
	"github.com/cuttle-proxy/cuttle/forward/delay"
	"github.com/cuttle-proxy/cuttle/forward/dns"
	"github.com/cuttle-proxy/cuttle/forward/fetch"
	"github.com/cuttle-proxy/cuttle/forward/helper"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/origin"
	"github.com/cuttle-proxy/cuttle/forward/overload"
	"github.com/cuttle-proxy/cuttle/forward/peer"
	"github.com/cuttle-proxy/cuttle/forward/ports"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"github.com/cuttle-proxy/cuttle/forward/store"
	"github.com/cuttle-proxy/cuttle/forward/uses"
	"github.com/cuttle-proxy/cuttle/forward/vitals"
	"go.uber.org/zap"
)

// Network is what forward needs from the host's network. tproxy provides it and
// cmd/squid hands it over, so that forward never imports tproxy.
type Network interface {
	// Listen opens the sockets of one http_port line. Every returned listener
	// accepts for that line; an error names the address and what to do about it.
	Listen(ctx context.Context, port *conf.HTTPPort) ([]*net.TCPListener, error)

	// OriginalDestination tells where the client of an accepted connection
	// wanted to go, of which local is the address on our side. intercepted is false for a client that connected to the
	// proxy itself; such a client is never spoofed.
	OriginalDestination(c syscall.Conn, local netip.AddrPort, port *conf.HTTPPort) (dst netip.AddrPort, intercepted bool, err error)

	// Dial connects to an origin or peer.
	Dial(ctx context.Context, d Dialing) (sock.Socket, error)
}

// Dialing says how one outgoing connection is to be made.
type Dialing struct {
	To netip.AddrPort
	// From is the local address; the zero value leaves the choice to the kernel.
	// With port 0 the kernel picks the port at connect time
	// (IP_BIND_ADDRESS_NO_PORT); another port is tried first and given up for one
	// that can be had.
	From netip.AddrPort
	// Spoof says that From is not an address of this host (IP_TRANSPARENT).
	Spoof bool
	// LastPort is the local port to try when no other can be had; 0 for none.
	LastPort uint16
	// TOS is the IP type-of-service octet (tcp_outgoing_tos); 0 leaves it alone.
	TOS uint8
	// Watcher is who waits for the connection, as a sock.Descriptor; nil for the runtime's
	// poller.
	Watcher *sock.Watcher
}

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
	// Spawner starts helper programs; nil starts them as children of this process.
	Spawner helper.Spawner
	// Overloaded is told when the process runs out of descriptors or memory, and
	// when it is well again; nil for nobody to tell.
	Overloaded func(bool)
	// OverloadRest is how long it must have been well; 0 for the default.
	OverloadRest time.Duration
	// Disks: the directories of cache_dir are used. CheckDisks compares the length of
	// each file with swap.state at the start (squid -S).
	Disks, CheckDisks bool
}

// Server forwards HTTP for one configuration at a time. Everything it derives
// from the configuration (access lists, resolver, log files, error pages) it
// builds itself, so that a reconfigure is one call.
type Server struct {
	parts      Parts
	current    atomic.Pointer[policy]
	names      dns.Resolver
	ownNames   *dns.Cache // names, when it is ours
	watcher    *sock.Watcher
	pool       *origin.Pool
	dialer     origin.Dialer
	fetching   fetch.Env
	cache      caching.Cache
	peers      peer.Env
	neighbours *peer.Neighbours
	dates      http1.DateCache
	clients    clients.Set[*client]
	crew       *clients.Crew[*client]
	hardware   acl.Neighbours
	helpers    helper.Group
	systems    *asn.Table // networks of autonomous systems
	logins     *auth.Memory
	overload   overload.State
	reserve    overload.Reserve
	tunnelled  report.PerClient // clients that do not speak HTTP
	vitals     vitals.Vitals
	say        report.Sections
	loops      report.PerClient // requests that passed here before
	strangers  report.PerClient // IPv6 clients that IPv4 rules would have let in

	ports    ports.Set
	mu       sync.Mutex        // guards unserved, former and the order of Swap, Rotate and Shutdown
	former   []*accesslog.Logs // of configurations in use before, closed ones among them
	unserved []error           // what of the configuration cannot be had, beside http_ports
	failed   chan error
	over     chan struct{} // closed when Shutdown has finished
	overOnce sync.Once

	stopping atomic.Bool
	_        [64]byte // what each request writes is in no cache line that each one reads
	requests uses.Spread
	blind    atomic.Uint64
	passed   atomic.Uint64
	panics   atomic.Uint64
}

// Helpers are the helper programs and what they were asked.
func (s *Server) Helpers() []helper.Stats { return s.helpers.Stats() }

// Rebuilt is closed when the store knows what lies in the cache_dirs of the first
// configuration.
func (s *Server) Rebuilt() <-chan struct{} { return s.cache.Store.Rebuilt() }

// StoreStats is the state of the store.
func (s *Server) StoreStats() store.Stats { return s.cache.Stats() }

// DelayPools tells of the delay pools of the present configuration.
func (s *Server) DelayPools() []delay.Status { return s.delayPools().Status() }

func (s *Server) delayPools() *delay.Pools { return s.current.Load().delay }

// Requests is the number of requests served so far.
func (s *Server) Requests() uint64 { return uint64(s.requests.Sum()) }

// BlindTunnels is the number of intercepted connections that did not speak HTTP
// and were joined to where the client wanted to go.
func (s *Server) BlindTunnels() uint64 { return s.blind.Load() }

// Overload tells of shortages of descriptors or memory.
func (s *Server) Overload() overload.Counts { return s.overload.Counts() }

// Verification tells how many intercepted requests were checked, how many of them
// named a host that DNS does not tie to the address the client dialled, and how many
// like that http_access denied.
func (s *Server) Verification() (checked, unverified, denied uint64) {
	hosts := &s.fetching.Hosts
	return hosts.Checked.Load(), hosts.Unverified.Load(), hosts.Denied.Load()
}

// PassedTLS is the number of intercepted TLS connections that were passed on by the
// name in their ClientHello.
func (s *Server) PassedTLS() uint64 { return s.passed.Load() }

// Unserved is what the configuration in force asks for and cannot be had: ports, of
// which an http_port is tried again now and then, logs, pages, cache_dirs.
func (s *Server) Unserved() (list []error) {
	for _, f := range s.ports.Failures() {
		list = append(list, f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return append(list, s.unserved...)
}

// Transfers is the number of requests and tunnels under way, one for each client
// connection that does not just wait.
func (s *Server) Transfers() (n int) {
	s.clients.Each(func(cl *client) {
		if cl.busy.Load() {
			n++
		}
	})
	return n
}

// acquire takes the policy that is current now.
func (s *Server) acquire() *policy {
	for {
		p := s.current.Load()
		p.Hold()
		if p == s.current.Load() {
			return p
		}
		p.Release()
	}
}

// acquireFor is acquire for a transaction that counts in a part.
func (s *Server) acquireFor(part uses.Part) *policy {
	for {
		p := s.current.Load()
		p.uses.HoldPart(part)
		if p == s.current.Load() {
			return p
		}
		p.leave(part)
	}
}
