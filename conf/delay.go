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

	// early are the pairs of a delay_parameters line above the pool's delay_class, which
	// 2.6 skips; so does it with those of class 4 (later), which act as class 3 (as).
	early []DelayRate
	later bool
	as    int
}

// Buckets is the class that says which buckets the pool has: its own, or 3 for one of
// class 4 of later releases, which has those and one for each user. 0 is none.
func (p *DelayPool) Buckets() int {
	if p.Class == 0 {
		return p.as
	}
	return p.Class
}

// DelayRate is a bucket: Restore bytes a second, at most Max bytes; -1 no limit.
type DelayRate struct{ Restore, Max int }
