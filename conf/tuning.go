package conf

// TuningSettings are knobs of the process.
type TuningSettings struct {
	// MemoryPools is memory_pools.
	MemoryPools bool
	// MemoryPoolsLimit is memory_pools_limit.
	MemoryPoolsLimit int64
	// ClientDB is client_db.
	ClientDB bool
	// HighResponseTimeWarning is high_response_time_warning (milliseconds, 0 never).
	HighResponseTimeWarning int
	// HighPageFaultWarning is high_page_fault_warning (a second, 0 never).
	HighPageFaultWarning int
	// HighMemoryWarning is high_memory_warning (bytes, 0 never).
	HighMemoryWarning int64
	// SleepAfterFork is sleep_after_fork (microseconds).
	SleepAfterFork int
	// MulticastMiss holds the mcast_miss_ directives.
	MulticastMiss MulticastMiss
}
