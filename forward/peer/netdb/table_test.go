package netdb

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var epoch = time.Unix(1e9, 0)

func addr(s string) netip.Addr { return netip.MustParseAddr(s) }

// The file of 2.6: written, read, and lines that are none passed over.
func TestState(t *testing.T) {
	table := New(900, 1000)
	n, err := table.Load(strings.NewReader(`127.0.0.0 5 5 4.4 123.4 1764531134 1764531135 www.test x.test
10.1.2.9 3 3 21 700 1764531134 1764531134 FAR.test
10.1.4.0 3 0 21 700 1764531134 1764531134 never.test
::1 3 3 21 700 1764531134 1764531134 six.test
127.0.0.0 9 9 9 9 1 1 twice.test
10.1.5.0 3 3 21 NaN 1764531134 1764531134 nan.test
10.1.6.0 3 3 -1 7 1764531134 1764531134 minus.test
10.1.7.0 3 3
words
`))
	if n != 2 || err != nil {
		t.Fatalf("%d networks, %v", n, err)
	}
	for host, want := range map[string]string{
		"www.test": "123.4 4.4 true", "x.test": "123.4 4.4 true", "far.test": "700 21 true",
		"never.test": "0 0 false", "six.test": "0 0 false", "twice.test": "0 0 false", "other.test": "0 0 false",
	} {
		rtt, hops, ok := table.Host(host, time.Unix(1764531134, 0))
		if got := fmt.Sprintf("%v %v %v", rtt, hops, ok); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
	var saved strings.Builder
	if err := table.Save(&saved); err != nil {
		t.Fatal(err)
	}
	const want = "127.0.0.0 5 5    4.40000  123.40000 1764531134 1764531134 www.test x.test\n" +
		"10.1.2.0 3 3   21.00000  700.00000 1764531134 1764531134 far.test\n"
	if saved.String() != want {
		t.Errorf("got\n%swant\n%s", saved.String(), want)
	}
}

// A network is measured once a period; measurements are averaged.
func TestMeasuring(t *testing.T) {
	table := New(900, 1000)
	a := addr("192.0.2.7")
	if !table.Due(a, time.Minute, epoch) || table.Due(addr("192.0.2.99"), time.Minute, epoch.Add(time.Minute-1)) {
		t.Error("due twice in a period")
	}
	table.Name("www.test", a, epoch)
	if _, _, ok := table.Host("www.test", epoch); ok {
		t.Error("known before it was measured")
	}
	table.Measured(a, 10*time.Millisecond, 4, epoch)
	table.Measured(a, 30*time.Millisecond, 6, epoch)
	if rtt, hops, ok := table.Host("www.test", epoch); rtt != 20 || hops != 5 || !ok {
		t.Errorf("%v ms, %v hops, %v", rtt, hops, ok)
	}
	if !table.Due(a, time.Minute, epoch.Add(time.Minute)) {
		t.Error("not due after a period")
	}
	if table.Due(addr("2001:db8::1"), time.Minute, epoch) {
		t.Error("IPv6 is measured")
	}
	// A host moves: it takes its new network's way.
	table.Name("www.test", addr("198.51.100.1"), epoch)
	if _, _, ok := table.Host("www.test", epoch); ok {
		t.Error("the way to where it was")
	}
}

// Neighbours nearer than this cache, the nearest first; a word is believed for an
// hour.
func TestNearer(t *testing.T) {
	table := New(900, 1000)
	a := addr("192.0.2.7")
	table.Name("www.test", a, epoch)
	for peer, rtt := range map[string]float64{"far": 80, "near": 10, "mid": 40} {
		table.Learn(peer, addr("192.0.2.0"), rtt, 3, epoch)
	}
	nearer := func(host string, at netip.Addr, now time.Time) string {
		return strings.Join(table.Nearer(nil, host, at, now), " ")
	}
	if got := nearer("www.test", netip.Addr{}, epoch); got != "near mid far" {
		t.Errorf("nothing measured: %q", got)
	}
	table.Measured(a, 50*time.Millisecond, 3, epoch)
	if got := nearer("www.test", netip.Addr{}, epoch); got != "near mid" {
		t.Errorf("50 ms from here: %q", got)
	}
	if got := nearer("unknown.test", addr("192.0.2.200"), epoch); got != "near mid" {
		t.Errorf("by address: %q", got)
	}
	if got := nearer("unknown.test", addr("198.51.100.1"), epoch) + nearer("unknown.test", netip.Addr{}, epoch); got != "" {
		t.Errorf("of an unknown network: %q", got)
	}
	table.LearnHost("near", "www.test", 45, 3, epoch)
	table.LearnHost("near", "unknown.test", 1, 3, epoch)
	if got := nearer("www.test", netip.Addr{}, epoch); got != "mid near" {
		t.Errorf("after a new word: %q", got)
	}
	if got := nearer("www.test", netip.Addr{}, epoch.Add(pathLife)); got != "" {
		t.Errorf("after an hour: %q", got)
	}
	for i := range 2 * mostPeers {
		table.Learn(fmt.Sprint("p", i), a, float64(100+i), 3, epoch)
	}
	if got := table.Nearer(nil, "www.test", netip.Addr{}, epoch); !slices.Contains(got, "mid") || len(table.networks[addr("192.0.2.0")].peers) != mostPeers {
		t.Errorf("%q of %d", got, len(table.networks[addr("192.0.2.0")].peers))
	}
}

// Against a plain list: when there are more networks than netdb_high, those used
// longest ago go until netdb_low are left; names go with their networks.
func TestBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		high := rapid.IntRange(1, 12).Draw(t, "high")
		low := rapid.IntRange(0, high).Draw(t, "low")
		table := New(low, high)
		var model []int // networks, the one used last at the end
		for step := range rapid.IntRange(1, 80).Draw(t, "steps") {
			i := rapid.IntRange(0, 30).Draw(t, "network")
			now := epoch.Add(time.Duration(step) * time.Second)
			table.Name(fmt.Sprint("h", i), netip.AddrFrom4([4]byte{10, 0, byte(i), 1}), now)
			model = append(slices.DeleteFunc(model, func(x int) bool { return x == i }), i)
			if len(model) > high {
				model = model[len(model)-max(1, low):]
			}
		}
		for i := range 31 {
			_, known := table.networks[netip.AddrFrom4([4]byte{10, 0, byte(i), 0})]
			if named := table.hosts[fmt.Sprint("h", i)] != nil; known != slices.Contains(model, i) || named != known {
				t.Fatalf("network %d: %v, named %v, the model has %v", i, known, named, model)
			}
		}
	})
}

