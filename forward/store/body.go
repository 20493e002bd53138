package store

import "github.com/cuttle-proxy/cuttle/forward/store/arena"

// low is the first byte of the body that is in memory.
func (e *Entry) low() int64 { return max(e.dropped*arena.PageSize-e.shift, 0) }

// roomInLast is how many bytes the last page has room for.
func (e *Entry) roomInLast() int {
	return int((e.dropped+int64(len(e.pages)))*arena.PageSize - e.shift - e.size)
}

// extend adds a page behind the last.
func (e *Entry) extend(p arena.Page) {
	if n := len(e.pages); n > 0 {
		e.s.mem.Link(e.pages[n-1], p)
	}
	e.pages = append(e.pages, p)
}

// append copies b behind what is there; there is room for it.
func (e *Entry) append(b []byte) {
	for len(b) > 0 {
		at := e.size + e.shift
		page := e.s.mem.Bytes(e.pages[at/arena.PageSize-e.dropped])
		n := copy(page[at%arena.PageSize:], b)
		e.size, b = e.size+int64(n), b[n:]
	}
}

// gather appends views of the bytes from offset from to offset to, which are in
// memory.
func (e *Entry) gather(pieces [][]byte, from, to int64) [][]byte {
	for from < to {
		at := from + e.shift
		page := e.s.mem.Bytes(e.pages[at/arena.PageSize-e.dropped])
		start := at % arena.PageSize
		n := min(to-from, arena.PageSize-start)
		pieces = append(pieces, page[start:start+n:start+n])
		from += n
	}
	return pieces
}

// cutHead separates the first page of the body from the pages of the head: if it
// is one of them it is theirs, otherwise it becomes the entry's own.
func (e *Entry) cutHead() {
	if e.headCut() {
		return
	}
	if len(e.pages) > 0 && e.dropped == 0 {
		e.s.mem.Cut(e.pages[0])
		e.pages = e.pages[1:]
		e.dropped++
	}
}

// headCut reports whether the pages of the body are no longer linked to the head's.
func (e *Entry) headCut() bool { return e.dropped > 0 || len(e.pages) == 0 }

// trim drops pages nobody needs in memory any more.
func (e *Entry) trim() {
	if e.whole || e.pinned || e.first == 0 {
		return
	}
	keep := e.size
	growing := e.swap.writing() && e.swap.readable()
	if e.swap.writing() {
		keep = min(keep, e.swap.high)
	}
	fastest := int64(-1)
	for _, r := range e.readers {
		fastest = max(fastest, r.at)
		switch {
		case r.held:
			keep = min(keep, r.at)
		case !growing:
			keep = min(keep, max(r.at, e.swap.inFile()))
		}
	}
	if growing && fastest >= 0 {
		keep = min(keep, max(fastest-nearby, 0)) // readers side by side need no disk
	}
	for len(e.pages) > 0 && (e.dropped+1)*arena.PageSize-e.shift <= keep {
		if !e.headCut() {
			e.cutHead()
			continue
		}
		e.dropFirst()
	}
}

// dropFirst drops the first page of the body. Who was left behind may be using it
// still: a reader that was ended, a write that was given up. Then it is freed with the
// entry.
func (e *Entry) dropFirst() {
	inUse := e.swap.inUse()
	if e.ended > 0 {
		inUse = max(inUse, e.endedTo)
	}
	if e.dropped*arena.PageSize-e.shift < inUse {
		e.s.mem.Cut(e.pages[0])
		e.late = append(e.late, e.pages[0])
	} else {
		e.s.mem.Drop(e.pages[0])
	}
	e.pages = append(e.pages[:0], e.pages[1:]...)
	e.dropped++
}

// nearby is how far behind the first a reader may be and read from memory, in
// bytes.
const nearby = 64 << 10

// pass counts bytes that the one reader there is has without the store.
func (e *Entry) pass(n int) {
	e.cutHead()
	for len(e.pages) > 0 {
		e.dropFirst()
	}
	e.size += int64(n)
	// The next page begins with the next byte.
	e.shift = (arena.PageSize - e.size%arena.PageSize) % arena.PageSize
	e.dropped = (e.size + e.shift) / arena.PageSize
}
