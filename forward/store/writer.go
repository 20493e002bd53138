package store

import (
	"github.com/cuttle-proxy/cuttle/forward/store/arena"
	"github.com/cuttle-proxy/cuttle/forward/store/index"
)

// Head is what Publish makes known. The store copies Bytes.
type Head struct {
	// Key is the one the object is found by, a variant's where it varies by Vary, the
	// text of the selecting request fields.
	Key  Key
	Vary []byte
	// Bytes are the reply's head as it is stored: status line, fields, empty line.
	Bytes []byte
	// Metadata goes into the index; of the Flags those that say what is to be done with
	// the object.
	Metadata
	// Length is the length of the body the head announces, -1 for none.
	Length int64
	// Internal objects are kept however small (minimum_object_size).
	Internal bool
}

// Publish gives the entry its head. What had the same key is gone with that.
// It reports whether the object will be kept if all goes well; whether it is or
// not, the body must be appended.
func (e *Entry) Publish(h *Head) (kept bool) {
	s, c := e.s, e.s.config.Load()
	kept = c.keeps(h)
	texts := [3][]byte{e.opening.URL, e.opening.StoreURL, h.Vary}
	var swap *swapOut
	if kept && h.Flags&Negative == 0 { // 2.6 keeps errors in memory only
		swap = s.chooseDisk(h.Length, len(h.Bytes))
	}
	limit := c.MaxInMemory
	if swap == nil {
		limit = c.memoryAlone()
	}
	whole := kept && h.Length <= limit
	pages, ok := s.newObject(s.page, texts, h.Bytes)
	if !ok {
		whole = false
		pages, ok = s.newObject(s.lent, texts, h.Bytes)
	}
	e.mu.Lock()
	if e.phase != pending { // its last reader has left meanwhile
		e.mu.Unlock()
		swap.cancel()
		if ok {
			s.mem.Release(pages.first)
		}
		return false
	}
	before := e.key
	e.metadata, e.vary, e.announced, e.headLen, e.internal = h.Metadata, h.Vary, h.Length, len(h.Bytes), h.Internal
	e.whole, e.limit = whole, limit
	if ok {
		e.first, e.pages, e.shift = pages.first, append(e.pages, pages.last), int64(pages.at)
	}
	if kept = kept && !e.obsolete && ok && (whole || swap != nil); kept {
		e.swap, swap = swap, nil
	}
	e.kept = kept
	e.mu.Unlock()
	swap.cancel()
	s.enter(e, before, h.Key, kept)
	if !ok {
		e.Abort(ErrNoMemory)
	}
	return kept
}

// keeps reports whether an object is kept as far as its length is concerned.
func (c *Config) keeps(h *Head) bool {
	return max(h.Length, 0)+int64(len(h.Bytes)) <= c.MaxObject && (h.Length < 0 || h.Length >= c.MinObject || h.Internal)
}

// aloneShare is the part of cache_mem that one object may take which no directory
// takes.
const aloneShare = 4

// memoryAlone is how long a body may be that stays in memory because no directory takes
// the object: in 2.6 only what is on disk leaves memory for its length.
func (c *Config) memoryAlone() int64 {
	if len(c.Dirs) == 0 {
		return c.MaxInMemory
	}
	return max(c.MaxInMemory, min(c.MaxObject, c.Memory/aloneShare))
}

// stream is the step from Pending to Streaming.
func (e *Entry) stream() {
	if e.phase != pending {
		return
	}
	e.phase = streaming
	for _, r := range e.readers {
		r.metadata, r.length = e.metadata, e.announced
	}
	e.wakeReaders()
}

// enter has the entry found under its key, if it is to be kept, and nothing else
// that was there before: what is not kept is newer all the same. An obsolete entry
// has nothing to say about others. Nothing is locked.
func (s *Store) enter(e *Entry, before, key Key, kept bool) {
	if before != key || !kept {
		e.Unlist()
	}
	e.mu.Lock()
	obsolete := e.obsolete
	if obsolete {
		e.stream()
	}
	e.mu.Unlock()
	if obsolete {
		return
	}
	sh := s.ix.Shard((*[16]byte)(&key))
	sh.Lock()
	live := s.live[sh.Number()]
	if live[key] != e {
		s.supersede(sh, key, false)
	}
	var gone Line
	if id, rec := sh.Find((*[16]byte)(&key)); rec != nil {
		gone = s.remove(sh, id, rec, kept)
	}
	e.mu.Lock()
	e.key = key
	if e.kept && e.phase == pending {
		live[key] = e
	}
	e.stream()
	e.mu.Unlock()
	sh.Unlock()
	waitFor(gone)
}

// supersede makes the entry that can be found under a key obsolete, with its shard
// locked: there is a newer object. An entry without head stays, as its reply is the newer
// one and has its own key by then; where an object takes the key, it is not found any more.
func (s *Store) supersede(sh *index.Shard, key Key, taken bool) {
	live := s.live[sh.Number()]
	if len(live) == 0 {
		return
	}
	other := live[key]
	if other == nil {
		return
	}
	other.mu.Lock()
	if other.phase != pending {
		other.setObsolete()
	}
	other.mu.Unlock()
	if taken {
		delete(live, key)
	}
}

