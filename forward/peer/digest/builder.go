package digest

import (
	"time"
)

// Objects is a cache as the builder sees it. Positions are opaque; objects that
// come or go while a walk is under way may be seen or not.
type Objects interface {
	// Len is the number of objects there are now.
	Len() int
	// Walk visits objects from a position (0 for the first) until visit says no
	// more, and gives the position to go on from, 0 when it went through all. fresh
	// says whether the object is still fresh at the time given.
	Walk(position uint64, until time.Time, visit func(key Key, fresh bool) bool) (next uint64)
}

// Bounds of one slice of a rebuild, after which others have a turn.
const (
	sliceTime = 2 * time.Millisecond
	// glance is how many objects are looked at between two looks at the clock.
	glance = 256
)

// Builder makes a digest of a cache in slices.
type Builder struct {
	objects  Objects
	until    time.Time
	share    int // objects a slice at most
	position uint64
	begun    bool
	digest   *Digest
}

// NewBuilder begins a digest of the objects that are still fresh at that time.
// share is the percentage of the objects that go into one slice
// (digest_rebuild_chunk_percentage).
func NewBuilder(objects Objects, bitsPerEntry int, until time.Time, share int) *Builder {
	n := objects.Len()
	return &Builder{
		objects: objects, until: until,
		share: max(glance, n*min(max(share, 1), 100)/100),
		// One more than there are: in 2.6 the digest is an object of the cache too.
		digest: New(n+1, bitsPerEntry),
	}
}

// Slice goes on for a few milliseconds. It reports whether the digest is finished.
func (b *Builder) Slice(now func() time.Time) (done bool) {
	if b.begun && b.position == 0 {
		return true
	}
	b.begun = true
	seen, end := 0, now().Add(sliceTime)
	b.position = b.objects.Walk(b.position, b.until, func(key Key, fresh bool) bool {
		if fresh {
			b.digest.Add(key)
		}
		seen++
		return seen < b.share && (seen%glance != 0 || now().Before(end))
	})
	return b.position == 0
}

// Digest is what Slice has made.
func (b *Builder) Digest() *Digest { return b.digest }
