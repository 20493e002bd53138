package store

import (
	"bytes"
	"unsafe"

	"github.com/cuttle-proxy/cuttle/forward/store/arena"
	"github.com/cuttle-proxy/cuttle/forward/store/index"
)

// object is what stands at the start of the first page of an object in memory. The
// URL, the store URL, the selecting text and the head follow it, then the body; a
// head that fits into a page does not cross the end of one. When a 304 brought
// another head, two objects share the pages of one body.
//
// links, pins and retired are guarded by the shard of the object's record, the
// rest does not change once the object can be found.
type object struct {
	links   index.Links // in the order of memory
	pins    uint32      // readers of these pages
	retired bool        // its last reader frees it
	// fromDisk: it was brought into memory from a file, which 2.6 reads each time.
	fromDisk bool

	texts [3]uint32 // lengths of URL, store URL and selecting text
	head  place
	body  place
	// headLen and length are those of head and body in bytes.
	headLen uint32
	length  int64
}

// place is a byte of a page, as it was when the place was noted.
type place struct {
	page arena.Page
	gen  uint32
	at   uint32
}

// objectSize is what an object takes of its first page before its texts.
const objectSize = int(unsafe.Sizeof(object{}))

// objectAt is the object whose first page p is.
func (s *Store) objectAt(p arena.Page) *object {
	return (*object)(unsafe.Pointer(&s.mem.Bytes(p)[0]))
}

// memoryLinks are the links of a record in the order of memory. They exist while
// the object is in memory.
func (s *Store) memoryLinks(r *index.Record) *index.Links {
	return &s.objectAt(arena.Page(r.Memory)).links
}

// chain is pages that are being filled, linked to each other.
type chain struct {
	first, last arena.Page
	at          int // bytes used in last
}

// add appends a page.
func (c *chain) add(a *arena.Arena, p arena.Page) {
	if c.first == 0 {
		c.first = p
	} else {
		a.Link(c.last, p)
	}
	c.last, c.at = p, 0
}

// write appends bytes, and pages for them. It is false when get has none.
func (c *chain) write(a *arena.Arena, get func() (arena.Page, bool), b []byte) bool {
	for len(b) > 0 {
		if c.at == arena.PageSize {
			p, ok := get()
			if !ok {
				return false
			}
			c.add(a, p)
		}
		n := copy(a.Bytes(c.last)[c.at:], b)
		c.at, b = c.at+n, b[n:]
	}
	return true
}

// newObject puts texts and head into pages, taken with get. It is false, and holds no
// page, when get has none.
func (s *Store) newObject(get func() (arena.Page, bool), texts [3][]byte, head []byte) (c chain, ok bool) {
	var o object
	p, ok := get()
	if !ok {
		return c, false
	}
	c.add(s.mem, p)
	c.at = objectSize
	for i, text := range texts {
		o.texts[i] = uint32(len(text))
		ok = ok && c.write(s.mem, get, text)
	}
	if left := arena.PageSize - c.at; len(head) > left && len(head) <= arena.PageSize {
		c.at = arena.PageSize // a head in one piece needs no copy when it is read
	}
	if ok && len(head) > 0 {
		// The first byte says where the head begins: it may be on a new page.
		ok = c.write(s.mem, get, head[:1])
		o.head, o.headLen = s.placeOf(c.last, c.at-1), uint32(len(head))
		ok = ok && c.write(s.mem, get, head[1:])
	}
	if !ok {
		s.mem.Release(c.first)
		return chain{}, false
	}
	o.body = s.placeOf(c.last, c.at)
	*s.objectAt(c.first) = o
	return c, true
}

func (s *Store) placeOf(p arena.Page, at int) place {
	return place{page: p, gen: s.mem.Generation(p), at: uint32(at)}
}

// walk gives the bytes from a place on, page by page, n of them. It reports whether all were
// there: a page that was handed out again means a fault of the program.
func (s *Store) walk(from place, n int64, give func([]byte)) bool {
	p, at := from.page, int64(from.at)
	if n > 0 && s.mem.Generation(p) != from.gen {
		return false
	}
	for n > 0 {
		if at == arena.PageSize {
			next, ok := s.mem.Next(p)
			if !ok || next == 0 {
				return false
			}
			p, at = next, 0
		}
		part := min(n, arena.PageSize-at)
		give(s.mem.Bytes(p)[at : at+part])
		at, n = at+part, n-part
	}
	return true
}

// sameURL reports whether an object was stored under this URL, the store URL where
// it has one: keys are digests, and digests of a weak kind.
func (s *Store) sameURL(first arena.Page, o *object, url []byte) bool {
	which, at := 0, objectSize
	if o.texts[1] > 0 {
		which, at = 1, at+int(o.texts[0])
	}
	end := at + int(o.texts[which])
	switch {
	case end-at != len(url):
		return false
	case end <= arena.PageSize:
		return bytes.Equal(s.mem.Bytes(first)[at:end], url)
	}
	return bytes.Equal(s.text(nil, first, which), url)
}

// text appends text i of an object: 0 the URL, 1 the store URL, 2 the selecting
// text.
func (s *Store) text(dst []byte, first arena.Page, i int) []byte {
	o := s.objectAt(first)
	skip, at := int64(0), 0
	for _, n := range o.texts[:i] {
		skip += int64(n)
	}
	s.walk(s.placeOf(first, objectSize), skip+int64(o.texts[i]), func(b []byte) {
		if over := min(skip-int64(at), int64(len(b))); over > 0 {
			at += int(over)
			b = b[over:]
		}
		dst = append(dst, b...)
	})
	return dst
}

// headOf gives the head of an object: a view where it lies in one page, otherwise a copy
// in buf's storage.
func (s *Store) headOf(o *object, buf []byte) ([]byte, bool) {
	if end := int(o.head.at) + int(o.headLen); end <= arena.PageSize && s.mem.Generation(o.head.page) == o.head.gen {
		return s.mem.Bytes(o.head.page)[o.head.at:end:end], true
	}
	buf = buf[:0]
	ok := s.walk(o.head, int64(o.headLen), func(b []byte) { buf = append(buf, b...) })
	return buf, ok
}
