package store

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/cuttle-proxy/cuttle/forward/store/index"
	"github.com/cuttle-proxy/cuttle/forward/store/ufs"
)

// takeDirs takes the directories of a configuration into use and closes those that
// are gone from it. Those that cannot be used are left out of c, and the error names
// them; with all of them wanted nothing is in use then.
func (s *Store) takeDirs(c *Config, all bool) error {
	var faults []error
	if len(c.Dirs) > index.MaxDirs {
		if all {
			return ErrTooManyDirs
		}
		faults, c.Dirs = append(faults, ErrTooManyDirs), c.Dirs[:index.MaxDirs]
	}
	known := map[string]*disk{}
	for _, d := range s.disks.all() {
		known[d.config.Load().Path] = d
	}
	opened := map[string]Directory{}
	usable := make([]DirConfig, 0, len(c.Dirs))
	for i := range c.Dirs {
		dc := &c.Dirs[i]
		if known[dc.Path] == nil {
			dir, err := dc.Open()
			if err != nil {
				faults = append(faults, fmt.Errorf("cache_dir %w", err)) // it names the file
				continue
			}
			opened[dc.Path] = dir
		}
		usable = append(usable, *dc)
	}
	if all && len(faults) > 0 {
		for _, dir := range opened {
			dir.Close()
		}
		return errors.Join(faults...)
	}
	c.Dirs = usable
	s.rebuilds.begin(len(opened))
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
	return errors.Join(faults...)
}

// addDir takes one into use and begins to rebuild it.
func (s *Store) addDir(dc *DirConfig, dir Directory, doubleCheck bool) {
	ctx, stop := context.WithCancel(context.Background())
	d := &disk{dir: dir, stop: stop, ended: make(chan struct{})}
	d.config.Store(dc)
	d.order.Store(s.ix.NewOrder(dc.Policy.order(), diskLinks))
	// The slot that was free for the longest time: records that readers have pinned
	// may still name one that was left.
	for d.slot = s.disks.nextSlot; s.disks.slots[d.slot].Load() != nil; {
		d.slot = (d.slot + 1) % index.MaxDirs
	}
	s.disks.nextSlot = (d.slot + 1) % index.MaxDirs
	s.disks.slots[d.slot].Store(d)
	s.tell(Notice{Path: dc.Path, Lines: []string{dir.BeginLine()}})
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
	room := d.room()
	old := d.config.Swap(dc)
	d.limit.Store(0)
	say := "Cache dir '%s' size remains unchanged at %d KB"
	if dc.Size != room {
		say = "Cache dir '%s' size changed to %d KB"
	}
	s.tell(Notice{Path: dc.Path, Lines: []string{fmt.Sprintf(say, dc.Path, dc.Size>>10)}})
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

// reviveDirs tries again those that were taken out: their disk may be well by now.
func (s *Store) reviveDirs(c *Config) {
	for _, d := range s.disks.all() {
		if !d.failed.Load() {
			continue
		}
		d.stop()
		<-d.ended
		d.dir.Close()
		dc := d.config.Load()
		dir, err := dc.Open()
		if err != nil {
			s.tell(Notice{Path: dc.Path, Err: err, TakenOut: true})
			continue
		}
		s.dropDir(d)
		s.rebuilds.begin(1)
		s.addDir(dc, dir, c.DoubleCheck)
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
