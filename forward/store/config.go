package store

import (
	"time"

	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// Config is what squid.conf says about the store. Sizes are in bytes.
type Config struct {
	// Memory is cache_mem.
	Memory int64
	// MaxInMemory is maximum_object_size_in_memory, MinObject minimum_object_size,
	// MaxObject maximum_object_size, 0 for any. MaxObject counts the head with the body, as
	// MinObject does where no length was announced.
	MaxInMemory, MinObject, MaxObject int64
	// MemoryPolicy is memory_replacement_policy.
	MemoryPolicy Policy
	// Dirs are the cache_dir lines that keep anything, at most 64.
	Dirs []DirConfig
	// RoundRobin is store_dir_select_algorithm round-robin; otherwise the directory
	// with the least load is chosen.
	RoundRobin bool
	// SwapLow and SwapHigh are cache_swap_low and cache_swap_high, in percent.
	SwapLow, SwapHigh int
	// MaxOpenFiles is max_open_disk_fds, 0 for no limit: with more files open nothing
	// is written to disk.
	MaxOpenFiles int
	// KeptFiles is how many files of objects may stay open without a reader, in steps
	// of 256.
	KeptFiles int
	// QuickAbortMin and QuickAbortMax are in bytes, QuickAbortPct in percent;
	// a negative QuickAbortMin lets every fetch go on.
	QuickAbortMin, QuickAbortMax int64
	QuickAbortPct                int
	// ReadAheadGap is read_ahead_gap.
	ReadAheadGap int64
	// UpdateHeaders is update_headers: a 304 changes the head on disk, too.
	UpdateHeaders bool
	// Workers is how many reads, and how many writes, may be under way at once, 0 for
	// 16; Queue how many may wait for that, 0 for 64 a worker. They are those of the
	// first configuration.
	Workers, Queue int
	// Backlog is how much of an object may wait to be written while clients wait for
	// more of it, 0 for 1 MB: with more it is not stored.
	Backlog int64
	// Stall is how long a reader may make no progress while others wait, 0 for 10 s.
	Stall time.Duration
	// DoubleCheck is squid -S: each file of a directory is looked for.
	DoubleCheck bool
	// Log, if not nil, is given what store.log shows, with locks held: it puts the line
	// down without waiting for anything. What it returns, which may be nil, is waited for
	// when nothing is locked.
	Log func(*Event) Line
	// Report, if not nil, is told what goes into cache.log about a directory.
	Report func(Notice)
}

// DirConfig is one cache_dir line.
type DirConfig struct {
	// Path names the directory in reports and across reconfigurations.
	Path string
	// Open gives the directory, when the store does not have it already.
	Open func() (Directory, error)
	// Size is how many bytes it may hold.
	Size int64
	// MinSize and MaxSize are the sizes of objects it takes, MaxSize -1 for any.
	MinSize, MaxSize int64
	// ReadOnly directories serve and lose objects but take none; so do those with
	// NoStore.
	ReadOnly, NoStore bool
	// Policy is cache_replacement_policy in force on the line.
	Policy Policy
}

// Policy says which objects leave first.
type Policy uint8

// The replacement policies of 2.6.
const (
	// LRU: the one that was not used for the longest time.
	LRU Policy = iota
	// HeapLRU is LRU under 2.6's other name.
	HeapLRU
	// HeapGDSF keeps many small, popular objects (greedy dual size frequency).
	HeapGDSF
	// HeapLFUDA keeps popular objects of any size (least frequently used with
	// dynamic aging).
	HeapLFUDA
)

// Notice is news of a directory.
type Notice struct {
	// Path is the directory's.
	Path string
	// Lines are for cache.log, in 2.6's words where it has some.
	Lines []string
	// Rebuilt is what a rebuild that has ended found, nil for other news.
	Rebuilt *ufs.Report
	// Entries and Size are those of the whole store then, in objects and bytes.
	Entries, Size int64
	// Err is what went wrong; TakenOut says that the directory is not used any more
	// because of that.
	Err      error
	TakenOut bool
	// Shrunk is how many bytes the directory may hold from now on, as its file system is
	// full; 0 for other news.
	Shrunk int64
}