// The numbers that are kept are those a count would give.
func TestNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := New(2, 5)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			a := netip.AddrFrom4([4]byte{10, 0, rapid.Byte().Draw(t, "network") % 12, 1})
			now := epoch.Add(time.Duration(rapid.IntRange(0, 3).Draw(t, "time")) * time.Second) // many of equal age
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				table.Name("h", a, now)
			case 1:
				table.Measured(a, time.Millisecond, 1, now)
			case 2:
				table.SetBounds(1, rapid.IntRange(1, 8).Draw(t, "high"))
			case 3:
				var saved strings.Builder
				table.Save(&saved)
				table = New(2, 5)
				table.Load(strings.NewReader(saved.String()))
			}
			measured := 0
			for _, n := range table.networks {
				if n.received > 0 {
					measured++
				}
			}
			if table.Len() != len(table.networks) || table.Measures() != (measured > 0) || table.measured.Load() != int64(measured) {
				t.Fatalf("%d of %d, %d of %d measured", table.Len(), len(table.networks), table.measured.Load(), measured)
			}
		}
	})
}

// One network does not take names without end.
func TestHostsAreBounded(t *testing.T) {
	table := New(900, 1000)
	for i := range 3 * mostHosts {
		table.Name(fmt.Sprint("h", i), addr("192.0.2.1"), epoch)
	}
	if n := len(table.networks[addr("192.0.2.0")].hosts); n != mostHosts || len(table.hosts) != mostHosts {
		t.Errorf("%d names, %d in the table", n, len(table.hosts))
	}
}
