package conf

import "github.com/cuttle-proxy/cuttle/parser"

// Delay holds every delay_ directive.
type Delay struct {
	// Pools is delay_pools with delay_class, delay_access and delay_parameters;
	// pool N of the file is Pools[N-1].
	Pools []DelayPool
	// InitialBucketLevel is delay_initial_bucket_level (percent).
	InitialBucketLevel uint16
}

// DelayPool is one pool.
type DelayPool struct {
	// Class is 1 to 3, 0 when no delay_class line named the pool.
	Class  int
	Access AccessList
	// Aggregate is of classes 1 to 3, Network of 3, Individual of 2 and 3.
	Aggregate  DelayRate
	Network    DelayRate
	Individual DelayRate
	Pos        parser.Pos
}

// DelayRate is a bucket: Restore bytes a second, at most Max bytes; -1 no limit.
type DelayRate struct{ Restore, Max int }
