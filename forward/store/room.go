package store

import (
	"time"

	"github.com/cuttle-proxy/cuttle/forward/store/arena"
	"github.com/cuttle-proxy/cuttle/forward/store/index"
)

// maxPassed is how many objects in use are passed over in the search for one that
// can leave memory.
const maxPassed = 64

// page gives a page within cache_mem; objects leave for it. It is called without
// any lock.
func (s *Store) page() (arena.Page, bool) {
	for range 2 {
		if p, ok := s.mem.Alloc(); ok {
			return p, true
		}
		if !s.shrink(1) {
			break
		}
	}
	s.stats.noPage.Add(1)
	return 0, false
}

// lent gives a page for bytes on their way through.
func (s *Store) lent() (arena.Page, bool) {
	if p, ok := s.mem.Alloc(); ok {
		return p, true
	}
	return s.mem.Lend()
}

// shrink has objects leave memory, in the order of memory_replacement_policy,
// until n pages can be had. It reports whether they can.
func (s *Store) shrink(n int) bool {
	order := s.memoryOrder.Load()
	for passed := 0; s.mem.Excess(n) > 0; {
		sh, id, rec := order.First()
		if sh == nil {
			return false
		}
		if s.objectAt(arena.Page(rec.Memory)).pins > 0 {
			// Being read is being used.
			s.touch(order, sh, id, rec, s.now())
			sh.Unlock()
			if passed++; passed > maxPassed {
				return false
			}
			continue
		}
		order.Evict(sh, id)
		s.dropMemory(rec)
		gone := s.forgetIfEmpty(sh, id, rec)
		sh.Unlock()
		s.stats.memoryEvictions.Add(1)
		waitFor(gone)
	}
	return true
}

func (s *Store) touch(order *index.Order, sh *index.Shard, id index.ID, rec *index.Record, now time.Time) {
	rec.LastRef = uint32(TimeOf(now.Unix()))
	order.Touch(sh, id, now)
}

// dropMemory takes the pages of a record from it, with its shard locked and out of
// the order of memory. They are freed now or by their last reader.
func (s *Store) dropMemory(rec *index.Record) {
	first := arena.Page(rec.Memory)
	rec.Memory = 0
	o := s.objectAt(first)
	if o.pins > 0 {
		o.retired = true
		return
	}
	s.mem.Release(first)
}

// forgetIfEmpty removes a record that is neither in memory nor on disk, with its
// shard locked. The caller waits for the line about it.
func (s *Store) forgetIfEmpty(sh *index.Shard, id index.ID, rec *index.Record) Line {
	if _, _, onDisk := rec.OnDisk(); onDisk || rec.Memory != 0 {
		return nil
	}
	gone := s.logReleased(rec, false)
	sh.Detach(id)
	if rec.Pins == 0 {
		sh.Free(id)
	}
	return gone
}
