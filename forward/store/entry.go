package store

import (
	"bytes"
	"sync"

	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/store/arena"
	"github.com/cuttle-proxy/cuttle/forward/store/index"
)

// Opening is what is known of an object when its fetch begins. The store keeps
// the slices.
type Opening struct {
	// Key is what the object is looked up by until its head is there.
	Key Key
	// Method, URL (canonical), and the URL a store URL rewriter made of it, empty
	// without.
	Method        http1.Method
	URL, StoreURL []byte
	// Asked is the URL as the client asked for it, which logs show; empty for URL.
	Asked []byte
	// Collapsed entries are found while they are Pending (collapsed_forwarding).
	Collapsed bool
	// FromDisk: it is what a file had, with another head; see Reader.FromDisk.
	FromDisk bool
}

// keyURL is the URL the object is looked up by.
func (o *Opening) keyURL() []byte { return keyURL(o.URL, o.StoreURL) }

// shown is the URL in logs.
func (o *Opening) shown() []byte {
	if len(o.Asked) > 0 {
		return o.Asked
	}
	return o.URL
}

// methodText is how logs name the method.
func (o *Opening) methodText() string { return methodText(o.Method) }

func methodText(m http1.Method) string { return (*http1.Methods)(nil).Text(m) }

func keyURL(url, storeURL []byte) []byte {
	if len(storeURL) > 0 {
		return storeURL
	}
	return url
}

// phase of an entry, see the package comment.
type phase uint8

const (
	pending phase = iota
	streaming
	complete
	aborted
)

// Entry is an object on its way into the store.
type Entry struct {
	s       *Store
	filler  Filler
	opening Opening

	mu       sync.Mutex
	phase    phase
	obsolete bool // nobody finds it any more
	// withdrawn: it proved unstorable at its head. headless: it has ended without one, and
	// store.log hears of what came from others.
	withdrawn, headless bool
	// clientless fetches go on without readers.
	clientless bool
	// client is the reader of the client the fetch began with, nil for none.
	client  *Reader
	err     error
	permit  permit
	wanted  bool
	readers []*Reader
	one     [1]*Reader // storage of readers: nearly always there is no more
	ended   int        // readers that were ended and still hold pieces
	endedTo int64      // of bytes before this one

	// From Publish on.
	key       Key
	metadata  Metadata
	vary      []byte
	announced int64 // -1 unknown
	first     arena.Page
	headLen   int
	internal  bool

	// The body: size bytes came, those from low() on are in pages. The first byte of
	// pages[0] would be byte dropped*PageSize-shift of it.
	size    int64
	pages   []arena.Page
	few     [2]arena.Page // storage of pages
	shift   int64
	dropped int64
	late    []arena.Page // dropped while an ended reader held pieces of them
	// whole: all of it is in memory and is to stay there, unless its body proves longer
	// than limit.
	whole bool
	limit int64
	// kept: it is to be found when it is complete.
	kept bool
	swap *swapOut
	// settled: what stays of it is in the index, or nothing is. pinned: its pages
	// belong to an object in the index, which it pins.
	settled, pinned bool
	freed           bool

	pacing chan struct{} // woken when the writer may go on; nil before it has waited
}

// Begin begins the life of an object. The permit is up: the caller's goroutine has
// it. r, closed before, is the reader of the client the fetch is for; nil when
// there is none.
func (s *Store) Begin(o Opening, f Filler, r *Reader) *Entry {
	e := &Entry{s: s, filler: f, opening: o, key: o.Key, announced: -1, permit: permitUp,
		clientless: r == nil, client: r}
	e.readers, e.pages = e.one[:0], e.few[:0]
	if o.Collapsed {
		sh := s.ix.Shard((*[16]byte)(&e.key))
		sh.Lock()
		if live := s.live[sh.Number()]; live[e.key] == nil {
			live[e.key] = e
		}
		sh.Unlock()
	}
	if r != nil {
		e.mu.Lock()
		e.add(r)
		e.mu.Unlock()
	}
	s.stats.begun.Add(1)
	return e
}

