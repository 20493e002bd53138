package routersim

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/routersim/simcache"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

var (
	routerAddress = netip.MustParseAddr("10.66.0.101")
	epoch         = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

	requests = wire.Service{
		ServiceID: wire.ServiceID{Type: wire.Dynamic, ID: 80}, Priority: 240, Protocol: 6,
		Flags: wire.SrcIPHash | wire.PortsDefined, Ports: [8]uint16{80},
	}
	replies = wire.Service{
		ServiceID: wire.ServiceID{Type: wire.Dynamic, ID: 90}, Priority: 240, Protocol: 6,
		Flags: wire.DstIPHash | wire.PortsDefined | wire.PortsSource, Ports: [8]uint16{80},
	}
)

// bench is a router with a clock of ours and everything it said kept.
type bench struct {
	t      *testing.T
	router *Router
	now    time.Time
	events []Event
	tables map[wire.ServiceID]*Table
}

func newBench(t *testing.T, config Config) *bench {
	b := &bench{t: t, now: epoch, tables: make(map[wire.ServiceID]*Table)}
	config.Address = routerAddress
	if config.Groups == nil && !config.AnyService {
		config.Groups = []Group{{Service: requests.ServiceID}, {Service: replies.ServiceID}}
	}
	config.Observe = func(e Event) { b.events = append(b.events, e) }
	config.Publish = func(id wire.ServiceID, table *Table) { b.tables[id] = table }
	b.router = New(config)
	return b
}

func (b *bench) cache(last byte, service wire.Service) *simcache.Cache {
	return &simcache.Cache{Address: netip.AddrFrom4([4]byte{10, 66, 0, last}), Router: routerAddress, Service: service, Weight: 1}
}

// say sends a cache's datagram and hands the answers to the cache.
func (b *bench) say(c *simcache.Cache, datagram []byte) []Datagram {
	b.t.Helper()
	b.router.Receive(b.now, netip.AddrPortFrom(c.Address, wire.Port), datagram)
	answers := b.router.Take(b.now)
	for _, d := range answers {
		if d.To.Addr() != c.Address {
			continue
		}
		if _, err := c.See(d.Payload); err != nil {
			b.t.Logf("cache %v: %v", c.Address, err)
		}
	}
	return answers
}

func (b *bench) pass(d time.Duration) {
	for end := b.now.Add(d); ; {
		next := b.router.Next()
		if next.IsZero() || next.After(end) {
			b.now = end
			return
		}
		if next.After(b.now) {
			b.now = next
		}
		b.router.Advance(b.now)
		b.router.Take(b.now)
	}
}

// join lets caches announce themselves until all are usable.
func (b *bench) join(caches ...*simcache.Cache) {
	b.t.Helper()
	for range 3 {
		for _, c := range caches {
			b.say(c, c.HereIAm())
		}
		b.pass(DefaultInterval)
	}
	for _, c := range caches {
		if !c.Usable() {
			b.t.Fatalf("%v is not usable; events: %v", c.Address, b.names())
		}
	}
}

func (b *bench) names() []string {
	var names []string
	for _, e := range b.events {
		name := string(e.Name)
		if e.Why != "" {
			name += " (" + e.Why + ")"
		}
		names = append(names, name)
	}
	return names
}

func (b *bench) last(name EventName) Event {
	b.t.Helper()
	for i := len(b.events) - 1; i >= 0; i-- {
		if b.events[i].Name == name {
			return b.events[i]
		}
	}
	b.t.Fatalf("no event %q; there are %v", name, b.names())
	return Event{}
}

func (b *bench) happened(name EventName) bool {
	for _, e := range b.events {
		if e.Name == name {
			return true
		}
	}
	return false
}

func TestACacheJoinsWhenItReturnsTheReceiveID(t *testing.T) {
	b := newBench(t, Config{})
	c := b.cache(20, requests)
	b.say(c, c.HereIAm())
	if c.Usable() || b.happened(CacheJoined) {
		t.Error("usable after the first HERE_I_AM, which returned nothing")
	}
	b.say(c, c.HereIAm())
	if !c.Usable() {
		t.Error("not usable after returning the receive id")
	}
	if change := b.last(CacheJoined).Change; change != 1 {
		t.Errorf("member change number %d, want 1", change)
	}
}

