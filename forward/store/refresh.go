package store

import "github.com/cuttle-proxy/cuttle/forward/store/arena"

// Refresh gives a whole object another head, which a 304 has brought, and other
// facts. In memory a new head shares the body with the old one, which readers keep
// that have it; a file keeps the head it has, as in 2.6, and the journal gets the
// facts. r is pinned to the object and keeps what it has. It is false when the
// object is gone meanwhile, or no page can be had.
func (s *Store) Refresh(r *Reader, h *Head) bool {
	if !r.pinned {
		return false
	}
	var c chain
	if r.memory {
		ok := false
		if c, ok = s.shareBody(r, h.Bytes); !ok {
			return false
		}
	}
	r.shard.Lock()
	rec := r.record
	if rec.Detached() || r.memory && arena.Page(rec.Memory) != r.first {
		r.shard.Unlock()
		if c.first != 0 {
			s.mem.Release(c.first)
		}
		return false
	}
	f := h.Facts
	f.Refs, f.Flags = rec.Refs, f.Flags|stored
	f.LastRef = Time(rec.LastRef)
	setFacts(rec, &f)
	if r.memory {
		s.objectAt(c.first).links = r.object.links
		rec.Memory = uint32(c.first)
		r.object.retired = true // r is its reader
	}
	if slot, _, ok := rec.OnDisk(); ok {
		s.disks.send(slot, errandAdd, recordOf(rec))
	}
	r.shard.Unlock()
	r.facts = f
	return true
}

// shareBody makes an object with another head and the body of r's.
func (s *Store) shareBody(r *Reader, head []byte) (c chain, ok bool) {
	var texts [3][]byte
	for i := range texts {
		texts[i] = s.text(nil, r.first, i)
	}
	c, ok = s.newObject(s.page, texts, head)
	if !ok {
		return c, false
	}
	o := s.objectAt(c.first)
	o.body, o.length = r.object.body, r.object.length
	s.mem.Share(o.body.page)
	s.mem.Link(c.last, o.body.page)
	return c, true
}