// Append adds bytes to the body. It is false when the store did not take them,
// which happens only with the permit up and no other reader: then the caller has
// them still, gives them to its client and calls Reader.Advance.
func (e *Entry) Append(b []byte) (held bool) {
	if len(b) == 0 {
		return true
	}
	c := e.s.config.Load()
	e.mu.Lock()
	if e.phase != streaming {
		e.mu.Unlock()
		return false
	}
	if e.kept && int64(e.headLen)+e.size+int64(len(b)) > c.MaxObject {
		e.unkeep()
	}
	if e.whole && e.size+int64(len(b)) > e.limit {
		e.outgrow()
	}
	if e.passes() {
		e.pass(len(b))
		e.mu.Unlock()
		return false
	}
	need := (len(b) - e.roomInLast() + arena.PageSize - 1) / arena.PageSize
	e.mu.Unlock()
	if !e.makeRoom(need) {
		e.Abort(ErrNoMemory)
		return false
	}
	e.mu.Lock()
	if e.phase != streaming {
		e.mu.Unlock()
		return false
	}
	e.append(b)
	e.wakeReaders()
	e.pushSwap()
	e.trim()
	e.mu.Unlock()
	return true
}

// passes reports whether bytes need not be kept: nobody but the writer's own client
// reads, and nothing of the object stays.
func (e *Entry) passes() bool {
	return !e.kept && !e.swap.writing() && e.permit == permitUp &&
		(len(e.readers) == 0 || len(e.readers) == 1 && e.readers[0] == e.client && e.client.at == e.size)
}

// makeRoom adds pages. Nothing is locked: only the writer adds any.
func (e *Entry) makeRoom(pages int) bool {
	for range pages {
		p, ok := e.s.page()
		if !ok {
			e.mu.Lock()
			e.outgrow()
			e.mu.Unlock()
			if p, ok = e.s.mem.Lend(); !ok {
				return false
			}
		}
		e.mu.Lock()
		if e.phase == streaming {
			e.extend(p)
		} else {
			e.s.mem.Drop(p)
		}
		e.mu.Unlock()
	}
	return true
}

// outgrow: the object does not stay in memory as a whole.
func (e *Entry) outgrow() {
	if !e.whole {
		return
	}
	e.whole = false
	if e.swap == nil || !e.swap.writing() {
		e.unkeep()
	}
}

// unkeep: nothing of the object will stay.
func (e *Entry) unkeep() {
	if !e.kept {
		return
	}
	e.kept, e.whole = false, false
	e.abandonSwap()
	go e.Unlist() // the lock of its shard comes before its own
}

// Complete ends the body.
func (e *Entry) Complete() {
	c := e.s.config.Load()
	e.mu.Lock()
	if e.phase != streaming {
		e.mu.Unlock()
		return
	}
	if e.announced >= 0 && e.size != e.announced {
		e.mu.Unlock()
		e.Abort(ErrAborted)
		return
	}
	if !e.internal && e.wholeLength() < c.MinObject {
		e.unkeep()
	}
	e.phase = complete
	if e.kept && e.swap == nil && e.announced < 0 && e.metadata.Flags&Negative == 0 {
		e.swapAfterAll(c)
	}
	for _, r := range e.readers {
		r.length = e.size
	}
	if e.first != 0 {
		e.s.objectAt(e.first).length = e.size
	}
	e.pushSwap()
	settle := !e.swap.writing()
	e.wakeReaders()
	e.mu.Unlock()
	if settle {
		e.settle(nil)
	}
}

// wholeLength is what minimum_object_size counts: the body where its length was announced,
// and the head with it where not.
func (e *Entry) wholeLength() int64 {
	if e.announced >= 0 {
		return e.size
	}
	return e.size + int64(e.headLen)
}

// swapAfterAll has a directory that takes objects up to a length (max-size) take one
// whose length is known only now.
func (e *Entry) swapAfterAll(c *Config) {
	if e.swap = e.s.chooseDisk(e.size, e.headLen); e.swap != nil && e.size > c.MaxInMemory {
		e.whole = false
	}
}

// Withdraw ends a Pending entry whose object proved unstorable: who waits for it
// selects again.
func (e *Entry) Withdraw() { e.finish(ErrWithdrawn) }

// Abort ends an entry whose object cannot be brought whole.
func (e *Entry) Abort(err error) {
	if err == nil {
		err = ErrAborted
	}
	e.finish(err)
}

func (e *Entry) finish(err error) {
	e.mu.Lock()
	if e.phase >= complete {
		e.mu.Unlock()
		return
	}
	e.withdrawn, e.headless = err == ErrWithdrawn, e.phase == pending
	e.phase, e.err, e.kept = aborted, err, false
	e.abandonSwap()
	e.wakeReaders()
	e.wakeWriter()
	e.mu.Unlock()
	e.s.stats.aborted.Add(1)
	e.settle(nil)
}