func TestAnAssignmentBecomesATable(t *testing.T) {
	b := newBench(t, Config{})
	one, two := b.cache(20, requests), b.cache(21, requests)
	b.join(one, two)
	b.say(one, one.AssignHash(one.Address, two.Address))
	table := b.tables[requests.ServiceID]
	if table == nil {
		t.Fatalf("no table; events %v", b.names())
	}
	for last, want := range map[byte]netip.Addr{0: two.Address, 1: one.Address} {
		// 10^1^0^last is odd for an even last octet.
		flow := Flow{Source: netip.AddrFrom4([4]byte{10, 1, 0, last}), Destination: netip.MustParseAddr("192.0.2.1"), Protocol: 6, DestinationPort: 80}
		choice, found := table.Choose(flow)
		if !found || choice.Target.Cache != want {
			t.Errorf("10.1.0.%d: %v %v, want %v", last, choice, found, want)
		}
	}
	assigned := b.last(Assigned)
	if assigned.Key.By != one.Address || assigned.Key.Number != 1 || len(assigned.Buckets) != 2 || assigned.Buckets[0].Buckets != 128 {
		t.Errorf("event %+v", assigned)
	}
	b.say(one, one.HereIAm())
	b.say(two, two.HereIAm())
	status := b.router.Status(b.now)
	if got := status.Groups[0].Caches[1].Buckets; got != 128 {
		t.Errorf("status gives the second cache %d buckets", got)
	}
}

func TestAssignmentsAreRefused(t *testing.T) {
	for name, spoil := range map[string]struct {
		act func(b *bench, c *simcache.Cache)
		why string
	}{
		"receive id of before": {func(b *bench, c *simcache.Cache) {
			assign := c.AssignHash(c.Address)
			b.say(c, c.HereIAm())
			b.say(c, assign)
		}, "receive id"},
		"change number of before": {func(b *bench, c *simcache.Cache) {
			other := b.cache(21, requests)
			b.say(other, other.HereIAm())
			b.say(other, other.HereIAm())
			b.say(c, c.AssignHash(c.Address))
		}, "change number"},
		"from a stranger": {func(b *bench, c *simcache.Cache) {
			stranger := *c
			stranger.Address = netip.MustParseAddr("10.66.0.99")
			b.say(&stranger, c.AssignHash(c.Address))
		}, "not usable"},
		"for another router": {func(b *bench, c *simcache.Cache) {
			b.router.config.ID, b.router.config.Address = netip.MustParseAddr("192.0.2.9"), netip.MustParseAddr("192.0.2.9")
			b.say(c, c.AssignHash(c.Address))
		}, "does not name"},
		"mask without a set": {func(b *bench, c *simcache.Cache) { b.say(c, c.AssignMask()) }, "without a set"},
		"on purpose": {func(b *bench, c *simcache.Cache) {
			b.router.SetFaults(Faults{IgnoreAssignments: true})
			b.say(c, c.AssignHash(c.Address))
		}, "fault"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, Config{})
			c := b.cache(20, requests)
			b.join(c)
			spoil.act(b, c)
			if why := b.last(Refused).Why; !strings.Contains(why, spoil.why) {
				t.Errorf("refused for %q, want %q", why, spoil.why)
			}
			if b.tables[requests.ServiceID] != nil {
				t.Error("there is a table")
			}
		})
	}
}

func TestAQuietCacheIsAskedAndDropped(t *testing.T) {
	b := newBench(t, Config{})
	one, two := b.cache(20, requests), b.cache(21, requests)
	b.join(one, two)
	b.say(one, one.AssignHash(one.Address, two.Address))
	for range 2 {
		b.say(one, one.HereIAm())
		b.pass(DefaultInterval)
	}
	// The second cache was heard 3 intervals ago, less nothing.
	b.say(one, one.HereIAm())
	b.pass(time.Second)
	if !b.happened(CacheQueried) {
		t.Errorf("no REMOVAL_QUERY; events %v", b.names())
	}
	left := b.last(CacheLeft)
	if left.Cache != two.Address || left.Seconds != 30 {
		t.Errorf("left: %+v", left)
	}
	table := b.tables[requests.ServiceID]
	if table == nil || table.Buckets[1] != Unassigned || table.Buckets[0] == Unassigned {
		t.Error("the table should keep the first cache's buckets and no other")
	}
	b.pass(2 * DefaultInterval)
	b.say(one, one.HereIAm())
	b.pass(3 * DefaultInterval)
	if !b.happened(Flushed) && !b.happened(CacheLeft) {
		t.Errorf("events %v", b.names())
	}
}

