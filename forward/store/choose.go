package store

// chooseDisk chooses a directory for an object whose head is there, with a body of a
// length, -1 for unknown; nil when none takes it.
func (s *Store) chooseDisk(length int64, head int) *swapOut {
	c := s.config.Load()
	if c.MaxOpenFiles > 0 && s.disks.files.Load() >= int64(c.MaxOpenFiles) {
		s.stats.tooManyFiles.Add(1)
		return nil
	}
	size := length
	if size >= 0 {
		size += int64(head)
	}
	var d *disk
	if c.RoundRobin {
		d = s.disks.nextInTurn(size)
	} else {
		d = s.disks.leastLoaded(size)
	}
	if d == nil {
		return nil
	}
	sw := newSwapOut(d, length)
	s.nudgeIfFull(d)
	return sw
}

// takes reports whether a directory takes an object of a size in bytes, -1 for
// unknown.
func (d *disk) takes(size int64) bool {
	c := d.config.Load()
	if c.ReadOnly || c.NoStore || d.failed.Load() || d.size.Load()+d.coming.Load() > d.room() {
		return false
	}
	if size < 0 {
		return c.MaxSize < 0
	}
	return size >= c.MinSize && (c.MaxSize < 0 || size < c.MaxSize)
}

// nextInTurn is store_dir_select_algorithm round-robin.
func (ds *disks) nextInTurn(size int64) *disk {
	all := ds.all()
	for range all {
		if d := all[int(ds.turn.Add(1))%len(all)]; d.takes(size) {
			return d
		}
	}
	return nil
}

// leastLoaded is store_dir_select_algorithm least-load: the directory with the
// fewest files open, of equal ones that whose max-size is the nearest, of those
// again the one with the most room.
func (ds *disks) leastLoaded(size int64) (best *disk) {
	for _, d := range ds.all() {
		if d.takes(size) && (best == nil || d.before(best)) {
			best = d
		}
	}
	return best
}

func (d *disk) before(other *disk) bool {
	if d.load() != other.load() {
		return d.load() < other.load()
	}
	mine, theirs := d.config.Load(), other.config.Load()
	if theirs.MaxSize >= 0 && (mine.MaxSize < 0 || mine.MaxSize > theirs.MaxSize) {
		return false
	}
	return d.room()-d.size.Load() >= other.room()-other.size.Load()
}
