package tproxy

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Interception says how the connections of a port were diverted to us.
type Interception struct {
	TProxy bool // by a TPROXY rule: the destination is the socket's own address
	NAT    bool // by REDIRECT or DNAT: connection tracking knows the destination
}

// OriginalDestination tells where the client of an accepted connection wanted to
// go; local is the socket's own address. intercepted is false for a client that connected to this host itself: it
// chose us as its proxy (or its NAT entry is gone), is served by what it asks
// for, and is never impersonated. own may be nil on a port that does not intercept.
func OriginalDestination(c syscall.Conn, local netip.AddrPort, how Interception, own *Own) (dst netip.AddrPort, intercepted bool, err error) {
	local = unmap(local)
	if how.TProxy && !own.Has(local.Addr()) {
		return local, true, nil // fact 2: no look-up needed or possible
	}
	if !how.NAT {
		return local, false, nil
	}
	dst, err = beforeNAT(c, local.Addr().Is4())
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOPROTOOPT) {
		// No entry, or no connection tracking at all: nobody diverted this one.
		return local, false, nil
	}
	if err != nil {
		return local, false, fmt.Errorf("original destination of a connection to %v: %w", local, err)
	}
	return dst, dst != local && !own.Has(dst.Addr()), nil
}

// beforeNAT asks connection tracking for the address before REDIRECT or DNAT.
func beforeNAT(c syscall.Conn, is4 bool) (dst netip.AddrPort, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return dst, err
	}
	err = control(raw, func(fd uintptr) (err error) {
		if is4 {
			dst, err = beforeNAT4(int(fd))
		} else {
			dst, err = beforeNAT6(int(fd))
		}
		return err
	})
	return dst, err
}

// soOriginalDst is SO_ORIGINAL_DST and IP6T_SO_ORIGINAL_DST of the kernel's
// netfilter headers.
const soOriginalDst = 80

func beforeNAT4(fd int) (netip.AddrPort, error) {
	// Any 16-octet result will do as a vessel for a sockaddr_in.
	m, err := unix.GetsockoptIPv6Mreq(fd, unix.SOL_IP, soOriginalDst)
	if err != nil {
		return netip.AddrPort{}, err
	}
	b := m.Multiaddr
	addr := netip.AddrFrom4([4]byte(b[4:8]))
	return netip.AddrPortFrom(addr, binary.BigEndian.Uint16(b[2:4])), nil
}

func beforeNAT6(fd int) (netip.AddrPort, error) {
	// IPv6MTUInfo begins with a sockaddr_in6.
	m, err := unix.GetsockoptIPv6MTUInfo(fd, unix.SOL_IPV6, soOriginalDst)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port := (*[2]byte)(unsafe.Pointer(&m.Addr.Port)) // network order in memory
	return netip.AddrPortFrom(netip.AddrFrom16(m.Addr.Addr), binary.BigEndian.Uint16(port[:])), nil
}
