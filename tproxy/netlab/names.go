package netlab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// namespaces is where `ip netns` keeps names.
const namespaces = "/run/netns"

func removeNamed(name string) error {
	path := filepath.Join(namespaces, name)
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("unmounting %s: %w", path, err)
	}
	return os.Remove(path)
}

// sharedNames makes the folder of names a shared mount, as the first `ip netns add`
// does. It must not come after ours: that command lays a copy of the folder over it,
// in which our names can be unmounted and never removed.
var sharedNames = sync.OnceValue(func() error {
	if err := os.MkdirAll(namespaces, 0o755); err != nil {
		return err
	}
	folder, err := os.Open(namespaces)
	if err != nil {
		return err
	}
	defer folder.Close() // and with it the lock, the one that ip takes
	if err := unix.Flock(int(folder.Fd()), unix.LOCK_EX); err != nil {
		return os.NewSyscallError("locking "+namespaces, err)
	}
	share := func() error { return unix.Mount("", namespaces, "none", unix.MS_SHARED|unix.MS_REC, "") }
	err = share()
	if errors.Is(err, unix.EINVAL) { // no mount of its own yet
		if err = unix.Mount(namespaces, namespaces, "none", unix.MS_BIND|unix.MS_REC, ""); err == nil {
			err = share()
		}
	}
	return os.NewSyscallError("sharing "+namespaces, err)
})
