package tproxy

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Target describes one outgoing connection.
type Target struct {
	// To is the address to connect to.
	To netip.AddrPort
	// From is the local address; without a valid one the kernel chooses. Its port
	// is used when it is not 0 and can be had; otherwise the kernel chooses one per
	// destination at connect time (fact 13).
	From netip.AddrPort
	// Spoof says that From belongs to another host.
	Spoof bool
	// TOS is the IP type-of-service octet, 0 leaves it alone.
	TOS uint8
	// LastPort, when not 0, is tried as the local port when no other can be had:
	// the client's own (fact 16).
	LastPort uint16
	// adopt makes the socket, see DialBy.
	adopt func(fd int) Socket
}

// Socket is a connected socket whose reads and writes wait by some poller.
type Socket interface {
	io.ReadWriteCloser
	syscall.Conn
	SetDeadline(time.Time) error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// Dialer opens connections to origins and peers. Use NewDialer.
type Dialer struct {
	SocketOptions
	// Own refuses connections to the proxy itself; nil refuses none.
	Own *Own

	ports spare
	count dialCounters
}

// NewDialer makes a Dialer that knows which local ports of the calling thread's
// network namespace the kernel hands out by itself.
func NewDialer(o SocketOptions, own *Own) *Dialer {
	return &Dialer{SocketOptions: o, Own: own, ports: sparePorts()}
}

// DialCounts are totals since the start.
type DialCounts struct {
	Dials     uint64 `json:"dials"`        // connections asked for
	Retries   uint64 `json:"retries"`      // further tries with another local port
	Collision uint64 `json:"collisions"`   // tries refused because an address and port were in use
	Exhausted uint64 `json:"exhausted"`    // dials given up for want of a local port
	Refused   uint64 `json:"own_listener"` // dials to the proxy's own listeners
}

// Plus adds two readings.
func (c DialCounts) Plus(d DialCounts) DialCounts {
	return DialCounts{c.Dials + d.Dials, c.Retries + d.Retries, c.Collision + d.Collision, c.Exhausted + d.Exhausted, c.Refused + d.Refused}
}

type dialCounters struct {
	dials, retries, collision, exhausted, refused atomic.Uint64
}

// Counts reads the totals.
func (d *Dialer) Counts() DialCounts {
	c := &d.count
	return DialCounts{c.dials.Load(), c.retries.Load(), c.collision.Load(), c.exhausted.Load(), c.refused.Load()}
}

// Dial connects: the file is a socket whose reads and writes wait by the runtime's
// poller. Errors are *DialError.
func (d *Dialer) Dial(ctx context.Context, t Target) (*os.File, error) {
	s, err := d.DialBy(ctx, t, func(fd int) Socket { return os.NewFile(uintptr(fd), "tcp") })
	if err != nil {
		return nil, err
	}
	return s.(*os.File), nil
}

// DialBy is Dial with a poller of the caller's: adopt makes the socket of a descriptor that
// does not wait and has begun to connect.
func (d *Dialer) DialBy(ctx context.Context, t Target, adopt func(fd int) Socket) (Socket, error) {
	t.adopt = adopt
	d.count.dials.Add(1)
	t.To = unmap(t.To)
	t.From = unmap(t.From)
	if d.Own.Listens(t.To) {
		d.count.refused.Add(1)
		return nil, &DialError{Target: t, Err: ErrOwnListener}
	}
	c, err := d.try(ctx, t)
	if err == nil {
		return c, nil
	}
	tries := 1
	if portTrouble(err) && t.From.IsValid() {
		c, tries, err = d.otherPorts(ctx, t, err)
		if err == nil {
			return c, nil
		}
	}
	return nil, dialError(t, tries, err)
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// otherPorts goes on after a port could not be had: by the kernel's choice if a
// certain port was asked for, then with some ports the kernel does not hand out
// itself (fact 14: binding the others would starve its own choice), and at last
// with the client's own.
func (d *Dialer) otherPorts(ctx context.Context, t Target, err error) (Socket, int, error) {
	tries := 1
	attempt := func(port uint16) (c Socket) {
		tries++
		d.count.retries.Add(1)
		t.From = netip.AddrPortFrom(t.From.Addr(), port)
		c, err = d.try(ctx, t)
		return c
	}
	if t.From.Port() != 0 {
		if c := attempt(0); c != nil || !portTrouble(err) {
			return c, tries, err
		}
	}
	for range sparePortTries {
		port := d.ports.pick()
		if port == 0 {
			break
		}
		if c := attempt(port); c != nil || !portTrouble(err) {
			return c, tries, err
		}
	}
	if t.LastPort != 0 {
		if c := attempt(t.LastPort); c != nil || !portTrouble(err) {
			return c, tries, err
		}
	}
	d.count.exhausted.Add(1)
	return nil, tries, errors.Join(ErrNoLocalPort, err)
}

// portChoice leaves the port to connect, or lets a certain port be bound although
// an accepted connection or one in TIME_WAIT has it.
func portChoice(fd uintptr, port uint16) error {
	if port == 0 {
		return set(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1, "IP_BIND_ADDRESS_NO_PORT")
	}
	return set(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1, "SO_REUSEADDR")
}

func setTOS(fd uintptr, is4 bool, tos uint8) error {
	if is4 {
		return set(fd, unix.SOL_IP, unix.IP_TOS, int(tos), "IP_TOS")
	}
	return set(fd, unix.SOL_IPV6, unix.IPV6_TCLASS, int(tos), "IPV6_TCLASS")
}

// portTrouble tells an error that another local port may cure. A bind refused
// with EADDRNOTAVAIL is none: there the address is at fault.
func portTrouble(err error) bool {
	if errors.Is(err, unix.EADDRINUSE) {
		return true
	}
	var call *os.SyscallError
	return errors.Is(err, unix.EADDRNOTAVAIL) && errors.As(err, &call) && call.Syscall == "connect"
}
