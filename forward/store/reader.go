package store

import (
	"context"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/store/arena"
	"github.com/cuttle-proxy/cuttle/forward/store/index"
)

// Reader reads one object for one client. The zero value is closed; reuse it.
// Its methods are called by one goroutine.
type Reader struct {
	s        *Store
	metadata Metadata
	length   int64 // of the body, -1 unknown
	at       int64 // the next byte of the body
	pieces   [][]byte
	heads    []byte // storage for a head that is not in one piece

	// A whole object: pinned says that record is.
	pinned bool
	memory bool // its object is pinned too
	id     index.ID
	shard  *index.Shard
	record *index.Record
	first  arena.Page
	object *object
	file   *openFile

	// One on its way. waiting and what follows is guarded by the entry.
	entry   *Entry
	wake    chan struct{}
	waiting bool
	held    bool // pieces were given out and may be in use, up to heldTo
	heldTo  int64
	// endedHolding: it held pieces when it was ended, and holds them still.
	endedHolding bool
	whenEnded    func()
	err          error
	progress     time.Time
}

// begin makes the reader ready for an object.
func (r *Reader) begin(s *Store, f Metadata) {
	r.s, r.metadata, r.at, r.err = s, f, 0, nil
	r.entry, r.pinned, r.memory = nil, false, false
	r.waiting, r.held, r.endedHolding = false, false, false
	if r.wake == nil {
		r.wake = make(chan struct{}, 1)
	}
}

// Open reports whether the reader is pinned to something.
func (r *Reader) Open() bool { return r.pinned || r.entry != nil }

// WhenEnded has f called, in a goroutine of its own, when the store ends the reader
// of an object on its way because others wait for it: f cuts the connection it
// writes to. Close forgets f.
func (r *Reader) WhenEnded(f func()) {
	if e := r.entry; e != nil {
		e.mu.Lock()
		r.whenEnded = f
		e.mu.Unlock()
	}
}

// Metadata is what the index knew as the reader was pinned, or what the head says.
func (r *Reader) Metadata() Metadata { return r.metadata }

// Length is the length of the body in bytes, -1 when it is not known yet.
func (r *Reader) Length() int64 {
	if e := r.entry; e != nil { // its writer tells the length when it has it
		e.mu.Lock()
		defer e.mu.Unlock()
	}
	return r.length
}

// EndsBehind reports whether n bytes from the reader's place are the last of a whole
// object.
func (r *Reader) EndsBehind(n int64) bool { return r.entry == nil && r.at+n == r.length }

// InMemory reports whether the whole object is in memory.
func (r *Reader) InMemory() bool { return r.memory }

// FromDisk reports whether the object is read from a file, or was when it came into memory:
// 2.6 keeps nothing in memory that it has read, and logs TCP_HIT for it ever after.
func (r *Reader) FromDisk() bool {
	return r.entry == nil && r.pinned && (!r.memory || r.object.fromDisk)
}

// Head is the reply's head as it was stored, valid until Close. Of an object on
// disk it is there after Load.
func (r *Reader) Head() ([]byte, error) {
	switch {
	case r.memory:
		return r.headFrom(r.object)
	case r.entry != nil:
		r.entry.mu.Lock()
		defer r.entry.mu.Unlock()
		if r.entry.first == 0 {
			return nil, ErrAborted
		}
		return r.headFrom(r.s.objectAt(r.entry.first))
	case r.file != nil:
		return r.file.head, nil
	}
	return nil, ErrSwapFail
}

func (r *Reader) headFrom(o *object) ([]byte, error) {
	head, ok := r.s.headOf(o, r.heads)
	if int(o.head.at)+int(o.headLen) > arena.PageSize {
		r.heads = head
	}
	if !ok {
		r.s.stats.faults.Add(1)
		return nil, ErrSwapFail
	}
	return head, nil
}

// Vary appends the text of the selecting request fields the object was stored
// with, nothing when it is no variant.
func (r *Reader) Vary(dst []byte) []byte {
	switch {
	case r.memory:
		return r.s.text(dst, r.first, 2)
	case r.entry != nil:
		r.entry.mu.Lock()
		defer r.entry.mu.Unlock()
		return append(dst, r.entry.vary...)
	case r.file != nil:
		return append(dst, r.file.vary...)
	}
	return dst
}

