package wccp2

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/report"
	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// bench is an engine with one router played by hand.
type bench struct {
	t      *testing.T
	e      *Engine
	now    time.Time
	router netip.AddrPort
	change uint32
	id     uint32
	key    wire.AssignmentKey
	caches []wire.CacheIdentity
	lines  []string
	sent   []*wire.Message // not taken yet
}

var (
	benchRouter = netip.MustParseAddr("10.66.0.101")
	service80   = paired80()
)

func paired80() Service {
	return Service{Service: wire.Service{ServiceID: wire.ServiceID{Type: wire.Dynamic, ID: 80}, Priority: 240, Protocol: 6, Flags: wire.SrcIPHash | wire.PortsDefined, Ports: [8]uint16{80}}}
}

func benchConfig() Config {
	return Config{
		Routers: []netip.AddrPort{netip.AddrPortFrom(benchRouter, wire.Port)}, Services: []Service{service80},
		Forwarding: wire.MethodGRE, Return: wire.MethodGRE, Assignment: wire.MethodHash,
		Weight: 10000, ShutdownWait: 35 * time.Second, Local: func(netip.Addr) netip.Addr { return selfAddr },
	}
}

func newBench(t *testing.T, cfg Config) *bench {
	b := &bench{t: t, now: time.Unix(1e9, 0), router: netip.AddrPortFrom(benchRouter, wire.Port), id: 100}
	var err error
	if b.e, err = New(cfg, b.now); err != nil {
		t.Fatal(err)
	}
	return b
}

// pass lets time pass, timer by timer.
func (b *bench) pass(d time.Duration) {
	end := b.now.Add(d)
	steps := 0
	for next := b.e.Next(); due(next, end); next = b.e.Next() {
		if next.After(b.now) {
			b.now = next
		}
		b.e.Tick(b.now)
		b.take()
		if steps++; steps > 10000 {
			b.t.Fatalf("the timers run in circles: next is %s at %s", next, b.now)
		}
	}
	b.now = end
}

func (b *bench) take() {
	for _, a := range b.e.Take() {
		if a.Datagram == nil {
			b.lines = append(b.lines, report.Line(a.Line, a.Fields))
			continue
		}
		m, err := wire.Parse(a.Datagram)
		if err != nil {
			b.t.Fatal(err)
		}
		b.sent = append(b.sent, m)
	}
}

// got returns what was sent since the last call, of one type.
func (b *bench) got(t wire.MessageType) (list []*wire.Message) {
	for _, m := range b.sent {
		if m.Type == t {
			list = append(list, m)
		}
	}
	b.sent = nil
	return list
}

// answer makes the router's next I_SEE_YOU.
func (b *bench) answer() *wire.Message {
	b.id++
	return &wire.Message{
		Type: wire.ISeeYou, Service: &service80.Service,
		RouterIdentity: &wire.RouterIdentity{RouterID: wire.RouterID{ID: benchRouter, ReceiveID: b.id}, SentTo: benchRouter, ReceivedFrom: []netip.Addr{selfAddr}},
		RouterView:     &wire.RouterView{MemberChange: b.change, Key: b.key, Routers: []netip.Addr{benchRouter}, Caches: b.caches},
		Capabilities:   []wire.Capability{wire.Bits(wire.ForwardingMethod, 3), wire.Bits(wire.AssignmentMethod, 3), wire.Bits(wire.ReturnMethod, 3)},
	}
}

func (b *bench) deliver(m *wire.Message, password string) {
	b.t.Helper()
	raw, err := m.Append(nil, password)
	if err != nil {
		b.t.Fatal(err)
	}
	b.e.Packet(b.now, b.router, raw)
	b.take()
}

// members sets what the router sees: addresses with weights.
func (b *bench) members(weights map[string]uint16) {
	b.change++
	b.caches = nil
	for a, w := range weights {
		b.caches = append(b.caches, wire.CacheIdentity{Addr: netip.MustParseAddr(a), Weight: w, Historical: true})
	}
}

// gives makes the view show n buckets for a cache.
func (b *bench) gives(addr netip.Addr, n int) {
	for i := range b.caches {
		if b.caches[i].Addr == addr {
			b.caches[i].Buckets, b.caches[i].Historical = wire.Bitmap{}, n == 0
			for k := range n {
				b.caches[i].Buckets.Set(uint8(k))
			}
		}
	}
}