func TestARestartForgetsEverything(t *testing.T) {
	b := newBench(t, Config{})
	c := b.cache(20, requests)
	b.join(c)
	b.say(c, c.AssignHash(c.Address))
	b.router.Restart(b.now)
	if b.tables[requests.ServiceID] != nil {
		t.Error("the table outlived the restart")
	}
	b.say(c, c.HereIAm())
	if c.Usable() {
		t.Error("usable with a receive id from before the restart")
	}
	b.join(c)
	b.say(c, c.AssignHash(c.Address))
	if b.tables[requests.ServiceID] == nil {
		t.Error("not assigned again")
	}
}

func TestWhoIsLetIn(t *testing.T) {
	for name, test := range map[string]struct {
		config Config
		cache  func(c *simcache.Cache)
		why    string // "" when let in
	}{
		"configured":         {Config{}, func(*simcache.Cache) {}, ""},
		"not configured":     {Config{Groups: []Group{{Service: replies.ServiceID}}}, func(*simcache.Cache) {}, "not enabled"},
		"any":                {Config{AnyService: true}, func(*simcache.Cache) {}, ""},
		"right password":     {Config{AnyService: true, Password: "secret"}, func(c *simcache.Cache) { c.Password = "secret" }, ""},
		"wrong password":     {Config{AnyService: true, Password: "secret"}, func(c *simcache.Cache) { c.Password = "guess" }, "digest does not fit"},
		"password missing":   {Config{AnyService: true, Password: "secret"}, func(*simcache.Cache) {}, "no digest"},
		"password too many":  {Config{}, func(c *simcache.Cache) { c.Password = "secret" }, "has no password"},
		"version 1 router":   {Config{Version: 1}, func(*simcache.Cache) {}, "version 1"},
		"unlike the group's": {Config{}, func(c *simcache.Cache) { c.Service.Ports[1] = 8080 }, "otherwise"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, test.config)
			if test.why == "otherwise" {
				b.join(b.cache(19, requests))
			}
			c := b.cache(20, requests)
			test.cache(c)
			b.say(c, c.HereIAm())
			b.say(c, c.HereIAm())
			if test.why == "" {
				if !c.Usable() {
					t.Errorf("not let in: %v", b.names())
				}
				return
			}
			if why := b.last(Refused).Why; !strings.Contains(why, test.why) {
				t.Errorf("refused for %q, want %q", why, test.why)
			}
		})
	}
}

func TestMethodsWithoutOverlapAreUnsupported(t *testing.T) {
	for name, offer := range map[string]func(c *simcache.Cache){
		"forwarding": func(c *simcache.Cache) { c.Forwarding = wire.MethodL2 },
		"return":     func(c *simcache.Cache) { c.Return = wire.MethodL2 },
		"assignment": func(c *simcache.Cache) { c.Assignment = wire.MethodMask },
	} {
		b := newBench(t, Config{NoCapabilities: true})
		c := b.cache(20, requests)
		offer(c)
		b.say(c, c.HereIAm())
		b.say(c, c.HereIAm())
		if c.Usable() || !strings.Contains(b.last(Unsupported).Why, name) {
			t.Errorf("%s: usable %v, %v", name, c.Usable(), b.names())
		}
	}
}

// lastBit divides by the last bit of the source address.
func lastBit(even, odd netip.Addr) wire.MaskValueSet {
	zero, one := netip.MustParseAddr("0.0.0.0"), netip.MustParseAddr("0.0.0.1")
	return wire.MaskValueSet{
		Mask: wire.Mask{SrcAddr: one, DstAddr: zero},
		Values: []wire.Value{
			{Mask: wire.Mask{SrcAddr: zero, DstAddr: zero}, Cache: even},
			{Mask: wire.Mask{SrcAddr: one, DstAddr: zero}, Cache: odd},
		},
	}
}

