package index

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"sync"
)

// Shards is how many parts the index has.
const Shards = 256

// ID names a record for as long as it is pinned or its shard is locked.
type ID uint32

const localBits = 24

// Shard of the record.
func (id ID) shard() int { return int(id >> localBits) }

// Index is all records. The zero value is not ready: New.
type Index struct {
	shards [Shards]Shard
	secret uint64
}

// New makes an index.
func New() *Index {
	ix := &Index{secret: rand.Uint64() | 1}
	memory := &slabs{}
	for i := range ix.shards {
		s := &ix.shards[i]
		s.number, s.secret, s.memory = i, ix.secret, memory
	}
	runtime.AddCleanup(ix, (*slabs).giveBack, memory)
	return ix
}

// hash spreads keys in a way that nobody who chooses URLs can foresee.
func hash(key *[16]byte, secret uint64) uint64 {
	hi, lo := bits.Mul64(binary.LittleEndian.Uint64(key[:8])^binary.LittleEndian.Uint64(key[8:])*secret, secret)
	return hi ^ lo
}

// Shard is the shard of a key, not locked.
func (ix *Index) Shard(key *[16]byte) *Shard {
	return &ix.shards[hash(key, ix.secret)&(Shards-1)]
}

// ShardOf is the shard of a record, not locked.
func (ix *Index) ShardOf(id ID) *Shard { return &ix.shards[id.shard()] }

// At is shard i, for walks over all of them.
func (ix *Index) At(i int) *Shard { return &ix.shards[i] }

// Len counts the records that can be found, and the detached ones.
func (ix *Index) Len() (found, detached int) {
	for i := range ix.shards {
		s := &ix.shards[i]
		s.Lock()
		found += s.count
		detached += s.records - s.count
		s.Unlock()
	}
	return found, detached
}

// Shard is a part of the index with its own lock, which its caller holds during
// every call of a method and for as long as it uses a record it did not pin.
type Shard struct {
	sync.Mutex
	number int
	secret uint64

	slots []uint32 // 8 bits of the hash, 24 of the record's place plus one; 0 is free
	count int      // slots in use

	memory  *slabs
	slabs   []*slab
	free    uint32 // list of free records, by place plus one
	fresh   uint32 // the place of the first record never used
	records int    // in use

	_ [32]byte // a cache line of its own
}

// Number is which of the shards it is.
func (s *Shard) Number() int { return s.number }
