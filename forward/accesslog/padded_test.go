package accesslog

import (
	"fmt"
	"math"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// Numbers and addresses are written as the library does, only faster.
func TestAppendedLikeTheLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1200, 1200), rapid.SampledFrom([]int64{0, 9, 10, 99, 100, math.MaxInt64, math.MinInt64})).Draw(t, "n")
		width := rapid.IntRange(0, 12).Draw(t, "width")
		if got, want := string(appendPadded(nil, n, width, ' ')), fmt.Sprintf("%*d", width, n); got != want {
			t.Errorf("%q, not %q", got, want)
		}
		if got, want := string(appendPadded(nil, n, width, '0')), fmt.Sprintf("%0*d", width, n); got != want && n != math.MinInt64 {
			t.Errorf("%q, not %q", got, want)
		}
		addr := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "address")))
		if got := string(appendClient(nil, "", addr)); got != addr.String() {
			t.Errorf("%q, not %q", got, addr)
		}
	})
}
