package ports

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Listener is one listening socket of an http_port line.
type Listener struct {
	*net.TCPListener
	line    atomic.Pointer[conf.HTTPPort]
	started atomic.Bool
	gone    atomic.Bool

	own netip.AddrPort // see Own

	file *os.File // see prepare
	raw  syscall.RawConn
}

// New is a socket that serves a line.
func New(socket *net.TCPListener, line *conf.HTTPPort) (*Listener, error) {
	l := &Listener{TCPListener: socket}
	l.line.Store(line)
	if a := socket.Addr().(*net.TCPAddr).AddrPort(); !line.TProxy && !a.Addr().IsUnspecified() {
		l.own = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	}
	if err := l.prepare(); err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// Line is the http_port line the socket serves now.
func (l *Listener) Line() *conf.HTTPPort { return l.line.Load() }

// Own is the proxy's address on every connection of the socket; invalid where they are to
// be asked, since each may have another.
func (l *Listener) Own() netip.AddrPort { return l.own }

// Gone reports whether the socket was closed on purpose.
func (l *Listener) Gone() bool { return l.gone.Load() }

// Close ends accepting on purpose.
func (l *Listener) Close() {
	l.gone.Store(true)
	l.TCPListener.Close()
	l.file.Close() // nil has an error and nothing else
}

// descriptor is the number of the socket, which 2.6's lines name.
func (l *Listener) descriptor() (number int) {
	raw, err := l.SyscallConn()
	if err != nil || raw.Control(func(fd uintptr) { number = int(fd) }) != nil {
		return -1
	}
	return number
}

// sameSocket reports whether a socket opened for one line serves another.
func sameSocket(a, b *conf.HTTPPort) bool {
	return a.Addr == b.Addr && a.Transparent == b.Transparent && a.TProxy == b.TProxy && a.Passes == b.Passes
}

func kind(line *conf.HTTPPort) string {
	switch {
	case line.Passes:
		return "transparently passed TLS"
	case line.Accel:
		return "accelerated HTTP"
	case line.Transparent:
		return "transparently proxied HTTP"
	}
	return "proxy HTTP"
}

// Failure is a port that could not be had.
type Failure struct {
	Line *conf.HTTPPort
	Err  error
}

func (f Failure) Error() string {
	directive := "http_port"
	if f.Line.Passes {
		directive = "https_port"
	}
	return fmt.Sprintf("%s %s is not served: %v", directive, f.Line.Addr, f.Err)
}

func (f Failure) Unwrap() error { return f.Err }

// bindText is 2.6's line about it, "" when something else than binding failed.
func (f Failure) bindText() string {
	var socket interface{ Descriptor() int }
	var number syscall.Errno
	if !errors.As(f.Err, &socket) || !errors.As(f.Err, &number) {
		return ""
	}
	text := number.Error() // the C library's wording has a capital
	return fmt.Sprintf("commBind: Cannot bind socket FD %d to %s: (%d) %s", socket.Descriptor(), f.Line.Addr, int(number), strings.ToUpper(text[:1])+text[1:])
}
