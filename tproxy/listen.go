package tproxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/cuttle-proxy/cuttle/tproxy/rights"
)

// ListenOptions describe the sockets of one listening port.
type ListenOptions struct {
	SocketOptions
	// Addr is the address and port. Without a valid address (or with "::"
	// unspecified and no family asked for) both families are opened: one AF_INET
	// and one AF_INET6 socket with V6ONLY, so that no mapped address is ever seen.
	Addr netip.AddrPort
	// Transparent takes connections to foreign addresses (IP_TRANSPARENT); without
	// it the kernel drops what a TPROXY rule hands over (fact 1).
	Transparent bool
	// Backlog is the length of the queue of connections not yet accepted; 0 takes
	// net.core.somaxconn, which also is its ceiling.
	Backlog int
}

// ListenError says which socket could not be opened and what to do about it.
type ListenError struct {
	Addr   netip.AddrPort
	Remedy string
	Err    error

	descriptor int
}

// Descriptor is the number the socket had, -1 when there was none.
func (e *ListenError) Descriptor() int { return e.descriptor }

func (e *ListenError) Error() string {
	text := fmt.Sprintf("cannot listen on %v: %v", e.Addr, e.Err)
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	return text
}

func (e *ListenError) Unwrap() error { return e.Err }

// Listen opens the sockets of one port: one for an address, two (IPv4 first) for
// a port alone; just one of the two where the host lacks the other family.
//
// Options set here are inherited by accepted connections, which therefore cost
// no system call for them. Keep-alive probes are off: the proxy has its own
// timeouts. Multipath TCP is off: its sockets can neither be transparent nor spliced.
func Listen(ctx context.Context, o ListenOptions) ([]*net.TCPListener, error) {
	if o.Addr.Addr().IsValid() {
		addr := netip.AddrPortFrom(o.Addr.Addr().Unmap(), o.Addr.Port())
		l, err := listen(ctx, addr, o)
		if err != nil {
			return nil, err
		}
		return []*net.TCPListener{l}, nil
	}
	return listenBoth(ctx, o)
}

func listenBoth(ctx context.Context, o ListenOptions) ([]*net.TCPListener, error) {
	var opened []*net.TCPListener
	var lacking error
	port := o.Addr.Port()
	for _, any := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		l, err := listen(ctx, netip.AddrPortFrom(any, port), o)
		switch {
		case err == nil:
			opened = append(opened, l)
			port = l.Addr().(*net.TCPAddr).AddrPort().Port() // the same for both when 0 was asked
		case familyAbsent(err):
			lacking = err
		default:
			for _, l := range opened {
				l.Close()
			}
			return nil, err
		}
	}
	if len(opened) == 0 {
		return nil, lacking
	}
	return opened, nil
}

// familyAbsent tells a host built or booted without IPv6 (or, one day, IPv4).
func familyAbsent(err error) bool {
	return errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EADDRNOTAVAIL)
}

func listen(ctx context.Context, addr netip.AddrPort, o ListenOptions) (*net.TCPListener, error) {
	is4, descriptor := addr.Addr().Is4(), -1
	config := net.ListenConfig{
		KeepAlive: -1,
		Control: func(_, _ string, c syscall.RawConn) error {
			return control(c, func(fd uintptr) error {
				descriptor = int(fd)
				return o.prepare(fd, is4)
			})
		},
	}
	config.SetMultipathTCP(false)
	l, err := config.Listen(ctx, network(addr.Addr()), addr.String())
	if err != nil {
		return nil, listenError(addr, descriptor, err)
	}
	tcp := l.(*net.TCPListener)
	if err := setBacklog(tcp, o.Backlog); err != nil {
		tcp.Close()
		return nil, &ListenError{Addr: addr, Err: err, descriptor: descriptor}
	}
	return tcp, nil
}

// prepare sets what must be set before bind.
func (o ListenOptions) prepare(fd uintptr, is4 bool) error {
	if o.Transparent {
		if err := transparent(fd, is4); err != nil {
			return rights.Explain(err, "taking connections to foreign addresses", cap.NET_ADMIN, cap.NET_RAW)
		}
	}
	err := o.apply(fd, is4)
	return rights.Explain(err, "marking sockets", cap.NET_ADMIN, cap.NET_RAW)
}

// setBacklog listens once more, which is how a backlog is changed.
func setBacklog(l *net.TCPListener, backlog int) error {
	if backlog <= 0 {
		return nil
	}
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	return control(raw, func(fd uintptr) error { return unix.Listen(int(fd), backlog) })
}

func listenError(addr netip.AddrPort, descriptor int, err error) error {
	e := &ListenError{Addr: addr, Err: err, descriptor: descriptor}
	var missing *rights.Missing
	switch {
	case errors.As(err, &missing):
		e.Err = missing
	case errors.Is(err, syscall.EACCES):
		e.Err = rights.Explain(syscall.EACCES, fmt.Sprintf("port %d, which is below 1024", addr.Port()), cap.NET_BIND_SERVICE)
	case errors.Is(err, syscall.EADDRINUSE):
		e.Err = syscall.EADDRINUSE
		e.Remedy = fmt.Sprintf("another program has it: see which with `ss -ltnp sport = :%d`", addr.Port())
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		e.Err = syscall.EADDRNOTAVAIL
		e.Remedy = "no interface has this address: see `ip addr`"
	}
	return e
}
