// Package delay is delay pools: how fast bytes of the origin side may go to clients.
//
//	bucket   bucket.go   the arithmetic: a level that grows with time and falls with use
//	Pool     pool.go     the buckets of one pool, and which of them are a client's
//	Pools    pools.go    those of one configuration, until another one takes its place
//	Share    share.go    one transfer's part in a pool: how much it may read, when that
//	                     may go on
//	Status   status.go   what -k delay shows
//
// A transfer reads a little, pays for it from every bucket of its pool, which may go
// below zero, and passes it on when they would be at zero again. So transfers of a
// bucket take turns in the order in which they read: each gets the same, without a
// queue, and only what has really come is counted. Nothing runs while nothing waits.
//
// Differences from 2.6, which fills its buckets once a second: a maximum that equals
// the rate, or is below it, does not lower it; nobody is starved; a pool is chosen anew
// for transfers that run on when the configuration changes.
package delay
