// Package uses counts what every request counts, without its processors waiting for each
// other's memory.
package uses

import "sync/atomic"

// Spread is a counter in parts. A part is written by who has its number, mostly on one
// processor; others need not fetch it anew with each request.
type Spread [8]struct {
	atomic.Int64
	_ [56]byte
}

// Part names a part; the zero value is one, too.
type Part struct{ number uint8 }

var given atomic.Uint32

// NewPart is the part for somebody who stays with a processor, as what lies in a
// sync.Pool mostly does.
func NewPart() Part { return Part{uint8(given.Add(1) % uint32(len(Spread{})))} }

// Add adds to a part.
func (s *Spread) Add(part Part, n int64) { s[part.number].Add(n) }

// Sum is what the parts add up to, exactly so while they are still.
func (s *Spread) Sum() (n int64) {
	for i := range s {
		n += s[i].Load()
	}
	return n
}

// Count counts who needs something that is replaced by another one of its kind some time:
// those who count in parts, and others. It begins with Begin.
type Count struct {
	parts  Spread
	others atomic.Int64
	over   atomic.Bool // it has been replaced
	ended  atomic.Bool
}

// Begin is the first use, that of being the current one, which Replaced ends.
func (c *Count) Begin() { c.others.Store(1) }

// Hold and HoldPart count one more.
func (c *Count) Hold() { c.others.Add(1) }

// HoldPart counts one more in a part.
func (c *Count) HoldPart(part Part) { c.parts.Add(part, 1) }

// Release takes back a Hold. It reports whether that was the end: nobody needs the thing
// any more, and nobody was told before.
func (c *Count) Release() (end bool) {
	c.others.Add(-1)
	return c.unused()
}

// ReleasePart is Release for a HoldPart.
func (c *Count) ReleasePart(part Part) (end bool) {
	c.parts.Add(part, -1)
	return c.unused()
}

// Replaced ends what Begin began. As long as the thing is current nobody looks at all
// parts, and it is not the end when none is in use.
func (c *Count) Replaced() (end bool) {
	c.over.Store(true)
	return c.Release()
}

// unused reports, once, that nobody needs it any more. Who counts in a part may Hold before
// that ends, but not the other way round: so the others are looked at last.
func (c *Count) unused() bool {
	return c.over.Load() && c.parts.Sum() == 0 && c.others.Load() == 0 && !c.ended.Swap(true)
}

// Users is how many there are.
func (c *Count) Users() int64 { return c.parts.Sum() + c.others.Load() }
