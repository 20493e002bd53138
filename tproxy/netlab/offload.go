package netlab

import (
	"errors"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ethtoolValue is the kernel's struct ethtool_value.
type ethtoolValue struct{ cmd, data uint32 }

// ifreqData is the kernel's struct ifreq with a pointer in it.
type ifreqData struct {
	name [unix.IFNAMSIZ]byte
	data unsafe.Pointer
	_    [16]byte
}

// offloadsOff makes an interface of the current namespace send what a wire
// carries: complete checksums, no packet above the MTU. Programs of the lab that
// read packets (a TUN router, a capture) would see neither otherwise.
func offloadsOff(iface string) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for _, cmd := range []uint32{unix.ETHTOOL_STSO, unix.ETHTOOL_SGSO, unix.ETHTOOL_SGRO, unix.ETHTOOL_STXCSUM} {
		value := &ethtoolValue{cmd: cmd}
		req := ifreqData{data: unsafe.Pointer(value)}
		copy(req.name[:unix.IFNAMSIZ-1], iface)
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&req)))
		runtime.KeepAlive(value)
		if errno != 0 && !errors.Is(errno, unix.EOPNOTSUPP) {
			return errno
		}
	}
	return nil
}
