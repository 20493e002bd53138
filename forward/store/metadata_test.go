package store

import (
	"math"
	"testing"
)

func TestTimesAreThoseOf26(t *testing.T) {
	for _, c := range []struct{ unix, back int64 }{
		{-1, -1}, {math.MinInt64, -1}, {0, 0}, {1795389575, 1795389575},
		{math.MaxInt32 + 1, math.MaxInt32 + 1}, // 2038 is a year as any other
		{math.MaxUint32, math.MaxUint32 - 1}, {math.MaxInt64, math.MaxUint32 - 1},
	} {
		if back := TimeOf(c.unix).Unix(); back != c.back {
			t.Errorf("%d becomes %d, want %d", c.unix, back, c.back)
		}
	}
}

// 1120 and 1056 are the flags 2.6 wrote for an object and a marker of variants.
func TestFlagsAreThoseOf26(t *testing.T) {
	if Cachable|Dispatched|Validated != 1120 || Cachable|Validated != 1056 {
		t.Errorf("%d %d", Cachable|Dispatched|Validated, Cachable|Validated)
	}
}
