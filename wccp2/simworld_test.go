package wccp2_test

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2"
	"github.com/cuttle-proxy/cuttle/wccp2/routersim"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// world is routers, caches and a network between them, in memory, with a clock
// that jumps from event to event. One seed makes one course of events.
type world struct {
	t       testing.TB
	plan    plan
	dice    *rand.Rand
	now     time.Time
	routers []*simRouter
	caches  []*simCache
	flying  flights
	seq     int

	differ map[netip.Addr]time.Time // since when a router's two services disagree
	worst  time.Duration            // the longest they did
}

// plan says how large the world is and how bad its network.
type plan struct {
	seed            uint64
	routers, caches int
	loss, duplicate float64
	delay           time.Duration // at most; differing delays reorder
	mask, sticky    bool
	weights         bool
}

func (p plan) String() string {
	return fmt.Sprintf("%dx%d,loss=%g,dup=%g,delay=%s,mask=%v,sticky=%v,weights=%v,seed=%d",
		p.routers, p.caches, p.loss, p.duplicate, p.delay, p.mask, p.sticky, p.weights, p.seed)
}

type simRouter struct {
	*routersim.Router
	addr   netip.Addr
	next   time.Time
	tables map[wire.ServiceID]owners
}

// owners is a table as who has each bucket or value.
type owners []netip.Addr

type simCache struct {
	engine *wccp2.Engine
	addr   netip.Addr
	cfg    wccp2.Config
	next   time.Time
	live   bool
	leaves bool // gracefully, under way
}

type flight struct {
	at       time.Time
	seq      int
	from, to netip.AddrPort
	datagram []byte
}

type flights []flight

func (f flights) Len() int { return len(f) }
func (f flights) Less(i, j int) bool {
	return f[i].at.Before(f[j].at) || f[i].at.Equal(f[j].at) && f[i].seq < f[j].seq
}
func (f flights) Swap(i, j int) { f[i], f[j] = f[j], f[i] }
func (f *flights) Push(x any)   { *f = append(*f, x.(flight)) }
func (f *flights) Pop() any {
	x := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return x
}

// paired are the two services of transparent interception: requests by source,
// replies by destination.
var paired = []wccp2.Service{
	{Service: wire.Service{ServiceID: wire.ServiceID{Type: wire.Dynamic, ID: 80}, Priority: 240, Protocol: 6, Flags: wire.SrcIPHash | wire.PortsDefined, Ports: [8]uint16{80}}},
	{Service: wire.Service{ServiceID: wire.ServiceID{Type: wire.Dynamic, ID: 90}, Priority: 240, Protocol: 6, Flags: wire.DstIPHash | wire.PortsDefined | wire.PortsSource, Ports: [8]uint16{80}}},
}

func newWorld(t testing.TB, p plan) *world {
	w := &world{t: t, plan: p, dice: rand.New(rand.NewPCG(p.seed, 1)), now: time.Unix(1e9, 0), differ: map[netip.Addr]time.Time{}}
	for i := range p.routers {
		r := &simRouter{addr: netip.AddrFrom4([4]byte{10, 1, 0, byte(1 + i)}), tables: map[wire.ServiceID]owners{}}
		r.Router = routersim.New(routersim.Config{
			Address: r.addr, AnyService: true, Seed: p.seed + uint64(i),
			Publish: func(id wire.ServiceID, t *routersim.Table) { r.tables[id] = ownersOf(t) },
		})
		w.routers = append(w.routers, r)
	}
	return w
}

// ownersOf lists who has each bucket, or each value of a mask, nil without a table.
func ownersOf(t *routersim.Table) owners {
	if t == nil {
		return nil
	}
	who := func(target uint8) netip.Addr {
		if int(target) >= len(t.Targets) {
			return netip.Addr{}
		}
		return t.Targets[target].Cache
	}
	if len(t.Sets) == 0 {
		list := make(owners, len(t.Buckets))
		for i, b := range t.Buckets {
			list[i] = who(b)
		}
		return list
	}
	list := make(owners, len(t.Sets[0].Values))
	for _, v := range t.Sets[0].Values {
		list[v.Number] = who(v.Target)
	}
	return list
}