func (b *bench) logged(part string) (n int) {
	for _, l := range b.lines {
		if strings.Contains(l, part) {
			n++
		}
	}
	return n
}

func (b *bench) state() State { return b.e.Status(b.now).Services[0].Routers[0].State }

// wait passes assignWait, with the answer to the HERE_I_AM that falls into it.
func (b *bench) wait() {
	b.t.Helper()
	b.pass(Interval)
	b.deliver(b.answer(), "")
	b.pass(assignWait - Interval)
}

// served brings the engine to where it has all buckets of its router.
func (b *bench) served(weights map[string]uint16) {
	b.t.Helper()
	b.pass(1500 * time.Millisecond)
	b.deliver(b.answer(), "")
	b.pass(Interval)
	b.members(weights)
	b.deliver(b.answer(), "")
	b.wait()
	if ra := b.got(wire.RedirectAssign); len(ra) > 0 {
		b.key = ra[0].Assignment.Key
	}
	b.gives(selfAddr, 256/len(weights))
	b.pass(Interval / 2)
	b.deliver(b.answer(), "")
	b.sent = nil
	if b.state() != StateServing {
		b.t.Fatalf("%s, want %s: %v", b.state(), StateServing, b.lines)
	}
}

func alone() map[string]uint16   { return map[string]uint16{"10.66.0.20": 10000} }
func withOne() map[string]uint16 { return map[string]uint16{"10.66.0.20": 10000, "10.66.0.30": 10000} }

// TestStates walks through the states an operator sees.
func TestStates(t *testing.T) {
	b := newBench(t, benchConfig())
	if b.state() != StateWaiting {
		t.Error(b.state())
	}
	b.pass(1500 * time.Millisecond)
	if n := len(b.got(wire.HereIAm)); n != 1 {
		t.Fatalf("%d HERE_I_AM after the first second", n)
	}
	b.deliver(b.answer(), "")
	if b.state() != StateAnswered {
		t.Error(b.state())
	}
	b.pass(Interval)
	b.members(alone())
	b.deliver(b.answer(), "")
	if b.state() != StateJoined {
		t.Error(b.state())
	}
	b.gives(selfAddr, 256)
	b.pass(Interval)
	b.deliver(b.answer(), "")
	if b.state() != StateServing || b.logged("gives us 256 of 256 buckets") != 1 {
		t.Error(b.state(), b.lines)
	}
	b.pass(3 * Interval)
	if b.state() != StateLost || b.logged("lost for service") != 1 {
		t.Error(b.state(), b.lines)
	}
	b.pass(Interval)
	b.deliver(b.answer(), "")
	if b.state() != StateServing {
		t.Error(b.state())
	}
}

// TestSilentRouterLeavesTheView: after three intervals the router is not listed
// to others any more, and what it had given us is called historical.
func TestSilentRouterLeavesTheView(t *testing.T) {
	b := newBench(t, benchConfig())
	b.served(alone())
	b.pass(40 * time.Second)
	list := b.got(wire.HereIAm)
	m := list[len(list)-1]
	if r := m.CacheView.Routers; len(r) != 1 || r[0].ReceiveID != 0 || len(m.CacheView.Caches) != 0 {
		t.Errorf("view %+v", m.CacheView)
	}
	if !m.CacheIdentity.Historical || m.CacheIdentity.Buckets.Count() != 256 {
		t.Errorf("identity %+v", m.CacheIdentity)
	}
	if m.CacheView.Change < 2 {
		t.Errorf("the view's number is still %d", m.CacheView.Change)
	}
}

// TestRepeatsUntilShown: an assignment that the view does not show is sent again
// after an interval, with the receive id current then, and not once more when it shows.
func TestRepeatsUntilShown(t *testing.T) {
	b := newBench(t, benchConfig())
	b.pass(1500 * time.Millisecond)
	b.deliver(b.answer(), "")
	b.pass(Interval)
	b.members(alone())
	b.deliver(b.answer(), "")
	b.wait()
	first := b.got(wire.RedirectAssign)
	if len(first) != 1 {
		t.Fatalf("%d assignments", len(first))
	}
	b.pass(Interval / 2)
	b.deliver(b.answer(), "")
	b.pass(Interval / 2)
	again := b.got(wire.RedirectAssign)
	if len(again) != 1 || again[0].Assignment.Key != first[0].Assignment.Key || again[0].Assignment.Routers[0].ReceiveID != b.id {
		t.Fatalf("%d repeats, %+v", len(again), again)
	}
	b.key = first[0].Assignment.Key
	for range 6 {
		b.pass(Interval)
		b.deliver(b.answer(), "")
	}
	if n := len(b.got(wire.RedirectAssign)); n != 0 {
		t.Errorf("%d more although the key is shown", n)
	}
}

