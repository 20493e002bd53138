package gre

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// ErrNoKernelTunnels: the kernel was built without GRE tunnels (ip_gre) or its
// module cannot be loaded; Open a Decapsulator.
var ErrNoKernelTunnels = errors.New("gre: this kernel has no GRE tunnels")

// KernelTunnels reports whether the kernel can make GRE tunnels, by making one in a
// namespace that is thrown away at once.
func KernelTunnels() error {
	result := make(chan error)
	go func() {
		// The thread ends with the goroutine, and the namespace with the thread.
		runtime.LockOSThread()
		result <- probe()
	}()
	return <-result
}

func probe() error {
	ns, err := netns.New()
	if err != nil {
		return fmt.Errorf("gre: a namespace to try in: %w", err)
	}
	defer ns.Close()
	handle, err := netlink.NewHandleAt(ns)
	if err != nil {
		return err
	}
	defer handle.Close()
	lo := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	return add(handle, link("probe", lo, lo.Next()))
}

func link(name string, local, router netip.Addr) *netlink.Gretun {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	tunnel := &netlink.Gretun{LinkAttrs: attrs, Local: local.AsSlice()}
	if router.IsValid() {
		tunnel.Remote = router.AsSlice()
	}
	return tunnel
}

// anywhere are the prefixes of every address, by family.
var anywhere = map[int]*net.IPNet{
	netlink.FAMILY_V4: {IP: net.IPv4zero.To4(), Mask: net.CIDRMask(0, 32)},
	netlink.FAMILY_V6: {IP: net.IPv6zero, Mask: net.CIDRMask(0, 128)},
}

func add(handle *netlink.Handle, tunnel *netlink.Gretun) error {
	err := handle.LinkAdd(tunnel)
	if errors.Is(err, unix.EOPNOTSUPP) {
		return ErrNoKernelTunnels
	}
	if err != nil {
		return fmt.Errorf("gre: tunnel %s: %w", tunnel.Name, err)
	}
	return nil
}
