package store

import (
	"time"

	"github.com/cuttle-proxy/cuttle/forward/store/index"
	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// settle puts what stays of an entry that has ended into the index: what is wholly
// in memory, and the file of sw, nil for none. Nothing is locked.
func (e *Entry) settle(sw *swapOut) {
	s := e.s
	if sw != nil && sw.d.failed.Load() {
		sw = nil
	}
	sh := e.lockWithShard()
	if e.settled {
		e.mu.Unlock()
		sh.Unlock()
		return
	}
	e.settled = true
	live := s.live[sh.Number()]
	mine := live[e.key] == e
	if mine {
		delete(live, e.key)
	}
	var gone Line
	entered := false
	if mine && e.kept && e.phase == complete && (e.whole || sw != nil) {
		if id, old := sh.Find((*[16]byte)(&e.key)); old != nil {
			gone = s.remove(sh, id, old, true)
		}
		entered = s.enterRecord(sh, e, sw)
	}
	if !entered && sw != nil {
		s.disks.unlink(sw.d.slot, sw.number)
	}
	line := e.logSettled(sw, entered)
	e.mu.Unlock()
	sh.Unlock()
	waitFor(gone)
	waitFor(line)
	e.freeIfLast()
}

// logSettled puts down what has become of an entry whose body is over; sw is its file.
func (e *Entry) logSettled(sw *swapOut, entered bool) Line {
	switch {
	case !e.s.logs(), e.headless:
		return nil
	case !entered:
		event := e.event(Released)
		event.Key = RandomKey()
		if e.swap != nil && e.swap.body > 0 { // there was a file of it
			event.Dir, event.Number = e.swap.d.slot, e.swap.number
		}
		return e.s.log(event)
	case sw != nil:
		event := e.event(SwappedOut)
		event.Dir, event.Number = sw.d.slot, sw.number
		return e.s.log(event)
	case e.metadata.Flags&Negative == 0 && e.swap == nil:
		return e.s.log(e.event(SwapOutFailed))
	}
	return nil
}

// enterRecord makes the record of an entry, with its shard and it locked, where there
// is none under its key. It is false when the index is full.
func (s *Store) enterRecord(sh *index.Shard, e *Entry, sw *swapOut) bool {
	id, rec := sh.Insert((*[16]byte)(&e.key))
	if rec == nil {
		return false
	}
	now := s.now()
	e.metadata.enter(now)
	setMetadata(rec, &e.metadata)
	rec.SetSize(e.size + int64(e.headLen))
	if sw != nil {
		rec.SetDisk(sw.d.slot, uint32(sw.number))
		rec.SetSize(sw.body + e.size)
		s.enterDisk(sh, id, rec, sw.d)
		s.disks.send(sw.d.slot, errandAdd, recordOf(rec))
	}
	if e.whole {
		rec.Memory = uint32(e.first)
		s.objectAt(e.first).fromDisk = e.opening.FromDisk
		s.memoryOrder.Load().Add(sh, id, now)
		// The entry reads it until its own last reader has gone.
		s.objectAt(e.first).pins++
		e.pinned = true
	}
	s.stats.stored.Add(1)
	return true
}

// enter completes what is known of an object that goes into the index.
func (f *Metadata) enter(now time.Time) {
	f.Flags |= stored
	f.Refs = max(f.Refs, 1)
	if f.LastRef == 0 || f.LastRef == Unknown {
		f.LastRef = TimeOf(now.Unix())
	}
}

// enterDisk enters a record into the books of its directory, with its shard locked.
func (s *Store) enterDisk(sh *index.Shard, id index.ID, rec *index.Record, d *disk) {
	d.order.Load().Add(sh, id, s.now())
	d.size.Add(blocks(rec.Size()))
	d.objects.Add(1)
	s.nudgeIfFull(d)
}

// nudgeIfFull has the janitor make room when a directory is beyond cache_swap_high.
func (s *Store) nudgeIfFull(d *disk) {
	if d.size.Load()+d.coming.Load() > d.room()/100*int64(s.config.Load().SwapHigh) {
		s.disks.nudge()
	}
}

// recordOf is what a directory's journal says of a record.
func recordOf(rec *index.Record) *ufs.Record {
	_, number, _ := rec.OnDisk()
	f := metadataOf(rec)
	return &ufs.Record{Number: ufs.Number(number), Times: timesOf(&f), Size: rec.Size(), RefCount: f.Refs,
		Flags: uint16(f.Flags), Key: ufs.Key(rec.Key)}
}

// event is what store.log shows of an entry, which is locked.
func (e *Entry) event(a Action) *Event {
	ev := &Event{Action: a, Dir: -1, Key: e.key, Length: e.size, Method: e.opening.methodText(), URL: e.opening.shown()}
	if e.first != 0 {
		ev.Head, _ = e.s.headOf(e.s.objectAt(e.first), nil)
	}
	return ev
}

// freeIfLast frees the pages of an entry that has ended and settled, when nobody
// reads it. Nothing is locked.
func (e *Entry) freeIfLast() {
	e.mu.Lock()
	unpin := e.release()
	e.mu.Unlock()
	if unpin {
		sh := e.lockWithShard()
		e.mu.Unlock()
		e.s.unpinObject(e.first, e.s.objectAt(e.first))
		sh.Unlock()
	}
}
