// Package arena is memory outside Go's heap, in pages: the collector neither
// scans it nor counts it, however much there is.
//
// A page is known by a number. It is linked to the one behind it, so that a
// number names a whole chain. A page has as many owners as chains lead to it:
// two chains may end in the same pages. Every page counts its generations, one for each
// time it is handed out, and a link remembers the generation it was made for: who
// follows one to a page that has been handed out again is told so.
//
// In race builds pages come from Go's heap, because the race detector sees no
// other memory, and freed ones are filled with Poison, in tests of other packages
// too (SetPoison).
package arena

import (
	"sync"
	"sync/atomic"
	"unsafe"
)

// PageSize is the size of a page in bytes, that of the kernel's on the machines
// there are.
const PageSize = 4096

// chunkPages are got from the kernel at once: 4 MB.
const chunkPages = 1024

// populated are the pages that get memory behind them at once when the first of them is
// handed out: a fault for each costs half as much again.
const populated = 16

// Poison fills freed pages where that is asked for.
const Poison = 0xDB

// Page is the number of a page; 0 is none.
type Page uint32

// A chunk is what the kernel gives at once, with what is known of its pages: that lies
// behind them, where the collector does not look either.
type chunk struct {
	mem  []byte
	info *[chunkPages]info
}

const (
	chunkBytes = chunkPages * PageSize
	infoBytes  = int(unsafe.Sizeof([chunkPages]info{}))
)

// info is what is known of a page.
type info struct {
	next    Page          // in a chain, or in a list of free pages
	nextGen uint32        // the generation next had when it was linked
	gen     atomic.Uint32 // odd while the page is in use
	owners  uint32
}

// Arena is a set of pages, most of them within a limit. Its methods may be
// called by several goroutines at once; what is in a page is its owner's.
type Arena struct {
	chunks atomic.Pointer[[]*chunk] // replaced when it grows

	mu     sync.Mutex
	limit  int
	used   int  // pages that have an owner
	fresh  Page // the lowest page that was never handed out
	warm   Page // free pages that still have memory behind them
	cold   Page // free pages whose memory went back to the kernel
	warms  int
	poison bool
	err    error // why the kernel gave no more
}

// New makes an arena that hands out limit bytes, in whole pages.
func New(limit int64) *Arena {
	a := &Arena{poison: raceEnabled, fresh: 1}
	a.chunks.Store(&[]*chunk{})
	a.SetLimit(limit)
	return a
}

// SetPoison has freed pages filled with Poison, for tests.
func (a *Arena) SetPoison(on bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.poison = on || raceEnabled
}

// SetLimit changes how many bytes Alloc hands out. What is in use beyond the new
// limit stays until it is released (Excess), and free memory beyond it goes back
// to the kernel.
func (a *Arena) SetLimit(limit int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.limit = int(max(limit, 0) / PageSize)
	for a.warms > 0 && a.used+a.warms > a.limit {
		p := a.warm
		in := a.info(p)
		a.warm, a.warms = in.next, a.warms-1
		a.cool(p, in)
	}
}

// Excess is by how many pages what is in use is beyond the limit, with n more of
// them: so many must be released before Alloc gives n.
func (a *Arena) Excess(n int) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return max(a.used+n-a.limit, 0)
}

// Alloc hands out a page within the limit, with one owner and linked to none.
// What is in it is undefined.
func (a *Arena) Alloc() (Page, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.used >= a.limit {
		return 0, false
	}
	return a.take()
}

// Lend hands out a page beyond the limit, for a short time: for bytes on their
// way through. It is false only when the kernel has no memory.
func (a *Arena) Lend() (Page, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.take()
}

func (a *Arena) take() (Page, bool) {
	var p Page
	switch {
	case a.warm != 0:
		p = a.warm
		a.warm, a.warms = a.info(p).next, a.warms-1
	case a.cold != 0:
		p = a.cold
		a.cold = a.info(p).next
	default:
		if !a.grow() {
			return 0, false
		}
		p = a.fresh
		a.fresh++
		if p%populated == 0 {
			populate(a.run(p))
		}
	}
	in := a.info(p)
	in.next, in.owners = 0, 1
	in.gen.Add(1)
	a.used++
	return p, true
}

