package store

// Takes reports whether a body of that length, -1 for one that is not known, may be
// kept at all: what may not need not be appended to an entry.
func (s *Store) Takes(length int64) bool {
	c := s.config.Load()
	switch {
	case length < 0:
		return true
	case length < c.MinObject || length > c.MaxObject:
		return false
	}
	return length <= c.MaxInMemory || len(c.Dirs) > 0
}

// Owned reports whether the fetch has a goroutine of its own, which then ends what
// belongs to it.
func (e *Entry) Owned() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.permit == permitOwn
}

// Filler is what fills the object on its way that was found, nil for a whole one.
func (r *Reader) Filler() Filler {
	if r.entry == nil {
		return nil
	}
	return r.entry.filler
}

// Came is how many bytes of the body are here.
func (r *Reader) Came() int64 {
	if r.entry == nil {
		return r.length
	}
	r.entry.mu.Lock()
	defer r.entry.mu.Unlock()
	return r.entry.size
}