// TestWaitsForTheLostAnswer: with an answer outstanding the receive id is not
// known to be right, so the assignment waits for the next answer.
func TestWaitsForTheLostAnswer(t *testing.T) {
	b := newBench(t, benchConfig())
	b.pass(1500 * time.Millisecond)
	b.deliver(b.answer(), "")
	b.pass(Interval)
	b.members(alone())
	b.deliver(b.answer(), "")
	b.pass(assignWait + time.Second - 6*time.Second)
	b.got(wire.HereIAm)
	b.answer() // lost
	b.pass(6 * time.Second)
	if n := len(b.got(wire.RedirectAssign)); n != 0 {
		t.Fatalf("%d assignments with a stale receive id", n)
	}
	b.pass(Interval / 2)
	b.deliver(b.answer(), "")
	if ra := b.got(wire.RedirectAssign); len(ra) != 1 || ra[0].Assignment.Routers[0].ReceiveID != b.id {
		t.Errorf("%+v", ra)
	}
}

// TestReplayIsIgnored: an answer seen before changes nothing and is complained about.
func TestReplayIsIgnored(t *testing.T) {
	b := newBench(t, benchConfig())
	b.pass(1500 * time.Millisecond)
	old := b.answer()
	b.deliver(old, "")
	b.pass(Interval)
	b.members(withOne())
	b.deliver(b.answer(), "")
	before := b.e.Status(b.now)
	b.deliver(old, "")
	b.deliver(old, "")
	after := b.e.Status(b.now)
	if a, c := before.Services[0].Routers[0], after.Services[0].Routers[0]; a.Change != c.Change || len(c.Caches) != 2 || c.Packets.Dropped != 2 {
		t.Errorf("%+v", c)
	}
	if b.logged("repeats receive id") != 1 {
		t.Error(b.lines)
	}
}

// TestRouterRestart: lower receive ids and the same change number are met without a hitch.
func TestRouterRestart(t *testing.T) {
	b := newBench(t, benchConfig())
	b.served(alone())
	b.id, b.key = 0, wire.AssignmentKey{}
	b.gives(selfAddr, 0)
	b.pass(Interval)
	b.deliver(b.answer(), "")
	if n := len(b.got(wire.RedirectAssign)); n != 1 {
		t.Errorf("%d assignments after the restart: %v", n, b.lines)
	}
}

// TestRemovalQuery: three HERE_I_AM a second apart, each with a current id.
func TestRemovalQuery(t *testing.T) {
	b := newBench(t, benchConfig())
	b.served(alone())
	b.pass(2 * time.Second)
	q := &wire.Message{Type: wire.RemovalQuery, Service: &service80.Service,
		Query: &wire.RouterQuery{RouterID: wire.RouterID{ID: benchRouter, ReceiveID: b.id}, SentTo: benchRouter, Target: selfAddr}}
	b.sent = nil
	b.deliver(q, "")
	b.deliver(q, "")
	if n := len(b.got(wire.HereIAm)); n != 1 {
		t.Fatalf("%d HERE_I_AM at once", n)
	}
	b.deliver(b.answer(), "")
	b.pass(2500 * time.Millisecond)
	list := b.got(wire.HereIAm)
	if len(list) != 2 || list[0].CacheView.Routers[0].ReceiveID != b.id {
		t.Fatalf("%d more HERE_I_AM", len(list))
	}
	q.Query.Target = netip.MustParseAddr("10.66.0.99")
	b.deliver(q, "")
	if n := len(b.got(wire.HereIAm)); n != 0 {
		t.Errorf("%d HERE_I_AM to a query for another cache", n)
	}
}

