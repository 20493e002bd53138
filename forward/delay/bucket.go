package delay

import (
	"math"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// rate is what a bucket gains in a second, and holds at most, in octets.
type rate struct{ restore, most int64 }

// unlimited is the largest that a bucket without one holds: what it gains in a year at
// any rate stays far below.
const unlimited = math.MaxInt64 / 2

// rateOf reads a pair of delay_parameters. A negative maximum is none: in 2.6 such a
// bucket is never above it, and lets nothing through.
func rateOf(r conf.DelayRate) rate {
	if r.Max < 0 {
		return rate{int64(r.Restore), unlimited}
	}
	return rate{int64(r.Restore), int64(r.Max)}
}

// off reports whether the bucket limits nobody.
func (r rate) off() bool { return r.restore < 0 }

// never reports whether nothing comes any more once the bucket is empty.
func (r rate) never() bool { return r.restore == 0 || r.most == 0 }

// initial is the level of a new bucket, from percent of its maximum; without one, of
// what a second brings.
func (r rate) initial(percent int) int64 {
	full := r.most
	if full == unlimited {
		full = r.restore
	}
	return min(full*int64(percent)/100, r.most)
}

// bucket is a level that grows with time. Its clock is handed in, in nanoseconds, and
// only goes forward.
type bucket struct {
	level int64 // in octets, below zero when more was used than was there
	part  int64 // of the next octet, in octets times nanoseconds
	at    int64 // when that was so
}

const second = int64(time.Second)

// fill adds what has come since the bucket was looked at last.
func (b *bucket) fill(r rate, now int64) {
	passed := now - b.at
	if b.at = max(b.at, now); passed <= 0 {
		return
	}
	if b.level >= r.most {
		b.part = 0
		return
	}
	// Whole seconds first: what is left is below 2^63.
	lack := r.most - b.level
	if r.restore > 0 && passed/second > lack/r.restore {
		b.level, b.part = r.most, 0
		return
	}
	rest := b.part + passed%second*r.restore
	gained := passed/second*r.restore + rest/second
	if gained >= lack {
		b.level, b.part = r.most, 0
		return
	}
	b.level, b.part = b.level+gained, rest%second
}

// due is how long it takes from the last fill on until the bucket is not below zero;
// negative for ever.
func (b *bucket) due(r rate) time.Duration {
	if b.level >= 0 {
		return 0
	}
	if r.never() {
		return -1
	}
	lack := -b.level
	whole := lack / r.restore
	if whole > math.MaxInt64/second-1 {
		return math.MaxInt64
	}
	rest := lack%r.restore*second - b.part // of whole seconds less, and that much
	if rest <= 0 {
		return max(0, time.Duration(whole*second+rest/r.restore))
	}
	return time.Duration(whole*second + (rest+r.restore-1)/r.restore)
}
