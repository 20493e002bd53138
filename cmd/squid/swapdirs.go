package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/cuttle-proxy/cuttle/cmd/squid/privsep"
	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
	"github.com/cuttle-proxy/cuttle/tproxy/host"
)

// createSwap is -z: it makes the folders of every cache_dir that is not there
// yet, owned by cache_effective_user. As in 2.6 it refuses while a copy runs and
// leaves existing folders alone, so it may be repeated.
//
// Only the outermost folder of each is made as root (2.6 makes none so, and fails
// where root owns the folder around it); what lies in it is made as its owner,
// since a folder of somebody else's is no place for root to work in.
func createSwap(inv *invocation) int {
	cfg, report := inv.read(conf.Options{})
	writeLegacyLines(inv.stderr, report, time.Now())
	if cfg == nil {
		return max(report.Exit, exitBad)
	}
	if why := refusedDirs(report); why != "" {
		fmt.Fprintln(inv.stderr, fatalLines(why)) // as a start would
		return exitFatal
	}
	now := func() string { return time.Now().Format("2006/01/02 15:04:05| ") }
	if pid := runningCopy(cfg.PidFilename); pid != 0 {
		fmt.Fprintf(inv.stderr, "%sSquid is already running!  Process ID %d\n", now(), pid)
		return exitBad
	}
	owner, err := privsep.LookUp(cfg)
	if err != nil {
		fmt.Fprintln(inv.stderr, fatalLines(err.Error()))
		return exitFatal
	}
	fmt.Fprintf(inv.stderr, "%sCreating Swap Directories\n", now())
	if err := createSwapDirs(cfg.CacheDirs, owner); err != nil {
		fmt.Fprintln(inv.stderr, fatalLines(err.Error()))
		return exitFatal
	}
	return exitGood
}

// refusedDirs says which cache_dir lines a start would refuse: nothing is made for a
// type there is not (coss).
func refusedDirs(report *conf.Report) string {
	var list []string
	for i := range report.Inert {
		if in := &report.Inert[i]; in.Harm != "" && in.Directive.Name == "cache_dir" {
			list = append(list, in.Text()+": "+in.Harm)
		}
	}
	return strings.Join(list, "; ")
}

func createSwapDirs(dirs []*conf.CacheDir, owner privsep.Identity) error {
	var ours []*conf.CacheDir
	for _, dir := range dirs {
		switch dir.Type {
		case "ufs", "aufs", "diskd": // null and coss have no folders
			ours = append(ours, dir)
		}
	}
	for _, dir := range ours {
		if err := makeDir(dir.Path, owner); err != nil {
			return err
		}
	}
	if owner.Change {
		if err := privsep.BecomeUser(owner, nil); err != nil {
			return err
		}
		owner.Change = false
	}
	for _, dir := range ours {
		err := ufs.MakeFolders(dir.Path, dir.L1, dir.L2, func(path string) error { return makeDir(path, owner) })
		if err != nil {
			return err
		}
	}
	return nil
}

// swapFindings are what a start stumbles over in the folders of the cache_dirs. That
// those of the built-in one are missing ends none.
func swapFindings(cfg *conf.Config) (list []host.Finding) {
	for _, dir := range cfg.CacheDirs {
		switch dir.Type {
		case "ufs", "aufs", "diskd":
		default:
			continue
		}
		err := ufs.Verify(dir.Path, dir.L1)
		if err == nil {
			continue
		}
		f := host.Finding{ID: "cache_dir", Level: host.Fail, Fact: "cache_dir " + dir.Path + " was never made: " + err.Error(), Remedy: "squid -z"}
		if dir.Pos.IsZero() {
			f.Level, f.Why = host.Warn, "no line of the file asks for it, so caching would be in memory only"
		}
		list = append(list, f)
	}
	return list
}

func makeDir(path string, owner privsep.Identity) error {
	switch err := os.Mkdir(path, 0o750); {
	case errors.Is(err, os.ErrExist):
		info, err := os.Stat(path)
		if err == nil && info.IsDir() {
			return nil
		}
		return fatalError{fmt.Sprintf("Failed to make swap directory %s: a file of that name is in the way", path)}
	case err != nil:
		return fatalError{fmt.Sprintf("Failed to make swap directory %s: %s", path, report.SystemText(err))}
	}
	if owner.Change {
		return os.Lchown(path, owner.UID, owner.GID)
	}
	return nil
}
