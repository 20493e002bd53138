package gre

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// ErrNoKernelTunnels: the kernel was built without GRE tunnels (ip_gre) or its
// module cannot be loaded; Open a Decapsulator.
var ErrNoKernelTunnels = errors.New("gre: this kernel has no GRE tunnels")

// TunnelPrefix begins the names of the tunnels Tunnel makes.
const TunnelPrefix = "cuttle-wccp"

// KernelTunnels tells whether the kernel can make GRE tunnels, by making one in a
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

// Tunnel makes the kernel's tunnel from a router, by which its packets arrive on
// device TunnelPrefix plus number. An invalid router makes the catch-all that takes
// the packets of every router. An existing tunnel of that name is replaced.
func Tunnel(handle *netlink.Handle, number int, local, router netip.Addr) (device string, err error) {
	device = fmt.Sprintf("%s%d", TunnelPrefix, number)
	if err := RemoveTunnel(handle, number); err != nil {
		return device, err
	}
	tunnel := link(device, local, router)
	if err := add(handle, tunnel); err != nil {
		return device, err
	}
	return device, handle.LinkSetUp(tunnel)
}

// RemoveTunnel removes what Tunnel made; it is no error when there is nothing.
func RemoveTunnel(handle *netlink.Handle, number int) error {
	old, err := handle.LinkByName(fmt.Sprintf("%s%d", TunnelPrefix, number))
	var absent netlink.LinkNotFoundError
	if errors.As(err, &absent) {
		return nil
	}
	if err != nil {
		return err
	}
	return handle.LinkDel(old)
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