// grow sees to it that there is memory for the page a.fresh.
func (a *Arena) grow() bool {
	have := *a.chunks.Load()
	if int(a.fresh)/chunkPages < len(have) {
		return true
	}
	mem, err := allocate(chunkBytes + infoBytes)
	if err != nil {
		a.err = err
		return false
	}
	c := &chunk{mem: mem, info: (*[chunkPages]info)(unsafe.Pointer(&mem[chunkBytes]))}
	more := append(append(make([]*chunk, 0, len(have)+1), have...), c)
	a.chunks.Store(&more)
	return true
}

func (a *Arena) info(p Page) *info {
	return &(*a.chunks.Load())[p/chunkPages].info[p%chunkPages]
}

// Bytes is the memory of a page.
func (a *Arena) Bytes(p Page) []byte {
	at := int(p%chunkPages) * PageSize
	return (*a.chunks.Load())[p/chunkPages].mem[at : at+PageSize : at+PageSize]
}

// run is the memory of the pages that get theirs with p.
func (a *Arena) run(p Page) []byte {
	at := int(p%chunkPages) * PageSize
	return (*a.chunks.Load())[p/chunkPages].mem[at : at+populated*PageSize]
}

// Generation is how often the page was handed out and released; it is odd while
// the page has an owner.
func (a *Arena) Generation(p Page) uint32 { return a.info(p).gen.Load() }

// Link puts next behind p, which was linked to none. The chain of p owns it, in
// the caller's stead.
func (a *Arena) Link(p, next Page) {
	in := a.info(p)
	in.next, in.nextGen = next, a.Generation(next)
}

// Next is the page behind p, 0 for none. It is false when that page does not
// belong to the chain any more, which is a fault of the program.
func (a *Arena) Next(p Page) (Page, bool) {
	in := a.info(p)
	if in.next == 0 {
		return 0, true
	}
	return in.next, a.Generation(in.next) == in.nextGen
}

// Cut takes the link behind p away: the page behind it is the caller's.
func (a *Arena) Cut(p Page) { a.info(p).next = 0 }

// Share gives p, and with it the chain that begins there, one more owner.
func (a *Arena) Share(p Page) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.info(p).owners++
}

// Release takes an owner from p. The last one's release frees it and takes an
// owner from the page behind it, and so on.
func (a *Arena) Release(p Page) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for p != 0 {
		in := a.info(p)
		next := in.next
		if in.owners--; in.owners > 0 {
			return
		}
		a.free(p, in)
		p = next
	}
}

// Drop releases p alone: the page behind it is the caller's now.
func (a *Arena) Drop(p Page) (next Page) {
	a.mu.Lock()
	defer a.mu.Unlock()
	in := a.info(p)
	next, in.next = in.next, 0
	if in.owners--; in.owners == 0 {
		a.free(p, in)
	}
	return next
}

func (a *Arena) free(p Page, in *info) {
	in.gen.Add(1)
	a.used--
	if a.poison {
		b := a.Bytes(p)
		for i := range b {
			b[i] = Poison
		}
	}
	if a.used+a.warms >= a.limit {
		a.cool(p, in)
		return
	}
	in.next, a.warm, a.warms = a.warm, p, a.warms+1
}

// cool gives the memory of a free page back to the kernel.
func (a *Arena) cool(p Page, in *info) {
	giveBack(a.Bytes(p))
	in.next, a.cold = a.cold, p
}

// Use is how much of an arena is in use, in pages.
type Use struct {
	Limit, Used int
	// Mapped is how many pages the kernel has been asked for so far.
	Mapped int
	// Err is why the kernel gave no more, when it did not.
	Err error
}

// Use counts the pages.
func (a *Arena) Use() Use {
	a.mu.Lock()
	defer a.mu.Unlock()
	return Use{Limit: a.limit, Used: a.used, Mapped: len(*a.chunks.Load()) * chunkPages, Err: a.err}
}

// Close gives all memory back. Nothing of it may be used any more.
func (a *Arena) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, c := range *a.chunks.Load() {
		release(c.mem)
	}
	a.chunks.Store(&[]*chunk{})
	a.limit = 0
}
