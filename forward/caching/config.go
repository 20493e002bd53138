package caching

import (
	"fmt"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/cuttle-proxy/cuttle/forward/store"
	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
	"golang.org/x/sys/unix"
)

// config is what a configuration says about the store. Directories keep what is on
// disk; those of types that keep nothing are left out.
func (c *Cache) config(cfg *conf.Config) store.Config {
	s := store.Config{
		Memory:        cfg.CacheMem,
		MaxInMemory:   cfg.MaximumObjectSizeInMemory,
		MinObject:     cfg.MinimumObjectSize,
		MaxObject:     cfg.MaximumObjectSize,
		MemoryPolicy:  storePolicy(cfg.MemoryReplacementPolicy),
		RoundRobin:    cfg.StoreDirSelectAlgorithm == "round-robin",
		SwapLow:       cfg.CacheSwapLow,
		SwapHigh:      cfg.CacheSwapHigh,
		MaxOpenFiles:  cfg.MaxOpenDiskFDs,
		QuickAbortMin: cfg.QuickAbortMin,
		QuickAbortMax: cfg.QuickAbortMax,
		QuickAbortPct: cfg.QuickAbortPct,
		ReadAheadGap:  cfg.ReadAheadGap,
		UpdateHeaders: cfg.UpdateHeaders,
		KeptFiles:     keptFiles(),
		DoubleCheck:   c.CheckDisks,
		Log:           c.log,
		Report:        c.report,
	}
	if cfg.CacheStoreLog == "" || cfg.CacheStoreLog == "none" {
		s.Log = nil // nothing is gathered for it
	}
	for i, d := range cfg.CacheDirs {
		if !c.Disks {
			break
		}
		if d.Type == "ufs" || d.Type == "aufs" || d.Type == "diskd" {
			if c.lacksBuiltIn(d) {
				continue
			}
			state := ufs.SwapStatePath(cfg.CacheSwapState, d.Path, i)
			s.Dirs = append(s.Dirs, store.DirConfig{
				Path: d.Path, Size: d.Size, MinSize: d.MinSize, MaxSize: d.MaxSize, ReadOnly: d.ReadOnly, Policy: storePolicy(d.Policy),
				Open: func() (store.Directory, error) {
					return openDir(ufs.Options{Path: d.Path, L1: d.L1, L2: d.L2, SwapState: state, ReadOnly: d.ReadOnly})
				},
			})
		}
	}
	if len(s.Dirs) == 0 {
		s.MaxInMemory = s.MaxObject // as in 2.6, where only what is on disk leaves memory
	}
	return s
}

// startLines are 2.6's lines about the sizes of memory and disk. (Those about the buckets
// of its table are left out: there is none here.)
func startLines(cfg *conf.Config, s *store.Config) []string {
	swap := int64(0)
	for i := range s.Dirs {
		swap += s.Dirs[i].Size >> 10
	}
	memory := s.Memory >> 10
	choice := "Using Least Load store dir selection"
	if s.RoundRobin {
		choice = "Using Round Robin store dir selection"
	}
	return []string{
		fmt.Sprintf("Swap maxSize %d + %d KB, estimated %d objects", swap, memory, (swap+memory)/max(1, cfg.StoreAvgObjectSize>>10)),
		fmt.Sprintf("Max Mem  size: %d KB", memory),
		fmt.Sprintf("Max Swap size: %d KB", swap),
		choice,
	}
}

// lacksBuiltIn reports whether d is the directory of a file without a cache_dir line
// and was never made. Nobody asked for it, so that is no reason to end, as it is in
// 2.6 and with a line: memory serves.
func (c *Cache) lacksBuiltIn(d *conf.CacheDir) bool {
	if !d.Pos.IsZero() {
		return false
	}
	err := ufs.Verify(d.Path, d.L1)
	if err == nil {
		return false
	}
	c.Fetching.Log.Warn("WARNING: no cache_dir is configured, and the built-in one cannot be used: {error}; caching in memory only. "+
		"Make it by squid -z, or write cache_dir null /tmp", report.Error(err))
	return true
}

// keptFiles is how many files of objects may stay open for their next reader: 1024,
// and no more than a sixteenth of the descriptors the process may have.
func keptFiles() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return int(min(limit.Cur/16, 1024))
}

// openDir opens a directory; a Directory that is nil stays nil.
func openDir(o ufs.Options) (store.Directory, error) {
	d, err := ufs.Open(o)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// storePolicy is a replacement policy by its words.
func storePolicy(p conf.Policy) store.Policy {
	if p.Name != "heap" || len(p.Args) == 0 {
		return store.LRU
	}
	switch p.Args[0] {
	case "GDSF":
		return store.HeapGDSF
	case "LFUDA":
		return store.HeapLFUDA
	}
	return store.HeapLRU
}