// add adds a reader at the beginning.
func (e *Entry) add(r *Reader) {
	r.begin(e.s, e.metadata)
	r.entry, r.length = e, e.length()
	r.progress = e.s.now()
	e.readers = append(e.readers, r)
}

// length of the body as far as it is known, -1 for not.
func (e *Entry) length() int64 {
	if e.phase == complete {
		return e.size
	}
	return e.announced
}

// over reports whether the writer has nothing to say any more.
func (e *Entry) over() bool { return e.phase >= complete || e.withdrawn }

// join adds a reader that found the entry; the shard is locked, and unlocked here.
func (e *Entry) join(sh *index.Shard, url []byte, r *Reader) Found {
	e.mu.Lock()
	found := Miss
	if bytes.Equal(e.opening.keyURL(), url) {
		found = e.joinable()
	}
	hand := handNothing
	if found != Miss {
		e.add(r)
		hand = e.want()
	}
	e.mu.Unlock()
	sh.Unlock()
	hand.do(e)
	switch found {
	case Miss:
		e.s.stats.misses.Add(1)
	case Waiting:
		e.s.stats.waited.Add(1)
	default:
		e.s.stats.joined.Add(1)
	}
	return found
}

// joinable tells how the entry may be joined: while byte 0 is held and the whole is
// expected to be kept.
func (e *Entry) joinable() Found {
	switch {
	case e.obsolete || e.withdrawn:
	case e.phase == pending:
		return Waiting
	case e.phase == aborted || !e.kept:
	case e.low() == 0 || e.swap.readable():
		return Joined
	}
	return Miss
}

// setObsolete marks the entry: its readers finish, nothing of it stays.
func (e *Entry) setObsolete() {
	e.obsolete, e.kept = true, false
	e.wakeWriter()
	if !e.settled {
		e.abandonSwap()
	}
}

// lockWithShard locks the shard of the entry's key and the entry.
func (e *Entry) lockWithShard() *index.Shard {
	for {
		e.mu.Lock()
		key := e.key
		e.mu.Unlock()
		sh := e.s.ix.Shard((*[16]byte)(&key))
		sh.Lock()
		e.mu.Lock()
		if e.key == key {
			return sh
		}
		e.mu.Unlock() // its head came meanwhile
		sh.Unlock()
	}
}

// Unlist takes the entry's name away, if it has it still: the list of the variants, of
// which it will be one, is to be found there. Nothing is locked.
func (e *Entry) Unlist() {
	sh := e.lockWithShard()
	if live := e.s.live[sh.Number()]; live[e.key] == e {
		delete(live, e.key)
	}
	e.mu.Unlock()
	sh.Unlock()
}

// wakeReaders wakes those that wait for growth or an end.
func (e *Entry) wakeReaders() {
	for _, r := range e.readers {
		if r.waiting {
			// Until now it was not the reader who was slow.
			r.waiting, r.progress = false, e.s.now()
		}
		r.wakeUp()
	}
}

// wakeWriter wakes Pace, if it has ever waited. The entry is locked.
func (e *Entry) wakeWriter() {
	select {
	case e.pacing <- struct{}{}:
	default:
	}
}

// release frees the pages of an entry that has ended and that nobody reads. It
// reports whether it is the object in the index that must be unpinned instead.
func (e *Entry) release() (unpin bool) {
	if e.freed || e.phase < complete || len(e.readers) > 0 || e.ended > 0 || !e.settled || e.swap.busyNow() {
		return false
	}
	e.freed = true
	e.swap.closeRead()
	if e.pinned || e.first == 0 {
		return e.pinned
	}
	e.cutHead()
	for _, p := range e.pages {
		e.s.mem.Drop(p)
	}
	for _, p := range e.late {
		e.s.mem.Drop(p)
	}
	e.s.mem.Release(e.first)
	e.first, e.pages, e.late = 0, nil, nil
	return false
}
