package delay

import (
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"pgregory.net/rapid"
)

// slowBucket is a bucket in exact fractions.
type slowBucket struct {
	level         *big.Rat
	restore, most *big.Rat
}

func (b *slowBucket) pass(d int64) {
	b.level.Add(b.level, new(big.Rat).Mul(b.restore, big.NewRat(d, second)))
	if b.level.Cmp(b.most) > 0 {
		b.level.Set(b.most)
	}
}

// whole is the level rounded down.
func (b *slowBucket) whole() int64 {
	return new(big.Int).Div(b.level.Num(), b.level.Denom()).Int64()
}

// Whatever is used and whenever it is looked at, a bucket has what exact fractions say,
// and its debt is over at the very nanosecond when theirs is.
func TestBucketIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(rapid.Int64Range(0, 100), rapid.Int64Range(0, math.MaxInt32))
		r := rate{size.Draw(t, "restore"), rapid.OneOf(size, rapid.Just(int64(unlimited))).Draw(t, "most")}
		b := bucket{level: r.initial(rapid.IntRange(0, 300).Draw(t, "percent"))}
		slow := slowBucket{big.NewRat(b.level, 1), big.NewRat(r.restore, 1), big.NewRat(r.most, 1)}
		pause := rapid.OneOf(rapid.Int64Range(0, 1000), rapid.Int64Range(0, 3*second), rapid.Int64Range(0, 3e8*second))
		for now := int64(0); now < math.MaxInt64/4 && rapid.IntRange(0, 9).Draw(t, "more") > 0; {
			if rapid.Bool().Draw(t, "use") {
				n := size.Draw(t, "octets")
				b.level -= n
				slow.level.Sub(slow.level, big.NewRat(n, 1))
			} else {
				d := pause.Draw(t, "pause")
				now += d
				slow.pass(d)
				b.fill(r, now)
			}
			if b.level != slow.whole() {
				t.Fatalf("%d octets, %v is right", b.level, slow.level)
			}
			due := b.due(r)
			switch {
			case b.level >= 0 && due != 0:
				t.Fatalf("%d octets are there and it waits for %v", b.level, due)
			case b.level >= 0:
			case r.never() != (due < 0):
				t.Fatalf("%v for %+v", due, r)
			case due > 0:
				late, early := b, b
				late.fill(r, now+int64(due))
				early.fill(r, now+int64(due)-1)
				if late.level < 0 || early.level >= 0 {
					t.Fatalf("after %v there are %d octets, and %d a nanosecond before", due, late.level, early.level)
				}
			}
		}
	})
}

// The pairs of delay_parameters mean what 2.6 reads in them, but for a negative maximum.
func TestRates(t *testing.T) {
	for _, c := range []struct {
		restore, most int
		off, never    bool
		half          int64
	}{
		{-1, -1, true, false, 0}, {-1, 8000, true, false, 0}, {0, 0, false, true, 0}, {0, 40000, false, true, 20000},
		{24000, 0, false, true, 0}, {24000, 60000, false, false, 30000}, {24000, -1, false, false, 12000},
	} {
		r := rateOf(conf.DelayRate{Restore: c.restore, Max: c.most})
		if r.off() != c.off || !c.off && (r.never() != c.never || r.initial(50) != c.half) {
			t.Errorf("%d/%d: off %v, never %v, half of it %d", c.restore, c.most, r.off(), r.never(), r.initial(50))
		}
	}
}

// A clock that stands, or goes back, gives nothing.
func TestClockThatGoesBack(t *testing.T) {
	r, b := rate{1000, 5000}, bucket{level: 10, at: int64(time.Minute)}
	b.fill(r, int64(time.Second))
	b.fill(r, int64(time.Minute))
	if b.level != 10 {
		t.Errorf("%d octets", b.level)
	}
	if b.fill(r, int64(time.Minute+time.Second)); b.level != 1010 {
		t.Errorf("%d octets after a second", b.level)
	}
}
