package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// createSwap is -z: it makes the folders of every cache_dir that is not there
// yet, owned by cache_effective_user. As in 2.6 it refuses while a copy runs and
// leaves existing folders alone, so it may be repeated.
func createSwap(inv *invocation) int {
	cfg, status := inv.load()
	if cfg == nil {
		return status
	}
	now := func() string { return time.Now().Format("2006/01/02 15:04:05| ") }
	if pid := runningCopy(cfg.PidFilename); pid != 0 {
		fmt.Fprintf(inv.stderr, "%sSquid is already running!  Process ID %d\n", now(), pid)
		return exitBad
	}
	owner, err := lookUpIdentity(cfg)
	if err != nil {
		fmt.Fprintln(inv.stderr, fatalLines(err.Error()))
		return exitFatal
	}
	fmt.Fprintf(inv.stderr, "%sCreating Swap Directories\n", now())
	for _, dir := range cfg.CacheDirs {
		if err := createSwapDir(dir, owner); err != nil {
			fmt.Fprintln(inv.stderr, fatalLines(err.Error()))
			return exitFatal
		}
	}
	return exitGood
}

// createSwapDir makes one cache_dir: PATH/00 to the first-level count, and in
// each 00 to the second-level count, in hexadecimal.
func createSwapDir(dir *conf.CacheDir, owner identity) error {
	switch dir.Type {
	case "ufs", "aufs", "diskd":
	default:
		return nil // null and coss have no folders
	}
	if err := makeDir(dir.Path, owner); err != nil {
		return err
	}
	for i := range dir.L1 {
		first := filepath.Join(dir.Path, fmt.Sprintf("%02X", i))
		if err := makeDir(first, owner); err != nil {
			return err
		}
		for j := range dir.L2 {
			if err := makeDir(filepath.Join(first, fmt.Sprintf("%02X", j)), owner); err != nil {
				return err
			}
		}
	}
	return nil
}

func makeDir(path string, owner identity) error {
	switch err := os.Mkdir(path, 0o750); {
	case errors.Is(err, os.ErrExist):
		info, err := os.Stat(path)
		if err == nil && info.IsDir() {
			return nil
		}
		return fatalError{fmt.Sprintf("Failed to make swap directory %s: a file of that name is in the way", path)}
	case err != nil:
		return fatalError{fmt.Sprintf("Failed to make swap directory %s: %s", path, sysText(err))}
	}
	if owner.change {
		return os.Lchown(path, owner.uid, owner.gid)
	}
	return nil
}