// join starts a cache, at a random place in the order of addresses.
func (w *world) join() *simCache {
	c := &simCache{live: true}
	for taken := true; taken; {
		c.addr = netip.AddrFrom4([4]byte{10, 2, 0, byte(1 + w.dice.IntN(250))})
		taken = false
		for _, other := range w.caches {
			taken = taken || other.addr == c.addr
		}
	}
	c.cfg = wccp2.Config{
		Services: paired, Forwarding: wire.MethodGRE, Return: wire.MethodGRE, Assignment: wire.MethodHash,
		Weight: 10000, ShutdownWait: 35 * time.Second,
		Local: func(netip.Addr) netip.Addr { return c.addr },
	}
	if w.plan.mask {
		c.cfg.Assignment = wire.MethodMask
	}
	if w.plan.sticky {
		c.cfg.Division = wccp2.DivideSticky
	}
	if w.plan.weights {
		c.cfg.Weight = uint16(1 + w.dice.IntN(10))
	}
	for _, r := range w.routers {
		c.cfg.Routers = append(c.cfg.Routers, netip.AddrPortFrom(r.addr, wire.Port))
	}
	var err error
	if c.engine, err = wccp2.New(c.cfg, w.now); err != nil {
		w.t.Fatal(err)
	}
	w.caches = append(w.caches, c)
	w.after(c)
	return c
}

// fly puts a datagram on the network, as well as the network is.
func (w *world) fly(from, to netip.AddrPort, datagram []byte) {
	copies := 1
	if w.dice.Float64() < w.plan.duplicate {
		copies = 2
	}
	for range copies {
		if w.dice.Float64() < w.plan.loss {
			continue
		}
		at := w.now.Add(time.Millisecond)
		if w.plan.delay > 0 {
			at = at.Add(time.Duration(w.dice.Int64N(int64(w.plan.delay))))
		}
		w.seq++
		heap.Push(&w.flying, flight{at, w.seq, from, to, datagram})
	}
}

// after sends what a cache wants sent and notes when it wants to be called.
func (w *world) after(c *simCache) {
	for _, a := range c.engine.Take() {
		if a.Datagram != nil {
			w.fly(netip.AddrPortFrom(c.addr, wire.Port), a.To, a.Datagram)
		}
	}
	c.next = c.engine.Next()
	if c.leaves && c.engine.Left() {
		c.live = false
	}
}

func (w *world) afterRouter(r *simRouter) {
	for _, d := range r.Take(w.now) {
		w.fly(netip.AddrPortFrom(r.addr, wire.Port), d.To, d.Payload)
	}
	r.next = r.Next()
	w.watchPair(r)
}

// watchPair times how long the two services of a router disagree.
func (w *world) watchPair(r *simRouter) {
	if agree(r.tables[paired[0].ServiceID], r.tables[paired[1].ServiceID]) {
		delete(w.differ, r.addr)
		return
	}
	if _, ok := w.differ[r.addr]; !ok {
		w.differ[r.addr] = w.now
	}
	w.worst = max(w.worst, w.now.Sub(w.differ[r.addr]))
}

// agree: no bucket belongs to different caches. One that a service has not given
// out yet breaks nothing: its packets are forwarded.
func agree(a, b owners) bool {
	for i := range min(len(a), len(b)) {
		if a[i].IsValid() && b[i].IsValid() && a[i] != b[i] {
			return false
		}
	}
	return true
}

// step goes to the next thing that happens, at most to limit, and does it.
func (w *world) step(limit time.Time) bool {
	next := limit
	sooner := func(t time.Time) bool { return !t.IsZero() && t.Before(next) }
	var cache *simCache
	var router *simRouter
	for _, c := range w.caches {
		if c.live && sooner(c.next) {
			next, cache = c.next, c
		}
	}
	for _, r := range w.routers {
		if sooner(r.next) {
			next, cache, router = r.next, nil, r
		}
	}
	if len(w.flying) > 0 && sooner(w.flying[0].at) {
		f := heap.Pop(&w.flying).(flight)
		w.now = f.at
		w.land(f)
		return true
	}
	if next.After(w.now) {
		w.now = next
	}
	switch {
	case cache != nil:
		cache.engine.Tick(w.now)
		w.after(cache)
	case router != nil:
		router.Advance(w.now)
		w.afterRouter(router)
	default:
		return false
	}
	return true
}

func (w *world) land(f flight) {
	for _, r := range w.routers {
		if r.addr == f.to.Addr() {
			r.Receive(w.now, f.from, f.datagram)
			w.afterRouter(r)
		}
	}
	for _, c := range w.caches {
		if c.live && c.addr == f.to.Addr() {
			c.engine.Packet(w.now, f.from, f.datagram)
			w.after(c)
		}
	}
}

// run lets time pass.
func (w *world) run(d time.Duration) {
	limit := w.now.Add(d)
	for w.step(limit) {
	}
	for _, r := range w.routers {
		w.watchPair(r)
	}
}
