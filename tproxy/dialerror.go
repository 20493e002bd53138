package tproxy

import (
	"errors"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/tproxy/rights"
)

var (
	// ErrNoLocalPort: every local port for this address and destination is taken.
	// Widen net.ipv4.ip_local_port_range, or keep origin connections longer.
	ErrNoLocalPort = errors.New("no free local port")
	// ErrNotLocal: the local address belongs to no interface of this host and the
	// connection was not to be spoofed.
	ErrNotLocal = errors.New("the local address is not one of this host")
	// ErrOwnListener: the connection would have come back to the proxy itself.
	ErrOwnListener = errors.New("the destination is the proxy itself")
)

// DialError is a connection that could not be made.
type DialError struct {
	Target
	Tries int // local ports tried
	Err   error
}

func (e *DialError) Error() string {
	as := ""
	if e.From.IsValid() {
		as = fmt.Sprintf(" as %v", e.From.Addr())
	}
	return fmt.Sprintf("connecting to %v%s: %v", e.To, as, e.Err)
}

func (e *DialError) Unwrap() error { return e.Err }

// Timeout tells that the origin did not answer in time.
func (e *DialError) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}

// dialError strips Go's wrapping, which repeats the addresses, down to the fact.
func dialError(t Target, tries int, err error) *DialError {
	e := &DialError{Target: t, Tries: tries, Err: err}
	var op *net.OpError
	var missing *rights.Missing
	switch {
	case errors.As(err, &missing):
		e.Err = missing
	case errors.Is(err, ErrNoLocalPort):
		e.Err = fmt.Errorf("%w (%d tries)", ErrNoLocalPort, tries)
	case errors.Is(err, unix.EADDRNOTAVAIL) && t.From.IsValid():
		e.Err = fmt.Errorf("%w (%w)", ErrNotLocal, os.NewSyscallError("bind", unix.EADDRNOTAVAIL))
	case errors.As(err, &op):
		e.Err = op.Err
	}
	return e
}
