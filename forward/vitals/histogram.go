package vitals

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Times are counted to the millisecond up to exact, beyond it eight classes for each
// doubling, up to half a day.
const (
	exactBits = 4
	exact     = 1 << exactBits
	perOctave = 8
	octaves   = 22
	classes   = exact + octaves*perOctave
)

// histogram counts response times. Several may add at once.
type histogram [classes]atomic.Uint64

// counts is what a histogram had counted at a time.
type counts [classes]uint64

func (h *histogram) add(took time.Duration) { h[classOf(took.Milliseconds())].Add(1) }

func (h *histogram) read(c *counts) {
	for i := range h {
		c[i] = h[i].Load()
	}
}

// since is the median of what was counted since earlier, in milliseconds; ok is false
// when nothing was.
func (c *counts) since(earlier *counts) (median int64, ok bool) {
	all := uint64(0)
	for i := range c {
		all += c[i] - earlier[i]
	}
	if all == 0 {
		return 0, false
	}
	below := uint64(0)
	for i := range c {
		if below += c[i] - earlier[i]; 2*below >= all {
			return middleOf(i), true
		}
	}
	return 0, false
}

// classOf is the class of a time.
func classOf(ms int64) int {
	if ms < exact {
		return int(max(ms, 0))
	}
	octave := bits.Len64(uint64(ms)) - 1 - exactBits // from 0
	part := int(ms>>(octave+1)) & (perOctave - 1)
	return min(exact+octave*perOctave+part, classes-1)
}

// middleOf is the time in the middle of a class.
func middleOf(class int) int64 {
	if class < exact {
		return int64(class)
	}
	octave, part := (class-exact)/perOctave, (class-exact)%perOctave
	return int64(perOctave+part)<<(octave+1) + 1<<octave
}
