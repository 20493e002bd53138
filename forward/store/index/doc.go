// Package index knows where the objects of the cache are: 64 bytes a record, found by its
// key, and in the orders in which objects leave.
//
// Records lie in slabs without pointers outside Go's heap, so the collector has
// nothing to look at, and their keys in tables with open addressing. All is split in shards, each with
// a lock of its own: two lookups meet at one lock in Shards cases at most, and what
// must grow is small.
//
//	record.go   what is known of an object
//	shard.go    the records of a shard, and their slots; slabs.go
//	table.go    open addressing
//	index.go    the shards; which one a key belongs to
//	order.go    who leaves first, in a shard (list.go, heap.go)
//	orders.go   and over all shards
//
// A record that a reader has pinned stays, although it may have been detached:
// then nobody finds it, and its last reader frees it.
package index
