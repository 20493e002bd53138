package store

import (
	"context"
	"fmt"
	"iter"

	"github.com/cuttle-proxy/cuttle/forward/store/index"
	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// takeDirs takes the directories of a configuration into use and closes those that
// are gone from it. An error leaves those in use as they were.
func (s *Store) takeDirs(c *Config) error {
	if len(c.Dirs) > index.MaxDirs {
		return ErrTooManyDirs
	}
	known := map[string]*disk{}
	for _, d := range s.disks.all() {
		known[d.config.Load().Path] = d
	}
	opened := map[string]Directory{}
	for i := range c.Dirs {
		dc := &c.Dirs[i]
		if known[dc.Path] != nil {
			continue
		}
		dir, err := dc.Open()
		if err != nil {
			for _, dir := range opened {
				dir.Close()
			}
			return fmt.Errorf("%s: %w", dc.Path, err)
		}
		opened[dc.Path] = dir
	}
	for i := range c.Dirs {
		dc := &c.Dirs[i]
		if d := known[dc.Path]; d != nil {
			delete(known, dc.Path)
			s.changeDir(d, dc)
		} else {
			s.addDir(dc, opened[dc.Path], c.DoubleCheck)
		}
	}
	for _, d := range known {
		s.dropDir(d)
	}
	return nil
}

// addDir takes one into use and begins to rebuild it.
func (s *Store) addDir(dc *DirConfig, dir Directory, doubleCheck bool) {
	ctx, stop := context.WithCancel(context.Background())
	d := &disk{dir: dir, stop: stop, ended: make(chan struct{})}
	d.config.Store(dc)
	d.order.Store(s.ix.NewOrder(dc.Policy.order(), diskLinks))
	for i := range s.disks.slots {
		if s.disks.slots[i].Load() == nil {
			d.slot = i
			break
		}
	}
	s.disks.slots[d.slot].Store(d)
	s.background.Add(1)
	go func() {
		defer s.background.Done()
		defer close(d.ended)
		s.rebuild(ctx, d, doubleCheck)
	}()
}

func diskLinks(r *index.Record) *index.Links { return &r.Disk }

// changeDir has another line of the configuration apply to a directory.
func (s *Store) changeDir(d *disk, dc *DirConfig) {
	old := d.config.Swap(dc)
	if old.Policy.order() == dc.Policy.order() {
		return
	}
	order, before := s.ix.NewOrder(dc.Policy.order(), diskLinks), d.order.Load()
	for i := range index.Shards {
		s.ix.At(i).Lock()
	}
	now := s.now()
	for i := range index.Shards {
		sh := s.ix.At(i)
		var ids []index.ID
		before.Walk(sh, func(id index.ID, _ *index.Record) bool {
			ids = append(ids, id)
			return true
		})
		for _, id := range ids {
			before.Remove(sh, id)
			order.Add(sh, id, now)
		}
		order.Sort(sh)
	}
	d.order.Store(order)
	for i := range index.Shards {
		s.ix.At(i).Unlock()
	}
}

// dropDir ends the use of a directory that is gone from the configuration.
func (s *Store) dropDir(d *disk) {
	s.closeDir(d)
	d.failed.Store(true) // nothing is written there any more
	s.forgetDisk(d)
	s.disks.slots[d.slot].Store(nil)
}

// closeDir writes the journal of a directory anew and closes it.
func (s *Store) closeDir(d *disk) error {
	d.stop()
	<-d.ended
	s.runErrands()
	if d.failed.Load() {
		return d.dir.Close()
	}
	err := d.dir.Rewrite(s.records(d), d.rebuilt.Load())
	if shut := d.dir.Close(); err == nil {
		err = shut
	}
	return err
}

// Rotate writes the journals of the directories anew (squid -k rotate).
func (s *Store) Rotate() {
	for _, d := range s.disks.all() {
		if !d.failed.Load() && d.rebuilt.Load() {
			s.rewrite(d, false)
		}
	}
}

func (s *Store) rewrite(d *disk, clean bool) {
	if err := d.dir.Rewrite(s.records(d), clean); err != nil {
		s.diskError(d, err)
	}
}

// records are those of a directory, of each shard the ones that leave first first.
func (s *Store) records(d *disk) iter.Seq[*ufs.Record] {
	return func(yield func(*ufs.Record) bool) {
		var batch []*ufs.Record
		for i := range index.Shards {
			sh := s.ix.At(i)
			batch = batch[:0]
			sh.Lock()
			d.order.Load().Walk(sh, func(_ index.ID, rec *index.Record) bool {
				batch = append(batch, recordOf(rec))
				return true
			})
			sh.Unlock()
			for _, r := range batch {
				if !yield(r) {
					return
				}
			}
		}
	}
}

// rebuild fills the index with what a directory holds.
func (s *Store) rebuild(ctx context.Context, d *disk, doubleCheck bool) {
	report, err := d.dir.Rebuild(ctx, ufs.Sink{Load: func(r *ufs.Record) ufs.Verdict { return s.loadRecord(d, r) },
		Report: func(err error) { s.diskError(d, err) }, DoubleCheck: doubleCheck})
	if ctx.Err() != nil {
		return
	}
	for i := range index.Shards {
		sh := s.ix.At(i)
		sh.Lock()
		d.order.Load().Sort(sh)
		sh.Unlock()
	}
	d.rebuilt.Store(true)
	if err != nil {
		s.diskError(d, err)
	}
	if tell := s.config.Load().Report; tell != nil {
		found, _ := s.ix.Len()
		n := Notice{Path: d.config.Load().Path, Rebuilt: &report, Entries: int64(found), Err: err}
		for _, d := range s.disks.all() {
			n.Size += d.size.Load()
		}
		tell(n)
	}
}

// loadRecord enters what a directory says it has.
func (s *Store) loadRecord(d *disk, r *ufs.Record) ufs.Verdict {
	key := Key(r.Key)
	sh := s.ix.Shard((*[16]byte)(&key))
	sh.Lock()
	defer sh.Unlock()
	if s.live[sh.Number()][key] != nil {
		return ufs.Older // what is on its way is newer
	}
	verdict := ufs.Loaded
	if id, old := sh.Find((*[16]byte)(&key)); old != nil {
		if slot, number, ok := old.OnDisk(); ok && slot == d.slot && ufs.Number(number) == r.Number {
			return ufs.Loaded // it is that one
		}
		if old.Memory != 0 || int64(old.Timestamp) >= r.Timestamp {
			return ufs.Older
		}
		s.remove(sh, id, old)
		verdict = ufs.Replaced
	}
	id, rec := sh.Insert((*[16]byte)(&key))
	if rec == nil {
		return ufs.Unwanted
	}
	setFacts(rec, &Facts{Timestamp: TimeOf(r.Timestamp), LastRef: TimeOf(r.LastRef), Expires: TimeOf(r.Expires),
		LastMod: TimeOf(r.LastMod), Refs: r.RefCount, Flags: Flags(r.Flags)})
	rec.SetSize(r.Size)
	rec.SetDisk(d.slot, uint32(r.Number))
	d.order.Load().Add(sh, id, s.now())
	d.size.Add(blocks(r.Size))
	d.objects.Add(1)
	return verdict
}
