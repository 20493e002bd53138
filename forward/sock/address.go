package sock

import (
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Remote is the peer's address, unmapped.
func (c *Conn) Remote() netip.AddrPort { return c.ask(unix.SYS_GETPEERNAME) }

// Local is our address on this connection, unmapped.
func (c *Conn) Local() netip.AddrPort { return c.ask(unix.SYS_GETSOCKNAME) }

func (c *Conn) ask(call uintptr) (a netip.AddrPort) {
	c.raw.Control(func(fd uintptr) { a = askNow(call, fd) })
	return a
}

func askNow(call, fd uintptr) netip.AddrPort {
	var addr socketAddress
	size := uint32(unsafe.Sizeof(addr))
	if _, _, e := syscall.RawSyscall(call, fd, uintptr(unsafe.Pointer(&addr)), uintptr(unsafe.Pointer(&size))); e != 0 {
		return netip.AddrPort{}
	}
	return addr.addrPort()
}

// socketAddress has room for an address of either family as the kernel writes it.
type socketAddress unix.RawSockaddrInet6

// addrPort is the address unmapped, with its zone where it has one.
func (a *socketAddress) addrPort() netip.AddrPort {
	octets := (*[2]byte)(unsafe.Pointer(&a.Port)) // in network order, at one place in both families
	port := uint16(octets[0])<<8 | uint16(octets[1])
	switch a.Family {
	case unix.AF_INET:
		return netip.AddrPortFrom(netip.AddrFrom4((*unix.RawSockaddrInet4)(unsafe.Pointer(a)).Addr), port)
	case unix.AF_INET6:
		addr := netip.AddrFrom16(a.Addr).Unmap()
		if a.Scope_id != 0 {
			addr = addr.WithZone(zone(int(a.Scope_id)))
		}
		return netip.AddrPortFrom(addr, port)
	}
	return netip.AddrPort{}
}

// zone is an interface's name.
func zone(index int) string {
	if i, err := net.InterfaceByIndex(index); err == nil {
		return i.Name
	}
	return strconv.Itoa(index)
}
