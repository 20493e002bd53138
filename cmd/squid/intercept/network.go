package intercept

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward"
	"github.com/cuttle-proxy/cuttle/forward/sock"
	"github.com/cuttle-proxy/cuttle/tproxy"
	"github.com/cuttle-proxy/cuttle/tproxy/rights"
)

// Network is tproxy in the shape forward asks for (forward.Network).
type Network struct {
	own *tproxy.Own
	// now is replaced by a reconfigure; connections keep what they began with.
	now atomic.Pointer[networkSettings]

	mu        sync.Mutex
	past      tproxy.DialCounts // of dialers that a reconfigure has replaced
	listeners []*net.TCPListener
}

// networkSettings are what the configuration says about sockets.
type networkSettings struct {
	sockets tproxy.SocketOptions
	dialer  *tproxy.Dialer
}

// NewNetwork begins to follow the host's addresses.
func NewNetwork(cfg *conf.Config) (*Network, error) {
	own, err := tproxy.WatchOwn()
	if err != nil {
		return nil, err
	}
	n := &Network{own: own}
	n.Configure(cfg)
	return n, nil
}

// Close ends the following of addresses.
func (n *Network) Close() { n.own.Close() }

// Configure takes over the socket settings of a configuration. Only a proxy that
// intercepts marks its sockets (the mark needs a capability, and only the rules
// of an interception look at it) and guards against connecting to itself.
func (n *Network) Configure(cfg *conf.Config) {
	s := &networkSettings{}
	var own *tproxy.Own
	if Wanted(cfg) {
		if spoofs(cfg) || rights.Has(cap.NET_ADMIN) || rights.Has(cap.NET_RAW) {
			s.sockets.Mark = tproxy.OwnMark
		}
		s.sockets.NoPMTUDisc = cfg.HTTPDAccelNoPMTUDisc
		own = n.own
	}
	if decapsulates(cfg) {
		s.sockets.MSS = int(segmentSize(cfg))
	}
	s.dialer = tproxy.NewDialer(tproxy.SocketOptions{Mark: s.sockets.Mark, MSS: s.sockets.MSS}, own)
	n.mu.Lock()
	defer n.mu.Unlock()
	old := n.now.Swap(s)
	if old == nil {
		return
	}
	n.past = n.past.Plus(old.dialer.Counts())
	if old.sockets.MSS != s.sockets.MSS {
		// Listeners that stay get it too; those closed meanwhile are forgotten.
		n.listeners = slices.DeleteFunc(n.listeners, func(l *net.TCPListener) bool { return tproxy.SetMSS(l, s.sockets.MSS) != nil })
	}
}

// dialCounts are totals since the start. A dial that outlives its configuration
// may go uncounted.
func (n *Network) dialCounts() tproxy.DialCounts {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.past.Plus(n.now.Load().dialer.Counts())
}

// Listen opens the sockets of a port; a port without an address gets both families.
func (n *Network) Listen(ctx context.Context, port *conf.HTTPPort) ([]*net.TCPListener, error) {
	o := tproxy.ListenOptions{SocketOptions: n.now.Load().sockets, Addr: port.Addr, Transparent: port.TProxy}
	if port.Addr.Addr() == netip.IPv4Unspecified() && port.Host == "" {
		o.Addr = netip.AddrPortFrom(netip.Addr{}, port.Addr.Port())
	}
	ls, err := tproxy.Listen(ctx, o)
	if err == nil {
		n.own.AddListeners(ls...)
		n.mu.Lock()
		n.listeners = append(n.listeners, ls...)
		n.mu.Unlock()
	}
	return ls, err
}

// PrepareLookup marks the sockets of name lookups like all others of ours.
func (n *Network) PrepareLookup(_, _ string, c syscall.RawConn) error {
	mark := n.now.Load().sockets.Mark
	if mark == 0 {
		return nil
	}
	var err error
	if outer := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, int(mark)) }); outer != nil {
		return outer
	}
	return os.NewSyscallError("SO_MARK", err)
}

// OriginalDestination is where a client on an intercepting port wanted to go.
func (n *Network) OriginalDestination(c syscall.Conn, local netip.AddrPort, port *conf.HTTPPort) (netip.AddrPort, bool, error) {
	how := tproxy.Interception{TProxy: port.TProxy, NAT: port.Transparent}
	return tproxy.OriginalDestination(c, local, how, n.own)
}

// Dial connects, under a client's address where that is asked for.
func (n *Network) Dial(ctx context.Context, d forward.Dialing) (sock.Socket, error) {
	t := tproxy.Target{To: d.To, From: d.From, Spoof: d.Spoof, TOS: d.TOS, LastPort: d.LastPort}
	dialer := n.now.Load().dialer
	if w := d.Watcher; w != nil {
		return dialer.DialBy(ctx, t, func(fd int) tproxy.Socket { return w.NewDescriptor(fd) })
	}
	f, err := dialer.Dial(ctx, t)
	if err != nil {
		return nil, err // and no nil file as a socket
	}
	return f, nil
}
