package store

import (
	"sync/atomic"

	"github.com/cuttle-proxy/cuttle/forward/store/arena"
)

// counters are counted by whoever sees it happen.
type counters struct {
	misses, joined, waited, collisions       atomic.Int64
	begun, stored, aborted, quickAborts      atomic.Int64
	noPage, memoryEvictions, diskEvictions   atomic.Int64
	queueFull, slowDisk, tooManyFiles        atomic.Int64
	readQueueFull, swapIns, swapFails        atomic.Int64
	stalled, faults, diskErrors, unallocated atomic.Int64
}

// hits of a shard, guarded by it: two cores seldom count the same.
type hits struct{ memory, disk int64 }

// Stats is the state of the store. Numbers that only grow count from the start.
type Stats struct {
	// Objects is how many are in the index; Pinned how many more have readers only.
	Objects, Pinned int
	// InMemory is how many of them are in memory, in MemoryPages pages of PageSize
	// bytes, of which there may be MemoryLimit.
	InMemory, MemoryPages, MemoryLimit, PageSize int
	// MemoryHits and DiskHits are lookups that found a whole object, in memory or on
	// disk alone.
	MemoryHits, DiskHits int64
	// Misses, Joined and Waited are lookups that found nothing, a streaming and a
	// pending entry. Collisions found another URL under the key.
	Misses, Joined, Waited, Collisions int64
	// Begun entries ended Stored or Aborted, by QuickAborts among other things.
	Begun, Stored, Aborted, QuickAborts int64
	// NoPage is how often no page could be had.
	NoPage int64
	// MemoryEvictions and DiskEvictions left for others.
	MemoryEvictions, DiskEvictions int64
	// WriteQueueFull, SlowDisk, TooManyFiles and Unallocated objects were not stored on
	// disk: their write found the queue full, clients would have waited for it,
	// max_open_disk_fds was reached, the directory had no number for them.
	WriteQueueFull, SlowDisk, TooManyFiles, Unallocated int64
	// ReadQueueFull hits were misses, SwapFails too: the file was not what the index
	// says. SwapIns came into memory from disk.
	ReadQueueFull, SwapFails, SwapIns int64
	// Stalled readers were ended because others waited.
	Stalled int64
	// Faults are pages that were not what they should have been: faults of the program.
	Faults int64
	// Reads and Writes wait for a worker; OpenFiles are read or written, KeptFiles only
	// open for the next reader, or for it as well.
	Reads, Writes, OpenFiles, KeptFiles int
	// Joining bodies are not objects yet, of JoiningBytes of memory beside MemoryPages: 206
	// replies have brought some of each. The store itself knows of none.
	Joining      int
	JoiningBytes int64
	Dirs         []DirStats
}

// DirStats is the state of a cache directory.
type DirStats struct {
	Path           string
	Objects        int64
	Size, MaxSize  int64 // bytes
	Open           int   // files
	Rebuilt        bool
	TakenOut       bool
	ReadOnly       bool
	Load, LoadFull int // LoadFull is where nothing more is given to it
}

// Len is how many objects can be found.
func (s *Store) Len() int {
	found, _ := s.ix.Len()
	return found
}

// Stats counts. It locks each shard in turn.
func (s *Store) Stats() Stats {
	c, use := &s.stats, s.mem.Use()
	st := Stats{MemoryPages: use.Used, MemoryLimit: use.Limit, PageSize: arena.PageSize,
		Misses: c.misses.Load(), Joined: c.joined.Load(), Waited: c.waited.Load(), Collisions: c.collisions.Load(),
		Begun: c.begun.Load(), Stored: c.stored.Load(), Aborted: c.aborted.Load(), QuickAborts: c.quickAborts.Load(),
		NoPage: c.noPage.Load(), MemoryEvictions: c.memoryEvictions.Load(), DiskEvictions: c.diskEvictions.Load(),
		WriteQueueFull: c.queueFull.Load(), SlowDisk: c.slowDisk.Load(), TooManyFiles: c.tooManyFiles.Load(), Unallocated: c.unallocated.Load(),
		ReadQueueFull: c.readQueueFull.Load(), SwapFails: c.swapFails.Load(), SwapIns: c.swapIns.Load(),
		Stalled: c.stalled.Load(), Faults: c.faults.Load(), OpenFiles: int(s.disks.files.Load())}
	st.Objects, st.Pinned = s.ix.Len()
	st.InMemory = s.memoryOrder.Load().Len()
	st.Reads, st.Writes = s.work.waiting()
	for i := range s.hits {
		sh := s.ix.At(i)
		sh.Lock()
		st.MemoryHits += s.hits[i].memory
		st.DiskHits += s.hits[i].disk
		st.KeptFiles += len(s.kept[i].list)
		sh.Unlock()
	}
	for _, d := range s.disks.all() {
		dc := d.config.Load()
		st.Dirs = append(st.Dirs, DirStats{Path: dc.Path, Objects: d.objects.Load(), Size: d.size.Load(), MaxSize: d.room(),
			Open: int(d.open.Load()), Rebuilt: d.rebuilt.Load(), TakenOut: d.failed.Load(), ReadOnly: dc.ReadOnly, Load: d.load(), LoadFull: 1000})
	}
	return st
}
