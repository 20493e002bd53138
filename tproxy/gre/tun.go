package gre

import (
	"errors"
	"fmt"
	"os"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/cuttle-proxy/cuttle/tproxy/rights"
)

// tunMTU lets a packet be given back whole; the outer packet is fragmented instead.
const tunMTU = 65535

// openTUN makes the device, which lives as long as the file is open, and brings
// it up without any address.
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

// switchOff sets a variable of a device to 0. A service may run with /proc/sys
// read-only (ProtectKernelTunables): that is no harm where it need not be written.
func switchOff(device, variable string) error {
	path := "/proc/sys/net/ipv4/conf/" + device + "/" + variable
	if value, err := os.ReadFile(path); err == nil && (value[0] == '0' || variable == "rp_filter" && value[0] == '2') {
		return nil
	}
	return os.WriteFile(path, []byte("0"), 0)
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
	for _, variable := range []string{"rp_filter", "send_redirects"} {
		if err := switchOff(name, variable); err != nil {
			return err
		}
	}
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
	return netlink.LinkSetUp(link)
}
