package acl

import (
	"sync"
	"unicode/utf8"
)

// run is the matching of one subject against one set, with the storage it
// needs. Runs are reused.
type run struct {
	subject string
	seen    []uint64 // bit i: pattern i was run already
	marked  []uint32 // the bits set in seen
	buf     []byte
	known   asciiState
}

// asciiState says what is known of the subject.
type asciiState uint8

const (
	notLooked asciiState = iota
	isASCII
	hasHighBytes
	isConverted // buf holds it as Latin-1 runes
)

var runs = sync.Pool{New: func() any { return new(run) }}

func newRun(subject string) *run {
	r := runs.Get().(*run)
	r.subject, r.known = subject, notLooked
	return r
}

// free gives the storage back. What an unusual subject blew up is left to the
// garbage collector.
func (r *run) free() {
	for _, i := range r.marked {
		r.seen[i/64] = 0
	}
	r.marked, r.subject = r.marked[:0], ""
	if cap(r.buf) <= 64<<10 {
		runs.Put(r)
	}
}

// first reports whether this is the first time pattern i comes up.
func (r *run) first(i uint32) bool {
	for int(i/64) >= len(r.seen) {
		r.seen = append(r.seen, 0)
	}
	bit := uint64(1) << (i % 64)
	if r.seen[i/64]&bit != 0 {
		return false
	}
	r.seen[i/64] |= bit
	r.marked = append(r.marked, i)
	return true
}

func (r *run) ascii() bool {
	if r.known == notLooked {
		r.known = isASCII
		if !ascii(r.subject) {
			r.known = hasHighBytes
		}
	}
	return r.known == isASCII
}

// latin1 is the subject with each byte as one rune, so that the engine matches
// bytes as the C library does.
func (r *run) latin1() []byte {
	if r.known != isConverted {
		r.buf = r.buf[:0]
		for i := range len(r.subject) {
			r.buf = utf8.AppendRune(r.buf, rune(r.subject[i]))
		}
		r.known = isConverted
	}
	return r.buf
}
