package index

// maxRecords is how many a shard can have.
const maxRecords = 1<<localBits - 2

// Find looks a key up: nil when it is not there.
func (s *Shard) Find(key *[16]byte) (ID, *Record) {
	if s.count == 0 {
		return 0, nil
	}
	h := hash(key, s.secret)
	for at := s.home(h); s.slots[at] != 0; at = s.after(at) {
		if slot := s.slots[at]; slot>>localBits == tag(h) {
			place := slot&(1<<localBits-1) - 1
			if r := s.record(place); r.Key == *key {
				return s.id(place), r
			}
		}
	}
	return 0, nil
}

// Insert makes a record for a key that is not there. It is nil when the shard is
// full, or the kernel has no memory.
func (s *Shard) Insert(key *[16]byte) (ID, *Record) {
	place, r := s.take()
	if r == nil {
		return 0, nil
	}
	r.Key = *key
	s.enter(place, hash(key, s.secret))
	return s.id(place), r
}

// Detach takes a record out of the table. It is in use until Free.
func (s *Shard) Detach(id ID) {
	r := s.Record(id)
	if r.Detached() {
		return
	}
	s.remove(s.place(id))
	r.flags |= detached
}

// Free gives a detached record back, which has no pins and is in no order.
func (s *Shard) Free(id ID) {
	place := s.place(id)
	r := s.record(place)
	*r = Record{Memory: s.free, flags: detached}
	s.free = place + 1
	s.records--
}

// Record is the record an ID names.
func (s *Shard) Record(id ID) *Record { return s.record(s.place(id)) }

// All calls visit for every record that can be found, until it returns false.
// It must not insert or detach.
func (s *Shard) All(visit func(ID, *Record) bool) {
	for _, slot := range s.slots {
		if slot == 0 {
			continue
		}
		place := slot&(1<<localBits-1) - 1
		if !visit(s.id(place), s.record(place)) {
			return
		}
	}
}

// From visits the records that can be found from a place on, at most n places, until
// visit returns false. It gives the place to go on from, 0 when there are none left,
// and whether visit wanted more. A record keeps its place for as long as it is found,
// so that a walk that goes on later meets it once.
func (s *Shard) From(place, n int, visit func(ID, *Record) bool) (next int, more bool) {
	more = true
	end := min(place+n, int(s.fresh))
	for more && place < end {
		if r := s.record(uint32(place)); !r.Detached() {
			more = visit(s.id(uint32(place)), r)
		}
		place++
	}
	if place >= int(s.fresh) {
		place = 0
	}
	return place, more
}

func (s *Shard) id(place uint32) ID      { return ID(s.number)<<localBits | ID(place) }
func (s *Shard) place(id ID) uint32      { return uint32(id) & (1<<localBits - 1) }
func (s *Shard) record(p uint32) *Record { return &s.slabs[p/slabLen][p%slabLen] }

func (s *Shard) take() (place uint32, r *Record) {
	switch {
	case s.free != 0:
		place = s.free - 1
		r = s.record(place)
		s.free = r.Memory
		r.Memory, r.flags = 0, 0
	case s.fresh >= maxRecords:
		return 0, nil
	default:
		if int(s.fresh) == len(s.slabs)*slabLen {
			more := s.memory.take()
			if more == nil {
				return 0, nil
			}
			s.slabs = append(s.slabs, more)
		}
		place = s.fresh
		s.fresh++
		r = s.record(place)
	}
	s.records++
	return place, r
}
