package routersim_test

import (
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/cuttle-proxy/cuttle/wccp2"
	"github.com/cuttle-proxy/cuttle/wccp2/routersim"
	"github.com/cuttle-proxy/cuttle/wccp2/routersim/dissect"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// world is routers and our own cache side in memory, with a clock that jumps from
// one event to the next.
type world struct {
	t       *testing.T
	now     time.Time
	routers map[netip.Addr]*routersim.Router
	caches  map[netip.Addr]*wccp2.Engine
	tables  map[netip.Addr]map[wire.ServiceID]*routersim.Table
	events  []routersim.Event
	logged  []string
	tapped  []dissect.Datagram
}

var (
	genesis  = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	web      = wire.ServiceID{Type: wire.Dynamic, ID: 80}
	answers  = wire.ServiceID{Type: wire.Dynamic, ID: 90}
	services = []wire.Service{
		{ServiceID: web, Priority: 240, Protocol: 6, Flags: wire.SrcIPHash | wire.PortsDefined, Ports: [8]uint16{80}},
		{ServiceID: answers, Priority: 240, Protocol: 6, Flags: wire.DstIPHash | wire.PortsDefined | wire.PortsSource, Ports: [8]uint16{80}},
	}
)

func newWorld(t *testing.T, routers, caches int, shapeRouter func(*routersim.Config), shapeCache func(*wccp2.Config)) *world {
	w := &world{
		t: t, now: genesis,
		routers: make(map[netip.Addr]*routersim.Router), caches: make(map[netip.Addr]*wccp2.Engine),
		tables: make(map[netip.Addr]map[wire.ServiceID]*routersim.Table),
	}
	var addresses []netip.AddrPort
	for i := range routers {
		address := netip.AddrFrom4([4]byte{10, 66, 0, byte(101 + i)})
		addresses = append(addresses, netip.AddrPortFrom(address, wire.Port))
		tables := make(map[wire.ServiceID]*routersim.Table)
		w.tables[address] = tables
		config := routersim.Config{
			Address: address, AnyService: true, Seed: uint64(i),
			Observe: func(e routersim.Event) { w.events = append(w.events, e) },
			Publish: func(id wire.ServiceID, table *routersim.Table) { tables[id] = table },
		}
		shapeRouter(&config)
		w.routers[address] = routersim.New(config)
	}
	for i := range caches {
		address := netip.AddrFrom4([4]byte{10, 66, 0, byte(20 + i)})
		config := wccp2.Config{
			Routers: addresses, Forwarding: wire.MethodGRE, Return: wire.MethodGRE, Assignment: wire.MethodHash,
			Weight: 10000, Local: func(netip.Addr) netip.Addr { return address },
		}
		for _, s := range services {
			config.Services = append(config.Services, wccp2.Service{Service: s})
		}
		shapeCache(&config)
		engine, err := wccp2.New(config, w.now)
		if err != nil {
			t.Fatal(err)
		}
		w.caches[address] = engine
	}
	return w
}

// run lets time pass.
func (w *world) run(d time.Duration) {
	w.t.Helper()
	for end := w.now.Add(d); w.now.Before(end); {
		w.now = w.next(end)
		for range 1000 {
			if !w.deliver() {
				break
			}
		}
		for _, r := range w.routers {
			r.Advance(w.now)
		}
		for _, c := range w.caches {
			c.Tick(w.now)
		}
		for range 1000 {
			if !w.deliver() {
				break
			}
		}
	}
}

// next is the time of the next timer of anybody, but not later than end.
func (w *world) next(end time.Time) time.Time {
	next := end
	consider := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	for _, r := range w.routers {
		consider(r.Next())
	}
	for _, c := range w.caches {
		consider(c.Next())
	}
	if !next.After(w.now) {
		return w.now.Add(time.Millisecond)
	}
	return next
}

// deliver carries what is on its way and reports whether there was anything.
func (w *world) deliver() (any bool) {
	for address, c := range w.caches {
		for _, action := range c.Take() {
			if action.Datagram == nil {
				w.logged = append(w.logged, report.Line(action.Line, action.Fields))
				continue
			}
			any = true
			w.tapped = append(w.tapped, dissect.Datagram{From: address, To: action.To.Addr(), Payload: action.Datagram})
			if r := w.routers[action.To.Addr()]; r != nil {
				r.Receive(w.now, netip.AddrPortFrom(address, wire.Port), action.Datagram)
			}
		}
	}
	for address, r := range w.routers {
		for _, d := range r.Take(w.now) {
			any = true
			w.tapped = append(w.tapped, dissect.Datagram{From: address, To: d.To.Addr(), Payload: d.Payload})
			if c := w.caches[d.To.Addr()]; c != nil {
				c.Packet(w.now, netip.AddrPortFrom(address, wire.Port), d.Payload)
			}
		}
	}
	return any
}

// agreed checks that all routers divide both services alike among exactly these caches.
func (w *world) agreed(caches int) {
	w.t.Helper()
	var first string
	for address, tables := range w.tables {
		for _, s := range services {
			table := tables[s.ServiceID]
			if table == nil {
				w.t.Errorf("%v %v: no assignment\n%s", address, s.ServiceID, w.story())
				return
			}
			picture := ""
			owners := make(map[netip.Addr]int)
			for i := range 256 {
				flow := routersim.Flow{Source: netip.AddrFrom4([4]byte{0, 0, 0, byte(i)}), Destination: netip.AddrFrom4([4]byte{0, 0, 0, byte(i)}), Protocol: 6}
				choice, found := table.Choose(flow)
				if !found {
					w.t.Errorf("%v %v: bucket %d has no cache\n%s", address, s.ServiceID, i, w.story())
					return
				}
				picture += choice.Target.Cache.String() + " "
				owners[choice.Target.Cache]++
			}
			if first == "" {
				first = picture
			}
			if picture != first || len(owners) != caches {
				w.t.Errorf("%v %v: %v, want the same table over %d caches everywhere\n%s", address, s.ServiceID, owners, caches, w.story())
				return
			}
		}
	}
}

func (w *world) story() string {
	var b strings.Builder
	for _, e := range w.events[max(0, len(w.events)-40):] {
		fmt.Fprintf(&b, "%6.1f %v %s %s %v %s\n", e.Time.Sub(genesis).Seconds(), e.Router, e.Name, e.Service, e.Cache, e.Why)
	}
	b.WriteString(strings.Join(w.logged[max(0, len(w.logged)-20):], "\n"))
	return b.String()
}

func asIs[T any](*T) {}

func TestOurCachesAndRoutersAgree(t *testing.T) {
	for _, size := range []struct{ routers, caches int }{{1, 1}, {1, 2}, {2, 1}, {3, 4}, {8, 8}} {
		t.Run(fmt.Sprintf("%d routers, %d caches", size.routers, size.caches), func(t *testing.T) {
			w := newWorld(t, size.routers, size.caches, asIs[routersim.Config], asIs[wccp2.Config])
			w.run(60 * time.Second)
			w.agreed(size.caches)
		})
	}
}

func TestOurCachesAndRoutersAgreeBySecretAndByMask(t *testing.T) {
	secret := func(c *wccp2.Config) {
		for i := range c.Services {
			c.Services[i].Secure, c.Services[i].Password = true, "secret"
		}
	}
	w := newWorld(t, 2, 2, func(c *routersim.Config) { c.Password = "secret" }, secret)
	w.run(60 * time.Second)
	w.agreed(2)

	w = newWorld(t, 2, 2, func(c *routersim.Config) { c.Password = "another" }, secret)
	w.run(60 * time.Second)
	for _, tables := range w.tables {
		if len(tables) != 0 {
			t.Error("an assignment came through with the wrong password")
		}
	}

	w = newWorld(t, 2, 2, asIs[routersim.Config], func(c *wccp2.Config) { c.Assignment = wire.MethodMask })
	w.run(60 * time.Second)
	for _, tables := range w.tables {
		for _, s := range services {
			if table := tables[s.ServiceID]; table == nil || len(table.Sets) == 0 {
				t.Errorf("%v: no mask assignment\n%s", s.ServiceID, w.story())
			}
		}
	}
}

// TestTroubleHeals disturbs a group that works and expects it whole again within the
// draft's timers: three intervals to notice, one and a half to assign, and the next
// HERE_I_AM.
func TestTroubleHeals(t *testing.T) {
	const heal = 80 * time.Second
	each := func(w *world, act func(*routersim.Router)) {
		for _, r := range w.routers {
			act(r)
		}
	}
	for name, trouble := range map[string]struct {
		disturb, calm func(w *world)
		left          int // caches that remain
	}{
		"routers restart": {func(w *world) { each(w, func(r *routersim.Router) { r.Restart(w.now) }) }, nil, 3},
		"a cache dies":    {func(w *world) { delete(w.caches, netip.AddrFrom4([4]byte{10, 66, 0, 20})) }, nil, 2},
		"a silent minute": {
			func(w *world) {
				each(w, func(r *routersim.Router) { r.SetFaults(routersim.Faults{Silent: true}) })
				w.run(time.Minute)
			},
			func(w *world) { each(w, func(r *routersim.Router) { r.SetFaults(routersim.Faults{}) }) }, 3,
		},
		"assignments lost": {
			func(w *world) {
				each(w, func(r *routersim.Router) {
					r.Restart(w.now)
					r.SetFaults(routersim.Faults{IgnoreAssignments: true})
				})
				w.run(time.Minute)
			},
			func(w *world) { each(w, func(r *routersim.Router) { r.SetFaults(routersim.Faults{}) }) }, 3,
		},
		"a bad network": {
			func(w *world) {
				each(w, func(r *routersim.Router) {
					r.SetFaults(routersim.Faults{LossIn: 0.2, LossOut: 0.2, Duplicate: 0.2, Reorder: 0.2, Truncate: 0.1, Corrupt: 0.1, Jitter: 1})
				})
				w.run(5 * time.Minute)
			},
			func(w *world) { each(w, func(r *routersim.Router) { r.SetFaults(routersim.Faults{}) }) }, 3,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 2, 3, asIs[routersim.Config], asIs[wccp2.Config])
			w.run(60 * time.Second)
			w.agreed(3)
			trouble.disturb(w)
			if trouble.calm != nil {
				trouble.calm(w)
			}
			w.run(heal)
			w.agreed(trouble.left)
		})
	}
}