// TestCapabilities: a mismatch is logged with both sides, nothing is closed, and
// the router is used again once it offers what is configured.
func TestCapabilities(t *testing.T) {
	b := newBench(t, benchConfig())
	b.pass(1500 * time.Millisecond)
	bad := b.answer()
	bad.Capabilities = []wire.Capability{wire.Bits(wire.ForwardingMethod, wire.MethodL2), wire.Bits(wire.AssignmentMethod, 3), wire.Bits(wire.ReturnMethod, 3)}
	b.deliver(bad, "")
	if b.state() != StateRefused || b.logged("it offers forwarding L2 where wccp2_forwarding_method asks for GRE") != 1 {
		t.Error(b.state(), b.lines)
	}
	b.sent = nil
	b.pass(Interval)
	if n := len(b.got(wire.HereIAm)); n != 1 {
		t.Errorf("%d HERE_I_AM to a refused router", n)
	}
	b.members(alone())
	b.deliver(b.answer(), "")
	if b.state() != StateJoined || b.logged("can be used") != 1 {
		t.Error(b.state(), b.lines)
	}
	b.wait()
	if n := len(b.got(wire.RedirectAssign)); n != 1 {
		t.Errorf("%d assignments", n)
	}
}

// TestPassword: without the right digest nothing changes, and the log says so once a minute.
func TestPassword(t *testing.T) {
	cfg := benchConfig()
	cfg.Services[0].Secure, cfg.Services[0].Password = true, "right"
	b := newBench(t, cfg)
	b.pass(1500 * time.Millisecond)
	signed := func() *wire.Message {
		m := b.answer()
		m.Security.Option = wire.MD5Security
		return m
	}
	for range 10 {
		b.deliver(signed(), "wrong")
		b.deliver(b.answer(), "")
	}
	if b.state() != StateWaiting || b.logged("failed authentication") != 1 || b.logged("Invalid security option") != 0 {
		t.Error(b.state(), b.lines)
	}
	if d := b.e.Status(b.now).Services[0].Routers[0].Packets.Dropped; d != 20 {
		t.Errorf("%d dropped", d)
	}
	b.pass(complainEvery)
	b.deliver(signed(), "wrong")
	if b.logged("(and 9 more like this) (and packets 10 with the wrong security option)") != 1 {
		t.Error(b.lines)
	}
	if b.logged("answers with another password, or none, for service dynamic/80") != 1 {
		t.Error(b.lines)
	}
	b.pass(complainEvery)
	b.deliver(b.answer(), "")
	if b.logged("Invalid security option in WCCPv2 Packet (0 vs 1)") != 1 {
		t.Error(b.lines)
	}
	b.deliver(signed(), "right")
	if b.state() != StateAnswered {
		t.Error(b.state())
	}
}

// TestStrangers: packets from anywhere cost a bounded number of log lines and no memory.
func TestStrangers(t *testing.T) {
	b := newBench(t, benchConfig())
	raw, _ := b.answer().Append(nil, "")
	for i := range 5000 {
		b.e.Packet(b.now, netip.AddrPortFrom(netip.AddrFrom4([4]byte{172, 16, byte(i >> 8), byte(i)}), 2048), raw)
	}
	b.take()
	if len(b.lines) > complainLimit+1 || len(b.e.complaints.last) > complainLimit+1 {
		t.Errorf("%d lines, %d remembered", len(b.lines), len(b.e.complaints.last))
	}
	if s := b.e.Status(b.now); s.Ignored.UnknownSource != 5000 {
		t.Errorf("%+v", s.Ignored)
	}
	b.pass(3 * time.Minute)
	if n := len(b.e.complaints.last); n != 0 {
		t.Errorf("%d remembered after three minutes", n)
	}
}

// TestSameNumber: a standard and a dynamic service of one number are two.
func TestSameNumber(t *testing.T) {
	cfg := benchConfig()
	standard := Service{}
	standard.ID = 80
	cfg.Services = append(cfg.Services, standard)
	b := newBench(t, cfg)
	b.pass(1500 * time.Millisecond)
	b.deliver(b.answer(), "")
	s := b.e.Status(b.now)
	if s.Services[0].Routers[0].State != StateAnswered || s.Services[1].Routers[0].State != StateWaiting {
		t.Errorf("%+v", s)
	}
}
