package dataplane

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// devicePrefix begins the names of all our devices; the rules know them by it.
const devicePrefix = "wccp-"

// returnDevice carries what caches send back in GRE.
const returnDevice = devicePrefix + "back"

// deviceName names the TUN of a service: wccp-d80, wccp-s0.
func deviceName(key wire.ServiceID) string {
	kind := "s"
	if key.Type == wire.Dynamic {
		kind = "d"
	}
	return fmt.Sprintf("%s%s%d", devicePrefix, kind, key.ID)
}

// openTUN makes a device for whole IP packets that lives as long as the file is open.
func openTUN(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening /dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		unix.Close(fd)
		if err == unix.EBUSY {
			return nil, fmt.Errorf("device %s is in use: another router runs in this namespace", name)
		}
		return nil, fmt.Errorf("making TUN device %s: %w", name, err)
	}
	return os.NewFile(uintptr(fd), strings.Clone(name)), nil
}
