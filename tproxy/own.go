package tproxy

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// Own is what belongs to this host: its addresses, kept current by the kernel's
// notices, and the listeners of the proxy. It is safe for concurrent use, and
// asking costs one map look-up.
type Own struct {
	addrs     atomic.Pointer[map[netip.Addr]struct{}]
	nets      atomic.Pointer[[]netip.Prefix] // of the addresses, for their broadcasts
	listeners atomic.Pointer[[]netip.AddrPort]

	mu     sync.Mutex // of listeners' writers
	handle *netlink.Handle
	notice *nl.NetlinkSocket
	done   chan struct{}
}

// WatchOwn reads the host's addresses and follows their changes until Close. It
// sees the network namespace of the calling thread.
func WatchOwn() (*Own, error) {
	notice, err := nl.SubscribeAt(netns.None(), netns.None(), unix.NETLINK_ROUTE,
		unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR)
	if err != nil {
		return nil, os.NewSyscallError("netlink: following addresses", err)
	}
	handle, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		notice.Close()
		return nil, os.NewSyscallError("netlink: reading addresses", err)
	}
	o := &Own{handle: handle, notice: notice, done: make(chan struct{})}
	o.listeners.Store(&[]netip.AddrPort{})
	if err := o.read(); err != nil {
		notice.Close()
		handle.Close()
		return nil, err
	}
	go o.follow()
	return o, nil
}

// Close ends the following; the last known addresses stay readable.
func (o *Own) Close() {
	o.notice.Close()
	<-o.done
	o.handle.Close()
}

// follow reads all addresses again on every notice: they change seldom, and a
// full read also mends what a lost notice (ENOBUFS) would have told.
func (o *Own) follow() {
	defer close(o.done)
	for {
		_, _, err := o.notice.Receive()
		if err != nil && !errors.Is(err, syscall.ENOBUFS) && !errors.Is(err, syscall.EINTR) && !errors.Is(err, syscall.EAGAIN) {
			return
		}
		o.read() // on failure the previous addresses stay
	}
}

func (o *Own) read() error {
	list, err := o.handle.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return os.NewSyscallError("netlink: reading addresses", err)
	}
	addrs := make(map[netip.Addr]struct{}, len(list))
	var nets []netip.Prefix
	for _, a := range list {
		addr, ok := netip.AddrFromSlice(a.IP)
		if !ok {
			continue
		}
		addr = addr.Unmap()
		addrs[addr] = struct{}{}
		if bits, _ := a.Mask.Size(); addr.Is4() && bits < 31 {
			nets = append(nets, netip.PrefixFrom(addr, bits).Masked())
		}
	}
	o.addrs.Store(&addrs)
	o.nets.Store(&nets)
	return nil
}

// Has reports whether an address is one of this host.
func (o *Own) Has(a netip.Addr) bool {
	a = a.Unmap()
	if a.IsLoopback() || a.IsUnspecified() {
		return true
	}
	if o == nil {
		return false
	}
	_, has := (*o.addrs.Load())[a.WithZone("")]
	return has
}

// Delivers reports whether packets to an address are for this host: its own
// addresses, broadcasts and multicasts among them.
func (o *Own) Delivers(a netip.Addr) bool {
	a = a.Unmap()
	if a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || o.Has(a) {
		return true
	}
	if !a.Is4() || o == nil {
		return false
	}
	for _, n := range *o.nets.Load() {
		if n.Contains(a) && (a == n.Addr() || !n.Contains(a.Next())) { // the network's first and last
			return true
		}
	}
	return false
}

// AddListeners tells which sockets are the proxy's own, so that Dial never
// connects the proxy to itself.
func (o *Own) AddListeners(ls ...*net.TCPListener) {
	o.mu.Lock()
	defer o.mu.Unlock()
	list := append([]netip.AddrPort(nil), *o.listeners.Load()...)
	for _, l := range ls {
		addr := l.Addr().(*net.TCPAddr).AddrPort()
		list = append(list, netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()))
	}
	o.listeners.Store(&list)
}

// Listens reports whether a connection to this address would reach one of the
// proxy's own listeners.
func (o *Own) Listens(to netip.AddrPort) bool {
	if o == nil {
		return false
	}
	addr := to.Addr().Unmap()
	for _, l := range *o.listeners.Load() {
		if l.Port() != to.Port() {
			continue
		}
		if l.Addr() == addr {
			return true
		}
		// The kernel takes a connection to 0.0.0.0 for one to this host.
		sameFamily := l.Addr().Is4() == addr.Is4()
		if sameFamily && (l.Addr().IsUnspecified() && o.Has(addr) || addr.IsUnspecified()) {
			return true
		}
	}
	return false
}
