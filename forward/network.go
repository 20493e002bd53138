package forward

import (
	"context"
	"net"
	"net/netip"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Network is what forward needs from the host's network. tproxy provides it and
// cmd/squid hands it over, so that forward never imports tproxy.
type Network interface {
	// Listen opens the sockets of one http_port line. Every returned listener
	// accepts for that line; an error names the address and what to do about it.
	Listen(ctx context.Context, port *conf.HTTPPort) ([]*net.TCPListener, error)

	// OriginalDestination tells where the client of an accepted connection
	// wanted to go. intercepted is false for a client that connected to the
	// proxy itself; such a client is never spoofed.
	OriginalDestination(c *net.TCPConn, port *conf.HTTPPort) (dst netip.AddrPort, intercepted bool, err error)

	// Dial connects to an origin or peer.
	Dial(ctx context.Context, d Dialing) (*net.TCPConn, error)
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
}
