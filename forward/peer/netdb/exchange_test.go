package netdb

import (
	"encoding/hex"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The document of a running 2.6 with these measurements; 70 s is not told.
func TestRecordedExchange(t *testing.T) {
	table := New(900, 1000)
	state := "127.0.0.0 5 5 4.4 123.4 1764531134 1764531134 www.test\n10.1.2.0 3 3 21 70000 1764531134 1764531134 far.test\n10.1.3.0 3 3 2 17.25 1764531134 1764531134 near.test\n"
	if n, err := table.Load(strings.NewReader(state)); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	const want = "017f000000020001e2080300001130010a010300020000436203000007d0"
	if got := hex.EncodeToString(table.Tell(nil)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestParseTold(t *testing.T) {
	good := AppendTold(nil, Told{netip.MustParseAddr("10.9.9.0"), 12, 2})
	for _, c := range []struct {
		name string
		b    []byte
		n    int
		rest int
		bad  bool
	}{
		{"one", good, 1, 0, false},
		{"two and a part", slices.Concat(good, good, good[:7]), 2, 7, false},
		{"an unknown field", slices.Concat(good, []byte(strings.Repeat("\x07", 15))), 1, 15, true},
		{"a field twice", slices.Concat(good[:5], good[:5], good[:5]), 0, 15, true},
		{"another order", slices.Concat(good[10:], good[:10]), 1, 0, false},
		{"nothing measured", slices.Concat(good[:6], make([]byte, 4), good[10:]), 0, 0, false},
		{"over a minute", slices.Concat(good[:6], []byte{255, 255, 255, 255}, good[10:]), 0, 0, false},
		{"nothing", nil, 0, 0, false},
	} {
		n := 0
		rest, bad := ParseTold(c.b, func(told Told) {
			if n++; told != (Told{netip.MustParseAddr("10.9.9.0"), 12, 2}) {
				t.Errorf("%s: %+v", c.name, told)
			}
		})
		if n != c.n || len(rest) != c.rest || bad != c.bad {
			t.Errorf("%s: %d entries, %d octets left, bad %v", c.name, n, len(rest), bad)
		}
	}
}

// Whatever a neighbour sends fills a bounded table, and is passed on in a form it
// could have had.
func FuzzParseTold(f *testing.F) {
	f.Add(AppendTold(nil, Told{netip.MustParseAddr("10.9.9.0"), 12, 2}))
	f.Add([]byte("\x01\x7f\x00\x00\x00\x02\x00\x01\xe2\x08\x03\x00\x00\x11\x30\x01"))
	f.Fuzz(func(t *testing.T, b []byte) {
		table := New(5, 10)
		now := time.Unix(1e9, 0)
		rest, _ := ParseTold(b, func(told Told) { table.Learn("p", told.Network, told.RTT, told.Hops, now) })
		if len(rest) > len(b) || table.Len() > 10 {
			t.Fatalf("%d networks, %d left", table.Len(), len(rest))
		}
		if len(table.Tell(nil)) != 0 {
			t.Fatal("a neighbour's word is told as our own")
		}
	})
}

// Every file is read without harm; what is written is read back the same.
func FuzzLoad(f *testing.F) {
	f.Add("127.0.0.0 5 5 4.4 123.4 1764531134 1764531134 www.test a.test\n")
	f.Add("10.1.2.0 3 3 NaN Inf 1 1\n10.1.2.0 -1 3 2 2 1 1 x\n")
	f.Fuzz(func(t *testing.T, text string) {
		a, b := New(50, 100), New(50, 100)
		_, _ = a.Load(strings.NewReader(text))
		var saved, again strings.Builder
		if err := a.Save(&saved); err != nil {
			t.Fatal(err)
		}
		if n, err := b.Load(strings.NewReader(saved.String())); n != a.Len() || err != nil {
			t.Fatalf("%d of %d: %v\n%s", n, a.Len(), err, saved.String())
		}
		if err := b.Save(&again); err != nil || again.String() != saved.String() {
			t.Fatalf("%v\n%s\n%s", err, saved.String(), again.String())
		}
	})
}

// A told way is read back, to the precision of the form.
func TestToldRoundTrip(t *testing.T) {
	const step = 0.001 + 1e-9 // what is below a thousandth is cut off: 129.004 goes out as 129.003
	rapid.Check(t, func(t *rapid.T) {
		want := Told{
			netip.AddrFrom4([4]byte{rapid.Byte().Draw(t, "a"), rapid.Byte().Draw(t, "b"), 7, 0}),
			float64(rapid.IntRange(1, longestRTT*1000).Draw(t, "rtt")) / 1000, float64(rapid.IntRange(0, 99000).Draw(t, "hops")) / 1000,
		}
		var got []Told
		rest, bad := ParseTold(AppendTold(nil, want), func(told Told) { got = append(got, told) })
		if bad || len(rest) > 0 || len(got) != 1 || got[0].Network != want.Network ||
			math.Abs(got[0].RTT-want.RTT) > step || math.Abs(got[0].Hops-want.Hops) > step {
			t.Fatalf("%+v, want %+v", got, want)
		}
	})
}