// Whenever a cache is told to leave, it must not be gone while a router still hands it
// buckets; a moment before this there may have been no assignment that it knew of.
func TestALeavingCacheGivesItsBucketsAwayFirst(t *testing.T) {
	for after := 20 * time.Second; after <= 60*time.Second; after += time.Second {
		w := newWorld(t, 2, 2, asIs[routersim.Config], func(c *wccp2.Config) { c.ShutdownWait = 35 * time.Second })
		w.run(after)
		address := netip.AddrFrom4([4]byte{10, 66, 0, 21})
		leaver := w.caches[address]
		leaver.Leave(w.now)
		for begun := w.now; !leaver.Left(); w.run(time.Second) {
			if w.now.Sub(begun) > 36*time.Second {
				t.Fatalf("told %v after the start: still there\n%s", after, w.story())
			}
		}
		w.run(500 * time.Millisecond)
		for _, tables := range w.tables {
			for _, s := range services {
				for i := range 256 {
					if tables[s.ServiceID] == nil {
						break
					}
					flow := routersim.Flow{Source: netip.AddrFrom4([4]byte{0, 0, 0, byte(i)}), Destination: netip.AddrFrom4([4]byte{0, 0, 0, byte(i)}), Protocol: 6}
					if choice, _ := tables[s.ServiceID].Choose(flow); choice.Target.Cache == address {
						t.Fatalf("told %v after the start: gone with bucket %d of %v\n%s", after, i, s.ServiceID, w.story())
					}
				}
			}
		}
	}
}

