package ports

import (
	"net"
	"net/netip"
	"os"

	"github.com/cuttle-proxy/cuttle/forward/sock"
	"golang.org/x/sys/unix"
)

// Accept waits for the next connection, which the Watcher waits for when there is one.
// net.ErrClosed says that the socket was closed.
func (l *Listener) Accept(w *sock.Watcher) (s sock.Socket, remote netip.AddrPort, err error) {
	over := l.raw.Read(func(fd uintptr) bool {
		s, remote, err = sock.Accept(int(fd), w)
		return err != unix.EAGAIN
	})
	if over != nil {
		return nil, remote, net.ErrClosed
	}
	return s, remote, err
}

// prepare makes what Accept waits on: a second descriptor of the socket, for the
// runtime's own can only be waited on by AcceptTCP.
func (l *Listener) prepare() (err error) {
	if l.file, err = l.TCPListener.File(); err != nil {
		return err
	}
	if l.raw, err = l.file.SyscallConn(); err != nil {
		return err
	}
	var option error
	err = l.raw.Control(func(fd uintptr) {
		option = os.NewSyscallError("setsockopt TCP_NODELAY", unix.SetsockoptInt(int(fd), unix.SOL_TCP, unix.TCP_NODELAY, 1))
	})
	if err == nil {
		err = option
	}
	return err
}
