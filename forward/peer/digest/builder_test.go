package digest

import (
	"encoding/binary"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// shelf is objects in a row; the n-th is stale n seconds after epoch.
type shelf struct{ n int }

var epoch = time.Unix(1e9, 0)

func numbered(i int) (k Key) {
	x := uint64(i+1) * 0x9e3779b97f4a7c15
	binary.BigEndian.PutUint64(k[:], x)
	binary.BigEndian.PutUint64(k[8:], x*x^x>>7)
	return k
}

func (s shelf) Len() int { return s.n }

func (s shelf) Walk(position uint64, until time.Time, visit func(Key, bool) bool) uint64 {
	for i := position; i < uint64(s.n); i++ {
		if !visit(numbered(int(i)), epoch.Add(time.Duration(i)*time.Second).After(until)) {
			if i+1 == uint64(s.n) {
				return 0
			}
			return i + 1
		}
	}
	return 0
}

// However it is sliced, the digest has exactly what stays fresh.
func TestBuilder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 3000).Draw(t, "n")
		staleUntil := rapid.IntRange(0, 3000).Draw(t, "stale")
		share := rapid.IntRange(0, 200).Draw(t, "share")
		clock := epoch
		tick := time.Duration(rapid.IntRange(0, 3).Draw(t, "tick")) * time.Millisecond
		b := NewBuilder(shelf{n}, 5, epoch.Add(time.Duration(staleUntil)*time.Second), share)
		slices := 1
		for !b.Slice(func() time.Time { clock = clock.Add(tick); return clock }) {
			if slices++; slices > n/glance+200 {
				t.Fatal("it does not end")
			}
		}
		if !b.Slice(time.Now) {
			t.Fatal("it begins again")
		}
		want := New(n+1, 5)
		for i := staleUntil + 1; i < n; i++ {
			want.Add(numbered(i))
		}
		if got := b.Digest(); string(got.Append(nil)) != string(want.Append(nil)) {
			t.Fatalf("%d objects in it, want %d", got.Count, want.Count)
		}
	})
}

// BenchmarkBuild makes the digest of a million objects. Reported is the time of the
// CPU, which other programs on the machine do not disturb, for the whole and for the
// longest slice.
func BenchmarkBuild(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cpu := func() time.Duration {
		var r unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_THREAD, &r); err != nil {
			b.Fatal(err)
		}
		return time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	var whole, longest time.Duration
	for b.Loop() {
		builder := NewBuilder(shelf{1_000_000}, 5, epoch.Add(-time.Second), 10)
		for done := false; !done; {
			began := cpu()
			done = builder.Slice(time.Now)
			slice := cpu() - began
			whole, longest = whole+slice, max(longest, slice)
		}
	}
	b.ReportMetric(float64(whole.Microseconds())/1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(longest.Microseconds())/1000, "cpu-ms/slice-max")
}
