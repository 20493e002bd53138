package store

import (
	"errors"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/store/index"
	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// maintain is the janitor: it runs errands in the directories and makes room
// there, when nudged and once a second.
func (s *Store) maintain() {
	defer s.background.Done()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-s.disks.wake:
			s.tidy(false)
		case <-tick.C:
			s.tidy(true)
		case <-s.closing:
			s.runErrands()
			return
		}
	}
}

func (s *Store) tidy(regular bool) {
	s.runErrands()
	for _, d := range s.disks.all() {
		if d.failed.Load() || !d.rebuilt.Load() {
			continue
		}
		s.makeRoom(d, regular)
		s.runErrands()
		if !regular {
			continue
		}
		if err := d.dir.Flush(); err != nil {
			s.diskError(d, err)
		} else if d.dir.Bloated(int(d.objects.Load())) {
			s.rewrite(d, false)
		}
	}
}

func (s *Store) runErrands() {
	for _, todo := range s.disks.take() {
		if todo.what == errandShut {
			todo.file.shut()
			continue
		}
		if todo.d.failed.Load() {
			continue
		}
		var err error
		switch todo.what {
		case errandAdd:
			err = todo.d.dir.Add(&todo.record)
		case errandDelete:
			err = todo.d.dir.Delete(&todo.record)
		case errandUnlink:
			err = todo.d.dir.Unlink(todo.record.Number)
		}
		if err != nil {
			s.diskError(todo.d, err)
		}
	}
}

// makeRoom has objects leave a directory: beyond cache_swap_high as many as it
// takes to come below, and once a second between cache_swap_low and the limit some,
// more of them the fuller it is.
func (s *Store) makeRoom(d *disk, regular bool) {
	c := s.config.Load()
	room := d.room()
	low, high := room/100*int64(c.SwapLow), room/100*int64(c.SwapHigh)
	size := d.size.Load() + d.coming.Load()
	remove := 0
	if regular && size > low && room > low {
		full := min(float64(size-low)/float64(room-low), 1)
		remove = int(10 + 70*full)
	}
	for passed := 0; passed < maxPassed; {
		if size = d.size.Load() + d.coming.Load(); size <= low || size <= high && remove <= 0 {
			return
		}
		remove--
		switch s.evictFrom(d) {
		case evictNone:
			return
		case evictPassed:
			passed++
		}
	}
}

// evicted tells what became of an attempt to have an object leave.
type evicted uint8

const (
	evictDone evicted = iota
	evictPassed
	evictNone
)

// evictFrom has the object leave that is the first to go.
func (s *Store) evictFrom(d *disk) evicted {
	order := d.order.Load()
	sh, id, rec := order.First()
	if sh == nil {
		return evictNone
	}
	if rec.Pins > 0 {
		s.touch(order, sh, id, rec, s.now())
		sh.Unlock()
		return evictPassed
	}
	size := blocks(rec.Size())
	order.Evict(sh, id)
	d.size.Add(-size)
	d.objects.Add(-1)
	gone := s.remove(sh, id, rec, false)
	sh.Unlock()
	s.stats.diskEvictions.Add(1)
	waitFor(gone)
	return evictDone
}

// faultsEvery is the time between two reports about files of one directory.
const faultsEvery = time.Minute

// mayTell reports whether one is due.
func (d *disk) mayTell(now time.Time) bool {
	last := d.told.Load()
	return now.UnixNano()-last >= int64(faultsEvery) && d.told.CompareAndSwap(last, now.UnixNano())
}

// diskError deals with what went wrong in a directory. What concerns it as a whole
// takes it out, and is reported once; faults of single files are reported once a minute.
func (s *Store) diskError(d *disk, err error) {
	if errors.Is(err, ufs.ErrRebuilding) || errors.Is(err, ufs.ErrFull) || errors.Is(err, ufs.ErrReadOnly) {
		s.stats.unallocated.Add(1)
		return
	}
	s.stats.diskErrors.Add(1)
	if ufs.Full(err) && s.diskFull(d, err) {
		return
	}
	out := diskFault(err)
	if out && d.failed.Swap(true) || !out && !d.mayTell(s.now()) {
		return
	}
	s.tell(Notice{Path: d.config.Load().Path, Err: err, TakenOut: out})
	if out {
		go s.forgetDisk(d)
	}
}

// diskFull has a directory whose file system is full make do, as 2.6 does, with what its
// objects take now: some of them leave for others. It is false where there are none: then
// others have the room, and nothing can be written.
func (s *Store) diskFull(d *disk, err error) bool {
	if d.objects.Load() == 0 {
		return false
	}
	held := d.size.Load()
	if held < d.room() {
		d.limit.Store(held)
	}
	if d.mayTell(s.now()) {
		s.tell(Notice{Path: d.config.Load().Path, Err: err, Shrunk: d.room()})
	}
	s.disks.nudge()
	return true
}

// forgetDisk takes everything a directory held out of the index; its files stay.
func (s *Store) forgetDisk(d *disk) {
	s.shutKept(d)
	for i := range index.Shards {
		sh := s.ix.At(i)
		sh.Lock()
		var ids []index.ID
		d.order.Load().Walk(sh, func(id index.ID, _ *index.Record) bool {
			ids = append(ids, id)
			return true
		})
		for _, id := range ids {
			rec := sh.Record(id)
			s.disks.leaveOrder(sh, id, rec)
			rec.ClearDisk()
			s.forgetIfEmpty(sh, id, rec)
		}
		sh.Unlock()
	}
}
