package conf

var storeRows = []Directive{
	{Name: "cache_mem", Effect: Acts, Default: "8 MB", kind: size(func(c *Config) *int64 { return &c.CacheMem }), Example: "cache_mem 256 MB",
		Help: "How much memory objects may take: those in transit, and the hot ones kept. The process needs more than this, for the index above all."},
	{Name: "maximum_object_size_in_memory", Effect: Acts, Default: "8 KB", kind: size(func(c *Config) *int64 { return &c.MaximumObjectSizeInMemory }),
		Help: "Objects larger than this are not kept in memory."},
	{Name: "memory_replacement_policy", Effect: Acts, Default: "lru", kind: policies(func(c *Config) *Policy { return &c.MemoryReplacementPolicy }),
		Help: "Which objects leave memory first; see cache_replacement_policy."},
	{Name: "cache_dir", Options: inertCacheDir, Effect: Acts, IfNone: "ufs @swapdir@ 100 16 256", kind: cacheDirs(func(c *Config) *[]*CacheDir { return &c.CacheDirs }),
		Example: "cache_dir ufs /var/spool/squid 10000 16 256\ncache_dir aufs /cache2 40000 64 256 max-size=1048576",
		Help: "A cache on disk: type, path, size in MB, then, for ufs, aufs and diskd, the numbers of folders of the first and second level. " +
			"null keeps nothing and takes no numbers; coss has no folders and needs max-size=. Options: read-only, min-size= and max-size= in bytes; diskd: Q1=, Q2=; coss: block-size=, overwrite-percent=, max-stripe-waste=, membufs=, maxfullbufs=. " +
			"A path given twice is changed by its second line. Write cache_replacement_policy in front."},
	{Name: "cache_replacement_policy", Effect: Acts, Default: "lru", kind: policies(func(c *Config) *Policy { return &c.CacheReplacementPolicy }),
		Example: "cache_replacement_policy heap LFUDA",
		Help:    "Which objects leave the disk first: lru (the longest unused), heap GDSF (favours many small popular ones), heap LFUDA (favours popular ones of any size), heap LRU. Holds for the cache_dir lines behind it."},
	{Name: "store_dir_select_algorithm", Effect: Acts, Default: "least-load", kind: word(func(c *Config) *string { return &c.StoreDirSelectAlgorithm }),
		Help: "How the cache_dir of a new object is chosen: least-load or round-robin."},
	{Name: "max_open_disk_fds", Effect: Acts, Default: "0", kind: number(func(c *Config) *int { return &c.MaxOpenDiskFDs }),
		Help: "When so many disk files are open, misses are not stored; 0 is no limit."},
	{Name: "minimum_object_size", Effect: Acts, Default: "0 KB", kind: size(func(c *Config) *int64 { return &c.MinimumObjectSize }),
		Help: "Objects smaller than this are not stored on disk."},
	{Name: "maximum_object_size", Effect: Acts, Default: "4096 KB", kind: size(func(c *Config) *int64 { return &c.MaximumObjectSize }),
		Help: "Objects larger than this are not stored on disk."},
	{Name: "cache_swap_low", Effect: Acts, Default: "90", kind: number(func(c *Config) *int { return &c.CacheSwapLow }),
		Help: "Replacement begins when so many percent of a cache_dir are full."},
	{Name: "cache_swap_high", Effect: Acts, Default: "95", kind: number(func(c *Config) *int { return &c.CacheSwapHigh }),
		Help: "Replacement hurries when so many percent of a cache_dir are full."},
}
