package netlab

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/vishvananda/netns"
)

// sweep removes namespaces that programs killed earlier left behind: those with
// our prefix whose process no longer exists.
func sweep(prefix string) {
	entries, err := os.ReadDir(namespaces)
	if err != nil {
		return // the directory appears with the first namespace
	}
	for _, e := range entries {
		if owner, ours := ownerOf(e.Name(), prefix); ours && !alive(owner) {
			if ns, err := netns.GetFromPath(filepath.Join(namespaces, e.Name())); err == nil {
				killInside(ns)
				ns.Close()
			}
			removeNamed(e.Name())
		}
	}
}

// ownerOf reads the process number out of "prefix-PID-number-node".
func ownerOf(name, prefix string) (pid int, ours bool) {
	rest, ok := strings.CutPrefix(name, prefix+"-")
	if !ok {
		return 0, false
	}
	number, _, ok := strings.Cut(rest, "-")
	if !ok {
		return 0, false
	}
	pid, err := strconv.Atoi(number)
	return pid, err == nil && pid > 0
}

func alive(pid int) bool {
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}