func TestMaskAssignment(t *testing.T) {
	b := newBench(t, Config{})
	one, two := b.cache(20, requests), b.cache(21, requests)
	one.Assignment, two.Assignment = wire.MethodMask, wire.MethodMask
	b.join(one, two)
	b.say(one, one.AssignMask(lastBit(one.Address, two.Address)))
	table := b.tables[requests.ServiceID]
	if table == nil {
		t.Fatalf("no table: %v", b.names())
	}
	flow := Flow{Source: netip.MustParseAddr("10.1.0.3"), Destination: netip.MustParseAddr("192.0.2.1"), Protocol: 6, DestinationPort: 80}
	if choice, found := table.Choose(flow); !found || choice.Target.Cache != two.Address || choice.Bucket != 1 {
		t.Errorf("chose %+v %v", choice, found)
	}
	b.say(one, one.HereIAm())
	if got := b.last(Assigned); got.Form != "mask" || len(got.Buckets) != 2 {
		t.Errorf("event %+v", got)
	}
}

// The example of rev1 7: a number's bits are those of the mask, the lowest first, which is
// the destination port's.
func TestNumberedMaskValues(t *testing.T) {
	b := newBench(t, Config{})
	caches := []*simcache.Cache{b.cache(20, requests), b.cache(21, requests), b.cache(22, requests)}
	set := wire.AltMaskValueSet{Mask: wire.Mask{SrcAddr: netip.MustParseAddr("0.0.1.0"), DstAddr: netip.MustParseAddr("0.0.0.3"), DstPort: 1}}
	for i, c := range caches {
		c.Assignment = wire.MethodMask
		his := wire.CacheValues{Cache: c.Address}
		for number := uint32(i); number < 16; number += 3 {
			his.Values = append(his.Values, number)
		}
		set.Caches = append(set.Caches, his)
	}
	b.join(caches...)
	b.say(caches[0], caches[0].AssignNumbered(set))
	table := b.tables[requests.ServiceID]
	if table == nil {
		t.Fatalf("no table: %v", b.names())
	}
	for number := range 16 {
		flow := Flow{
			Source:      netip.AddrFrom4([4]byte{10, 1, 0xFE | byte(number>>3), 0xFF}),
			Destination: netip.AddrFrom4([4]byte{192, 0, 2, 0xFC | byte(number>>1&3)}),
			Protocol:    6, DestinationPort: 80 | uint16(number&1),
		}
		if choice, found := table.Choose(flow); !found || choice.Target.Cache != caches[number%3].Address {
			t.Errorf("number %d: chose %+v %v", number, choice, found)
		}
	}
	set.Caches[0].Values[0] = 16
	b.say(caches[0], caches[0].AssignNumbered(set))
	if why := b.last(Refused).Why; !strings.Contains(why, "value 16 is beyond its mask") {
		t.Errorf("a number too high: %q", why)
	}
}

func TestVersion1(t *testing.T) {
	b := newBench(t, Config{Version: 1})
	from := netip.MustParseAddrPort("10.66.0.20:2048")
	say := func(m *wire.V1Message) *wire.V1Message {
		datagram, err := m.Append(nil)
		if err != nil {
			t.Fatal(err)
		}
		b.router.Receive(b.now, from, datagram)
		sent := b.router.Take(b.now)
		if len(sent) == 0 {
			return nil
		}
		answer, err := wire.ParseV1(sent[0].Payload)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	seen := say(&wire.V1Message{Type: wire.V1HereIAm})
	seen = say(&wire.V1Message{Type: wire.V1HereIAm, ReceiveID: seen.ReceiveID})
	if len(seen.Caches) != 1 || seen.Change != 1 {
		t.Fatalf("second answer %+v", seen)
	}
	say(&wire.V1Message{Type: wire.V1AssignBuckets, ReceiveID: seen.ReceiveID, Caches: seen.Caches})
	if b.tables[webCache] == nil {
		t.Fatalf("no table: %v", b.names())
	}
	seen = say(&wire.V1Message{Type: wire.V1HereIAm, ReceiveID: seen.ReceiveID})
	if seen.Caches[0].Buckets.Count() != 256 {
		t.Errorf("the view shows %d buckets", seen.Caches[0].Buckets.Count())
	}
	b.pass(4 * DefaultInterval)
	if b.tables[webCache] != nil || !b.happened(CacheLeft) {
		t.Error("a quiet cache of version 1 was kept")
	}
}