// SeekTo goes to a byte of the body, for a range. Of an object on its way it may be one that is
// still to come.
func (r *Reader) SeekTo(at int64) {
	if r.entry != nil {
		r.entry.mu.Lock()
		defer r.entry.mu.Unlock()
		r.letGo(r.entry)
	}
	r.at = at
}

// Next gives what comes next, at most limit bytes: a span of length 0 at the end of
// the object. It waits for more of an object that is on its way.
func (r *Reader) Next(ctx context.Context, limit int64) (Span, error) {
	if r.entry == nil {
		return r.nextOfWhole(ctx, limit)
	}
	for {
		span, err := r.Poll(limit)
		if err != ErrNotYet {
			return span, err
		}
		select {
		case <-r.wake:
		case <-ctx.Done():
			r.entry.mu.Lock()
			r.waiting = false
			r.entry.mu.Unlock()
			return Span{}, ctx.Err()
		}
	}
}

// Poll is Next of an object on its way without waiting: ErrNotYet when there is
// nothing.
func (r *Reader) Poll(limit int64) (Span, error) {
	e := r.entry
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.err != nil {
		return Span{}, r.err
	}
	if r.at < e.size && e.phase != pending {
		return r.spanOf(e, limit)
	}
	switch e.phase {
	case complete:
		return Span{}, nil
	case aborted:
		return Span{}, e.err
	}
	r.waiting = true
	return Span{}, ErrNotYet
}

// spanOf gives what the entry has at the reader's place.
func (r *Reader) spanOf(e *Entry, limit int64) (Span, error) {
	r.waiting = false
	to := r.at + min(e.size-r.at, limit)
	if r.at >= e.low() {
		r.pieces = e.gather(r.pieces[:0], r.at, to)
		r.held, r.heldTo = true, to
		return Span{Pieces: r.pieces, Length: to - r.at}, nil
	}
	if !e.swap.readable() || r.at >= e.swap.high {
		e.s.stats.faults.Add(1)
		return Span{}, ErrAborted
	}
	to = min(to, e.swap.high)
	return Span{FD: e.swap.readFD, File: true, Offset: e.swap.body + r.at, Length: to - r.at}, nil
}

// Advance says that n bytes have been used, and gives the span back.
func (r *Reader) Advance(n int64) {
	e := r.entry
	if e == nil {
		r.at += n
		return
	}
	e.mu.Lock()
	r.at += n
	r.letGo(e)
	if n > 0 {
		r.progress = e.s.now()
	}
	if !e.whole {
		e.trim()
		e.wakeWriter()
	}
	e.mu.Unlock()
}

// letGo gives pieces back.
func (r *Reader) letGo(e *Entry) {
	r.held = false
	if r.endedHolding {
		r.endedHolding = false
		e.ended--
	}
}

// AwaitHead waits until an entry that was found Waiting has its head, or never
// will have. The reader is closed with that; its client selects again. The error is
// that of the context. It returns ErrWithdrawn to the fetch's own client when the
// fetch is its alone again.
func (r *Reader) AwaitHead(ctx context.Context) error {
	for {
		r.entry.mu.Lock()
		over := r.entry.phase != pending
		r.waiting = !over
		err := r.entry.err
		r.entry.mu.Unlock()
		if over {
			return err
		}
		select {
		case <-r.wake:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *Reader) wakeUp() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Close gives back what the reader has. For the last reader of an object on its
// way this is leaving: it reports whether the fetch goes on.
func (r *Reader) Close() (goesOn bool) {
	if r.file != nil {
		r.file.close()
		r.file = nil
	}
	clear(r.pieces)
	r.pieces = r.pieces[:0]
	if e := r.entry; e != nil {
		r.entry = nil
		goesOn = e.leaveAndDecide(r)
		r.whenEnded = nil
		return goesOn
	}
	if r.pinned {
		r.pinned = false
		r.unpin()
	}
	return false
}

// unpin gives a whole object back. Its last reader frees what the index has
// forgotten.
func (r *Reader) unpin() {
	r.shard.Lock()
	defer r.shard.Unlock()
	if r.memory {
		r.memory = false
		r.s.unpinObject(r.first, r.object)
	}
	r.record.Pins--
	if r.record.Pins == 0 && r.record.Detached() {
		r.s.free(r.shard, r.id, r.record)
	}
	r.record, r.object = nil, nil
}

// unpinObject takes a reader from an object in memory, with its shard locked.
func (s *Store) unpinObject(first arena.Page, o *object) {
	if o.pins--; o.pins == 0 && o.retired {
		s.mem.Release(first)
	}
}
