package wccp2_test

import (
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2"
	"github.com/cuttle-proxy/cuttle/wccp2/routersim"
	"github.com/cuttle-proxy/cuttle/wccp2/routersim/dissect"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// duo is a network with a router of each family, and caches that know both.
type duo struct {
	t          *testing.T
	now        time.Time
	assignment uint32
	routers    []*routersim.Router
	tables     map[netip.Addr]map[wire.ServiceID]owners
	caches     []*duoCache
	seen       []dissect.Datagram
	mixed      int // messages with addresses of the other family
	refused    []string
}

type duoCache struct {
	*wccp2.Engine
	local4, local6 netip.Addr
}

func (c *duoCache) local(router netip.Addr) netip.Addr {
	if router.Is6() {
		return c.local6
	}
	return c.local4
}

var duoRouters = []netip.Addr{netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("2001:db8:1::1")}

func newDuo(t *testing.T, assignment uint32, password string) *duo {
	d := &duo{t: t, assignment: assignment, now: time.Unix(1e9, 0), tables: map[netip.Addr]map[wire.ServiceID]owners{}}
	for _, at := range duoRouters {
		d.tables[at] = map[wire.ServiceID]owners{}
		d.routers = append(d.routers, routersim.New(routersim.Config{
			Address: at, AnyService: true, Password: password,
			Publish: func(id wire.ServiceID, table *routersim.Table) { d.tables[at][id] = ownersOf(table) },
			Observe: func(e routersim.Event) {
				if e.Name == routersim.Refused {
					d.refused = append(d.refused, e.Why)
				}
			},
		}))
	}
	return d
}

func (d *duo) join(host4, host6, password string) *duoCache {
	c := &duoCache{local4: netip.MustParseAddr(host4), local6: netip.MustParseAddr(host6)}
	cfg := wccp2.Config{
		Forwarding: wire.MethodGRE, Return: wire.MethodGRE, Assignment: d.assignment, Weight: 10000, Local: c.local,
		Routers: []netip.AddrPort{netip.AddrPortFrom(duoRouters[0], wire.Port), netip.AddrPortFrom(duoRouters[1], wire.Port)},
	}
	for _, s := range paired {
		s.Secure, s.Password = password != "", password
		cfg.Services = append(cfg.Services, s)
	}
	var err error
	if c.Engine, err = wccp2.New(cfg, d.now); err != nil {
		d.t.Fatal(err)
	}
	d.caches = append(d.caches, c)
	return c
}

// carry delivers a datagram to a router, or one of a router's.
func (d *duo) carry(payload []byte, router netip.Addr) {
	m, err := wire.Parse(payload)
	if err != nil {
		d.t.Fatalf("%v of % x", err, payload)
	}
	want := wire.Version2
	if router.Is6() {
		want = wire.Version2r1
	}
	if m.Version != want || m.AddressTable != router.Is6() {
		d.mixed++
	}
	d.seen = append(d.seen, dissect.Datagram{From: duoRouters[0], To: duoRouters[0].Next(), Payload: payload})
}

// pass lets a span go by, a second at a time.
func (d *duo) pass(span time.Duration) {
	for end := d.now.Add(span); d.now.Before(end); d.now = d.now.Add(time.Second) {
		for _, c := range d.caches {
			c.Tick(d.now)
			for _, a := range c.Take() {
				if a.Datagram == nil {
					continue
				}
				d.carry(a.Datagram, a.To.Addr())
				for i, at := range duoRouters {
					if at == a.To.Addr() {
						d.routers[i].Receive(d.now, netip.AddrPortFrom(c.local(at), wire.Port), a.Datagram)
					}
				}
			}
		}
		for i, r := range d.routers {
			r.Advance(d.now)
			for _, out := range r.Take(d.now) {
				d.carry(out.Payload, duoRouters[i])
				for _, c := range d.caches {
					if c.local(duoRouters[i]) == out.To.Addr() {
						c.Packet(d.now, netip.AddrPortFrom(duoRouters[i], wire.Port), out.Payload)
					}
				}
			}
		}
	}
}

// shares counts the buckets of each cache at a router.
func (d *duo) shares(router netip.Addr, service int) map[netip.Addr]int {
	n := map[netip.Addr]int{}
	for _, who := range d.tables[router][paired[service].ServiceID] {
		n[who]++
	}
	return n
}

// Each family is a service group of its own: caches announce themselves, elect and
// assign in it by their addresses of that family, in messages of version 2.01 with a
// table of addresses where that is IPv6's.
func TestRoutersOfBothFamilies(t *testing.T) {
	for assignment, buckets := range map[uint32]int{wire.MethodHash: 256, wire.MethodMask: 64} {
		password := map[uint32]string{wire.MethodMask: "secret"}[assignment]
		d := newDuo(t, assignment, password)
		// Who is lowest in one family is highest in the other.
		one, two := d.join("10.1.0.20", "2001:db8:1::40", password), d.join("10.1.0.30", "2001:db8:1::20", password)
		d.pass(90 * time.Second)
		for _, router := range duoRouters {
			for service := range paired {
				n := d.shares(router, service)
				if len(n) != 2 || n[one.local(router)] != buckets/2 || n[two.local(router)] != buckets/2 {
					t.Errorf("router %s, service %d: %v", router, service, n)
				}
			}
		}
		if d.mixed > 0 || len(d.refused) > 0 {
			t.Errorf("%d messages of another family; refused: %q", d.mixed, d.refused)
		}
		for _, s := range one.Status(d.now).Services {
			for _, r := range s.Routers {
				if r.State != wccp2.StateServing {
					t.Errorf("%s at %s: %v", s.Service, r.Router, r.State)
				}
			}
		}
		if _, err := exec.LookPath("tshark"); err != nil {
			t.Log("no tshark")
			continue
		}
		opinion, err := dissect.Ask(d.seen)
		if err != nil || opinion.WCCP != len(d.seen) || len(opinion.Complaints) > 0 {
			t.Errorf("tshark: %d of %d are WCCP, %v\n%s", opinion.WCCP, len(d.seen), err, strings.Join(opinion.Complaints, "\n"))
		}
	}
}

// The IPv6 router is lost without harm to the other group, and comes back.
func TestOneFamilyIsLost(t *testing.T) {
	d := newDuo(t, wire.MethodHash, "")
	c := d.join("10.1.0.20", "2001:db8:1::40", "")
	d.pass(60 * time.Second)
	d.routers[1].SetFaults(routersim.Faults{Silent: true})
	d.pass(60 * time.Second)
	states := func() (list []wccp2.State) {
		for _, s := range c.Status(d.now).Services {
			for _, r := range s.Routers {
				list = append(list, r.State)
			}
		}
		return list
	}
	if got := states(); len(got) != 4 || got[0] != wccp2.StateServing || got[1] != wccp2.StateLost || got[2] != wccp2.StateServing || got[3] != wccp2.StateLost {
		t.Errorf("%v", got)
	}
	d.routers[1].SetFaults(routersim.Faults{})
	d.pass(90 * time.Second)
	if n := d.shares(duoRouters[1], 0)[c.local6]; n != 256 {
		t.Errorf("%d buckets afterwards: %v", n, states())
	}
}
