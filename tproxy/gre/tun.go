package gre

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/cuttle-proxy/cuttle/tproxy/rights"
)

// tunMTU lets a packet be given back whole; the outer packet is fragmented instead.
const tunMTU = 65535

// openTUN makes the device, which lives as long as the file is open, and brings
// it up.
func openTUN(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		if errors.Is(err, unix.ENOENT) {
			return nil, fmt.Errorf("no /dev/net/tun: load the module with `modprobe tun`: %w", err)
		}
		return nil, rights.Explain(os.NewSyscallError("open /dev/net/tun", err), "opening /dev/net/tun, which only root may as a rule", cap.DAC_OVERRIDE)
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = os.NewSyscallError("TUNSETIFF", unix.IoctlIfreq(fd, unix.TUNSETIFF, request))
	}
	if err != nil {
		unix.Close(fd)
		err = rights.Explain(err, "creating the TUN device "+name, cap.NET_ADMIN)
		return nil, fmt.Errorf("device %s: %w", name, err)
	}
	file := os.NewFile(uintptr(fd), "/dev/net/tun")
	if err := configureDevice(name, tunMTU); err != nil {
		file.Close()
		return nil, fmt.Errorf("device %s: %w", name, rights.Explain(err, "setting up "+name, cap.NET_ADMIN))
	}
	return file, nil
}

func variable(device, name string) string { return "/proc/sys/net/ipv4/conf/" + device + "/" + name }

// looseFilter takes strict reverse-path filtering off a device. The higher value
// of the device and of all counts, and only 1 is strict. What is well already is
// not written: a service may run with /proc/sys read-only (ProtectKernelTunables).
func looseFilter(device string) error {
	read := func(device string) byte {
		value, err := os.ReadFile(variable(device, "rp_filter"))
		if err != nil || len(value) == 0 {
			return '0'
		}
		return value[0]
	}
	if max(read("all"), read(device)) != '1' {
		return nil
	}
	value := "0"
	if read("all") == '1' {
		value = "2" // loose is more than strict, and so counts
	}
	return os.WriteFile(variable(device, "rp_filter"), []byte(value), 0)
}

// CheckTUN makes a TUN device in the namespace of the calling thread and removes it.
func CheckTUN() error {
	file, err := openTUN("cuttle-probe")
	if err != nil {
		return err
	}
	return file.Close()
}

// configureDevice sets what a device needs that delivers other people's packets:
// reverse-path filtering off (fact 7), since the way back to a client is another
// device, and no redirects, since what is given back leaves where it came in.
func configureDevice(name string, mtu int) error {
	if err := looseFilter(name); err != nil {
		return err
	}
	// A redirect would only send the router elsewhere; not being able to switch
	// them off (a service with /proc/sys read-only) stops nothing.
	os.WriteFile(variable(name, "send_redirects"), []byte("0"), 0)
	// No link-local address, so that the kernel has nothing to say there itself.
	// On a host without IPv6 the variable is absent.
	os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/addr_gen_mode", []byte("1"), 0)
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	if mtu != 0 {
		if err := netlink.LinkSetMTU(link, mtu); err != nil {
			return err
		}
	}
	if err := netlink.AddrAdd(link, dummyAddress()); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("address: %w", err)
	}
	return netlink.LinkSetUp(link)
}

// dummyAddress is for REDIRECT, which translates to the address of the device a
// packet came by and drops it where there is none. It is the one reserved for
// hosts that need some address (RFC 7600, section 4.8), and of host scope, so that
// nothing is ever sent from it.
func dummyAddress() *netlink.Addr {
	return &netlink.Addr{
		IPNet: &net.IPNet{IP: net.IPv4(192, 0, 0, 8).To4(), Mask: net.CIDRMask(32, 32)},
		Scope: int(netlink.SCOPE_HOST),
	}
}
