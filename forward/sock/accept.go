package sock

import (
	"net/netip"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Accept takes a connection from the queue of a listening descriptor, without waiting:
// EAGAIN when there is none. The runtime's own way asks for the local address and sets
// TCP_NODELAY each time, which a listening socket hands down. With a Watcher the socket
// is a Descriptor.
func Accept(listening int, w *Watcher) (s Socket, remote netip.AddrPort, err error) {
	var addr socketAddress
	for {
		size := uint32(unsafe.Sizeof(addr))
		fd, _, e := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(listening), uintptr(unsafe.Pointer(&addr)), uintptr(unsafe.Pointer(&size)),
			unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
		switch e {
		case 0:
			if w != nil {
				return w.NewDescriptor(int(fd)), addr.addrPort(), nil
			}
			return os.NewFile(fd, "tcp"), addr.addrPort(), nil
		case unix.EAGAIN:
			return nil, remote, errAgain
		case unix.EINTR, unix.ECONNABORTED: // the latter was reset in the queue
		default:
			return nil, remote, os.NewSyscallError("accept4", e)
		}
	}
}
