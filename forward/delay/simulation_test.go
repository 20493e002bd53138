package delay

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
	"pgregory.net/rapid"
)

// flow is a transfer of the simulation, from an origin that has always more.
type flow struct {
	client netip.Addr
	at     place
	next   int64 // when it reads again
	waits  bool
	moved  int64
}

// simulate runs transfers through a pool up to a time, on a clock of its own, and moves
// each as a Share does.
func simulate(p *pool, flows []*flow, end int64) {
	p.waiting = map[netip.Addr]int{}
	var read [1 << 10]int64
	for {
		n := 0
		for i := range flows {
			if flows[i].next < flows[n].next {
				n = i
			}
		}
		f := flows[n]
		now := f.next
		if now >= end {
			return
		}
		if f.waits {
			f.waits = false
			p.waiting[f.client]--
		}
		f.moved += read[n]
		read[n] = p.ask(f.client, f.at, mostStep, now)
		if read[n] == 0 {
			f.next = end
			continue
		}
		wait := p.pay(f.at, read[n], now)
		switch f.next = now + int64(wait); {
		case wait < 0:
			f.next, f.waits = end, true
		case wait == 0:
			f.next = now + 1000 // it takes a microsecond to move it
		default:
			f.waits = true
		}
		if f.waits {
			p.waiting[f.client]++
		}
	}
}

// Every bucket lets through what it holds and gains, no more, and, where somebody wants
// it and no other bucket binds, no less but for what each transfer still waits for.
func TestPoolsKeepTheirRates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		drawRate := func(name string) conf.DelayRate {
			if rapid.IntRange(0, 3).Draw(t, name+" off") == 0 {
				return conf.DelayRate{Restore: -1, Max: -1}
			}
			return conf.DelayRate{Restore: rapid.IntRange(1000, 2000000).Draw(t, name), Max: rapid.IntRange(0, 4000000).Draw(t, name+" max")}
		}
		c := conf.DelayPool{Class: rapid.IntRange(1, 3).Draw(t, "class"), Aggregate: drawRate("all"), Network: drawRate("network"), Individual: drawRate("host")}
		p := newPool(&c, rapid.IntRange(0, 100).Draw(t, "level"), 0)
		if !p.limits {
			return
		}
		const end = 30 * second
		var flows []*flow
		for i := range rapid.IntRange(1, 12).Draw(t, "flows") {
			host := rapid.IntRange(0, 3).Draw(t, fmt.Sprint("host of ", i))
			client := netip.AddrFrom4([4]byte{10, 0, byte(host % 2), byte(host / 2)})
			flows = append(flows, &flow{client: client, at: placeOf(client), next: rapid.Int64Range(0, second).Draw(t, "begins")})
		}
		simulate(p, flows, end)
		check := func(name string, r rate, of func(*flow) bool) {
			moved, n := int64(0), int64(0)
			for _, f := range flows {
				if of(f) {
					moved += f.moved
					n++
				}
			}
			if r.off() || n == 0 {
				return
			}
			most := r.initial(p.percent) + r.restore*(end/second)
			if r.never() {
				most = r.initial(p.percent)
			}
			if moved > most {
				t.Fatalf("%s moved %d octets of %d", name, moved, most)
			}
			least := r.restore*(end/second-1) - n*mostStep
			if alone := p.class == 1 || p.network.off() && p.host.off(); alone && !r.never() && moved < least {
				t.Fatalf("%s moved only %d octets of %d", name, moved, most)
			}
		}
		check("all", p.aggregate, func(*flow) bool { return true })
		for n := range 2 {
			check("network", p.network, func(f *flow) bool { return int(f.at.network) == n })
			for h := range 2 {
				check("host", p.host, func(f *flow) bool {
					return int(f.at.host) == h && (p.class == 2 || int(f.at.network) == n)
				})
			}
		}
	})
}

// Clients of one bucket get the same, however many transfers each of them has, and so do
// the transfers of a client.
func TestFairShares(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		restore := rapid.IntRange(20000, 2000000).Draw(t, "restore")
		p := newPool(&conf.DelayPool{Class: 1, Aggregate: conf.DelayRate{Restore: restore, Max: restore}}, 0, 0)
		var flows []*flow
		transfers := map[netip.Addr]int64{}
		for i := range rapid.IntRange(2, 6).Draw(t, "clients") {
			client := netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
			for range rapid.SampledFrom([]int{1, 2, 3, 4}).Draw(t, "transfers") {
				flows = append(flows, &flow{client: client, at: placeOf(client)})
				transfers[client]++
			}
		}
		const end = 120 * second
		simulate(p, flows, end)
		share := int64(restore) * (end / second) / int64(len(transfers))
		for _, f := range flows {
			want := share / transfers[f.client]
			if got := f.moved; got < want*8/10 || got > want*12/10 {
				t.Fatalf("a transfer of a client with %d moved %d octets, its share is %d", transfers[f.client], got, want)
			}
		}
	})
}

// Buckets are made when they are first used, and never more than their names allow.
func TestBucketsAreFew(t *testing.T) {
	p := newPool(&conf.DelayPool{Class: 3, Aggregate: conf.DelayRate{Restore: 1, Max: 1}, Network: conf.DelayRate{Restore: 1, Max: 1}, Individual: conf.DelayRate{Restore: 1, Max: 1}}, 50, 0)
	count := func() (networks, hosts int) {
		st := p.status(1, 0)
		return len(st.Networks), len(st.Hosts)
	}
	if n, h := count(); n+h > 0 {
		t.Errorf("%d networks and %d hosts before anybody came", n, h)
	}
	p.pay(placeOf(netip.MustParseAddr("10.0.0.1")), 1, 0)
	p.pay(placeOf(netip.MustParseAddr("10.0.1.1")), 1, 0)
	if n, h := count(); n != 2 || h != 2 {
		t.Errorf("%d networks and %d hosts of two clients", n, h)
	}
	for i := range 1 << 20 {
		p.pay(placeOf(netip.AddrFrom16([16]byte{0x20, 1, 15: byte(i), 14: byte(i >> 8), 7: byte(i >> 16)})), 1, 0)
	}
	if n, h := count(); n > 256 || h > 256*256 {
		t.Errorf("%d networks and %d hosts", n, h)
	}
}
