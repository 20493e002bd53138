package conf

import "github.com/cuttle-proxy/cuttle/parser"

// StoreSettings are the caches in memory and on disk.
type StoreSettings struct {
	// CacheMem is cache_mem.
	CacheMem int64
	// MaximumObjectSizeInMemory is maximum_object_size_in_memory.
	MaximumObjectSizeInMemory int64
	// MemoryReplacementPolicy is memory_replacement_policy.
	MemoryReplacementPolicy Policy
	// CacheReplacementPolicy is cache_replacement_policy as the file ends; each
	// CacheDir carries the one in force on its line.
	CacheReplacementPolicy Policy
	// CacheDirs is cache_dir; one ufs directory of 100 MB when not given.
	CacheDirs []*CacheDir
	// StoreDirSelectAlgorithm is store_dir_select_algorithm ("least-load" or "round-robin").
	StoreDirSelectAlgorithm string
	// MaxOpenDiskFDs is max_open_disk_fds, 0 for no limit.
	MaxOpenDiskFDs int
	// MinimumObjectSize is minimum_object_size.
	MinimumObjectSize int64
	// MaximumObjectSize is maximum_object_size.
	MaximumObjectSize int64
	// CacheSwapLow and CacheSwapHigh are cache_swap_low and cache_swap_high (percent).
	CacheSwapLow, CacheSwapHigh int
	// StoreAvgObjectSize is store_avg_object_size.
	StoreAvgObjectSize int64
	// StoreObjectsPerBucket is store_objects_per_bucket.
	StoreObjectsPerBucket int
}

// Policy is a replacement policy: its name ("lru", "heap") and arguments ("GDSF", "LFUDA", "LRU").
type Policy struct {
	Name string
	Args []string
	Pos  parser.Pos
}

// CacheDir is one cache_dir line.
type CacheDir struct {
	// Type is "ufs", "aufs", "diskd", "coss" or "null".
	Type string
	Path string
	// Size is in bytes; 0 for null.
	Size int64
	// L1 and L2 are the numbers of first and second level directories (ufs, aufs, diskd).
	L1, L2 int
	// ReadOnly, MinSize and MaxSize (bytes, -1 no limit) are the options common to all types.
	ReadOnly         bool
	MinSize, MaxSize int64
	// Q1 and Q2 are diskd's queue lengths.
	Q1, Q2 int
	// COSS holds coss's own options.
	COSS COSSOptions
	// Policy is the cache_replacement_policy in force on the line.
	Policy Policy
	Pos    parser.Pos
}

// COSSOptions are the options only coss knows.
type COSSOptions struct {
	BlockSize, OverwritePercent, MaxStripeWaste, MemBufs, MaxFullBufs int
}
