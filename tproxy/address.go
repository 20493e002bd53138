package tproxy

import (
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// address is an address in the forms of the kernel.
type address netip.AddrPort

// unix is what package unix takes.
func (a address) unix() unix.Sockaddr {
	addr, port := netip.AddrPort(a).Addr(), int(netip.AddrPort(a).Port())
	if addr.Is4() {
		return &unix.SockaddrInet4{Addr: addr.As4(), Port: port}
	}
	return &unix.SockaddrInet6{Addr: addr.As16(), Port: port, ZoneId: scope(addr.Zone())}
}

// connect is connect(2) without the runtime's bookkeeping for calls that might wait:
// the socket does not.
func (a address) connect(fd uintptr) (e syscall.Errno) {
	addr, port := netip.AddrPort(a).Addr(), netip.AddrPort(a).Port()
	if addr.Is4() {
		sa := unix.RawSockaddrInet4{Family: unix.AF_INET, Port: networkOrder(port), Addr: addr.As4()}
		_, _, e = syscall.RawSyscall(unix.SYS_CONNECT, fd, uintptr(unsafe.Pointer(&sa)), unix.SizeofSockaddrInet4)
		return e
	}
	sa := unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: networkOrder(port), Addr: addr.As16(), Scope_id: scope(addr.Zone())}
	_, _, e = syscall.RawSyscall(unix.SYS_CONNECT, fd, uintptr(unsafe.Pointer(&sa)), unix.SizeofSockaddrInet6)
	return e
}

// networkOrder is a number whose octets in memory are those of port in network order.
func networkOrder(port uint16) (n uint16) {
	*(*[2]byte)(unsafe.Pointer(&n)) = [2]byte{byte(port >> 8), byte(port)}
	return n
}

// scope is the number of the interface that a zone names; 0 for none.
func scope(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	n, _ := strconv.ParseUint(zone, 10, 32)
	return uint32(n)
}