func TestWiresharkFindsNothingMalformedInTheWholeConversation(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip("needs tshark")
	}
	for name, shape := range map[string]func(*wccp2.Config){
		"hash":  func(*wccp2.Config) {},
		"mask":  func(c *wccp2.Config) { c.Assignment = wire.MethodMask },
		"layer": func(c *wccp2.Config) { c.Forwarding, c.Return = wire.MethodL2, wire.MethodL2 },
		"md5": func(c *wccp2.Config) {
			for i := range c.Services {
				c.Services[i].Secure, c.Services[i].Password = true, "secret"
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 3, 3, func(c *routersim.Config) {
				if name == "md5" {
					c.Password = "secret"
				}
			}, func(c *wccp2.Config) { shape(c); c.ShutdownWait = 35 * time.Second })
			w.run(60 * time.Second)
			for _, r := range w.routers {
				r.Query()
			}
			w.caches[netip.AddrFrom4([4]byte{10, 66, 0, 20})].Leave(w.now)
			w.run(60 * time.Second)
			opinion, err := dissect.Ask(w.tapped)
			if err != nil {
				t.Fatal(err)
			}
			if opinion.WCCP != len(w.tapped) || len(opinion.Complaints) > 0 {
				t.Errorf("%d of %d taken for WCCP; complaints:\n%s", opinion.WCCP, len(w.tapped), strings.Join(opinion.Complaints, "\n"))
			}
			t.Logf("%d datagrams", len(w.tapped))
		})
	}
}
