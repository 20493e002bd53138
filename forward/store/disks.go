package store

import (
	"sync"
	"sync/atomic"

	"github.com/cuttle-proxy/cuttle/forward/store/index"
	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// disk is a cache directory in use.
type disk struct {
	slot   int
	config atomic.Pointer[DirConfig]
	dir    Directory
	order  atomic.Pointer[index.Order]
	// size is what the files of its objects take in bytes, in whole blocks; coming
	// what is announced for those under way.
	size, coming atomic.Int64
	objects      atomic.Int64
	limit        atomic.Int64 // what its size may be since its file system was full, 0 for as configured
	open         atomic.Int32 // files being read or written
	rebuilt      atomic.Bool
	done, total  atomic.Int64 // of its rebuild
	failed       atomic.Bool
	told         atomic.Int64 // when a fault of a file was reported last, in nanoseconds since 1970
	stop         func()       // ends its rebuild
	ended        chan struct{}
}

// disks are the cache directories, each in a slot it keeps.
type disks struct {
	slots [index.MaxDirs]atomic.Pointer[disk]
	turn  atomic.Uint32 // round-robin
	// nextSlot is where a directory that is added looks for room first.
	nextSlot int
	files    atomic.Int64 // open ones
	// errands of the janitor.
	mu      sync.Mutex
	errands []errand
	wake    chan struct{}
}

// errand is something to be done in a directory, in order.
type errand struct {
	d      *disk
	what   errandKind
	record ufs.Record
	file   *openFile
}

// errandKind is what an errand is about.
type errandKind uint8

const (
	errandAdd    errandKind = iota // the record goes into the journal
	errandDelete                   // its end does
	errandUnlink                   // the file goes, and its number is free
	errandShut                     // an open file is closed
)

// at is the directory in a slot, nil for none.
func (ds *disks) at(slot int) *disk {
	if slot < 0 || slot >= len(ds.slots) {
		return nil
	}
	return ds.slots[slot].Load()
}

// all are the directories in use.
func (ds *disks) all() (all []*disk) {
	for i := range ds.slots {
		if d := ds.slots[i].Load(); d != nil {
			all = append(all, d)
		}
	}
	return all
}

// order is the order in which objects leave a directory.
func (ds *disks) order(slot int) *index.Order {
	if d := ds.at(slot); d != nil {
		return d.order.Load()
	}
	return nil
}

// leaveOrder takes a record out of its directory's books, with its shard locked.
func (ds *disks) leaveOrder(sh *index.Shard, id index.ID, rec *index.Record) {
	slot, _, _ := rec.OnDisk()
	d := ds.at(slot)
	if d == nil || !rec.Disk.Linked() {
		return
	}
	d.order.Load().Remove(sh, id)
	d.size.Add(-blocks(rec.Size()))
	d.objects.Add(-1)
}

// blockSize is what a file's size is rounded up to in the books.
const blockSize = 4096

func blocks(n int64) int64 { return (n + blockSize - 1) / blockSize * blockSize }

// unlink has a file removed, whose last reader has gone.
func (ds *disks) unlink(slot int, n ufs.Number) { ds.send(slot, errandUnlink, &ufs.Record{Number: n}) }

// send has the janitor do something. It waits for nothing.
func (ds *disks) send(slot int, what errandKind, r *ufs.Record) {
	d := ds.at(slot)
	if d == nil || d.failed.Load() {
		return
	}
	ds.mu.Lock()
	ds.errands = append(ds.errands, errand{d: d, what: what, record: *r})
	ds.mu.Unlock()
	ds.nudge()
}

// shut has the janitor close a file, unless it is nil.
func (ds *disks) shut(f *openFile) {
	if f == nil {
		return
	}
	ds.mu.Lock()
	ds.errands = append(ds.errands, errand{d: f.d, what: errandShut, file: f})
	ds.mu.Unlock()
	ds.nudge()
}

// nudge wakes the janitor.
func (ds *disks) nudge() {
	select {
	case ds.wake <- struct{}{}:
	default:
	}
}

// take gives all errands there are.
func (ds *disks) take() []errand {
	ds.mu.Lock()
	defer ds.mu.Unlock()
	all := ds.errands
	ds.errands = nil
	return all
}

// room is how large the directory may become, in bytes.
func (d *disk) room() int64 {
	size := d.config.Load().Size
	if limit := d.limit.Load(); limit > 0 {
		return min(size, limit)
	}
	return size
}

// load is how much a directory is occupied, as 2.6 counts it.
func (d *disk) load() int { return 500 + int(d.open.Load())/2 }

func (d *disk) opened(s *Store) {
	d.open.Add(1)
	s.disks.files.Add(1)
}

func (d *disk) closed(s *Store) {
	d.open.Add(-1)
	s.disks.files.Add(-1)
}
