package store

import (
	"time"

	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store/arena"
	"github.com/cuttle-proxy/cuttle/forward/store/index"
	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// Found is what Lookup found.
type Found uint8

const (
	// Miss: nothing. The reader is as it was.
	Miss Found = iota
	// Hit: a whole object.
	Hit
	// Joined: an object that is on its way; its head is there.
	Joined
	// Waiting: one whose head is not there yet: AwaitHead.
	Waiting
)

// Lookup finds what is stored under a key and pins the reader, which is closed, to
// it. url is the one the key was made of: the store URL where there is one. The object counts as used at the time given.
func (s *Store) Lookup(now time.Time, key Key, url []byte, r *Reader) Found {
	sh := s.ix.Shard((*[16]byte)(&key))
	sh.Lock()
	if live := s.live[sh.Number()]; len(live) > 0 {
		if e := live[key]; e != nil {
			return e.join(sh, url, r)
		}
	}
	id, rec := sh.Find((*[16]byte)(&key))
	if rec == nil || rec.Pins == maxPins {
		sh.Unlock()
		s.stats.misses.Add(1)
		return Miss
	}
	if rec.Memory != 0 {
		o := s.objectAt(arena.Page(rec.Memory))
		if !s.sameURL(arena.Page(rec.Memory), o, url) {
			sh.Unlock()
			s.stats.collisions.Add(1)
			return Miss
		}
		o.pins++
		r.first, r.object, r.length = arena.Page(rec.Memory), o, o.length
		s.hits[sh.Number()].memory++
	} else {
		s.hits[sh.Number()].disk++
		r.first, r.object, r.length = 0, nil, -1
	}
	rec.Pins++
	s.used(sh, id, rec, now)
	r.begin(s, metadataOf(rec))
	r.id, r.shard, r.record, r.pinned = id, sh, rec, true
	r.memory = r.object != nil
	sh.Unlock()
	return Hit
}

// maxPins is how many readers a record can count.
const maxPins = 1<<16 - 1

// used counts a use of a record, with its shard locked.
func (s *Store) used(sh *index.Shard, id index.ID, rec *index.Record, now time.Time) {
	rec.LastRef = uint32(TimeOf(now.Unix()))
	if rec.Refs < 1<<16-1 {
		rec.Refs++
	}
	if rec.Memory != 0 {
		s.memoryOrder.Load().Touch(sh, id, now)
	}
	if d, _, ok := rec.OnDisk(); ok {
		if order := s.disks.order(d); order != nil && rec.Disk.Linked() {
			order.Touch(sh, id, now)
		}
	}
}

func metadataOf(rec *index.Record) Metadata {
	return Metadata{Timestamp: Time(rec.Timestamp), LastRef: Time(rec.LastRef), Expires: Time(rec.Expires),
		LastMod: Time(rec.LastMod), Refs: rec.Refs, Flags: Flags(rec.Flags())}
}

func setMetadata(rec *index.Record, f *Metadata) {
	rec.Timestamp, rec.LastRef, rec.Expires, rec.LastMod = uint32(f.Timestamp), uint32(f.LastRef), uint32(f.Expires), uint32(f.LastMod)
	rec.Refs = f.Refs
	rec.SetFlags(uint16(f.Flags))
}

// perMethod are the methods whose replies are stored, each under a key of its own.
var perMethod = [...]http1.Method{http1.GET, http1.HEAD}

// PurgeURL takes away what is stored for a URL in a urlgroup, under any method.
func (s *Store) PurgeURL(url, group []byte) (found bool) {
	for _, method := range perMethod {
		parts := KeyParts{Method: method, URL: url, Group: group}
		found = s.Purge(parts.Key()) || found
	}
	return found
}

// Purge takes what is stored under a key away: PURGE, HTCP CLR, unsafe methods.
// Its readers finish. It reports whether there was something.
func (s *Store) Purge(key Key) bool {
	sh := s.ix.Shard((*[16]byte)(&key))
	sh.Lock()
	e := s.live[sh.Number()][key]
	if e != nil {
		delete(s.live[sh.Number()], key)
		e.mu.Lock()
		e.setObsolete()
		e.mu.Unlock()
	}
	id, rec := sh.Find((*[16]byte)(&key))
	var gone Line
	if rec != nil {
		gone = s.remove(sh, id, rec, false)
	}
	sh.Unlock()
	waitFor(gone)
	return e != nil || rec != nil
}

// remove takes a record out of the index, with its shard locked; replaced: for another
// object. Its last reader frees what it has. The caller waits for the line about it.
func (s *Store) remove(sh *index.Shard, id index.ID, rec *index.Record, replaced bool) Line {
	gone := s.logReleased(rec, replaced)
	if dir, _, ok := rec.OnDisk(); ok {
		s.disks.leaveOrder(sh, id, rec)
		s.disks.shut(s.kept[sh.Number()].drop(id))
		s.disks.send(dir, errandDelete, recordOf(rec))
	}
	if rec.Memory != 0 {
		s.memoryOrder.Load().Remove(sh, id)
		s.dropMemory(rec)
	}
	sh.Detach(id)
	if rec.Pins == 0 {
		s.free(sh, id, rec)
	}
	return gone
}

// free gives back a detached record without readers, and the number of its file.
func (s *Store) free(sh *index.Shard, id index.ID, rec *index.Record) {
	if dir, number, ok := rec.OnDisk(); ok {
		s.disks.unlink(dir, ufs.Number(number))
	}
	sh.Free(id)
}
