package wccp2

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// lab plays the routers of a scenario, with all the ways to misbehave that the
// recordings use. It is written to the description of the recordings, not to be
// a good router (package routersim is that).
type lab struct {
	t       testing.TB
	routers []*labRouter
	fakes   []fake
	order   string // of caches in the view: joined, sorted or reverse
	mask    string // how mask caches look in the view: short, echo or full
	mapped  bool   // send the assignment map
	caps    [3]uint32
	secrets map[wire.ServiceID]string
	any     bool

	fault labFault
	now   float64 // seconds since the start of the cache
	log   []labEvent
	send  func(from, to netip.Addr, datagram []byte)
}

// labFault is what the recordings' fault commands set.
type labFault struct {
	DropAssign    bool              `json:"drop_assign"`
	CapsNone      bool              `json:"caps_none"`
	Caps          map[string]uint32 `json:"caps"`
	ChangeEvery   bool              `json:"change_every"`
	ZeroChange    bool              `json:"zero_change"`
	DupRouter     bool              `json:"dup_router"`
	ViewCounts    []*uint32         `json:"view_counts"`
	BadReceiveID  bool              `json:"bad_rcvid"`
	StuckID       bool              `json:"rcvid_stuck"`
	WrongPassword bool              `json:"wrong_password"`
	Silent        bool              `json:"silent"`
	Truncate      int               `json:"truncate"`
	FixLength     bool              `json:"trunc_fixlen"`
	Extra         []int             `json:"extra"`
	Missing       []int             `json:"missing"`
	Duplicate     []int             `json:"duplicate"`
	FromRouter    *int              `json:"from_router"`
	ComponentLen  []int             `json:"component_len"`
	Flood         int               `json:"flood"`
	Garbage       int               `json:"garbage"`
	ServiceID     *uint8            `json:"service_id"`
	Version       uint16            `json:"version"`
}

type labEvent struct {
	t              float64
	ev, group, why string
}

type labRouter struct {
	addr, id netip.Addr
	groups   map[wire.ServiceID]*labGroup
	order    []*labGroup
	v1       labV1
}

type labV1 struct {
	change, id uint32
	usable     bool
	sent       uint32
	seen       bool
	buckets    []netip.Addr
}

type labGroup struct {
	svc         wire.Service
	caches      []*labCache
	change, rcv uint32
	key         wire.AssignmentKey
	buckets     []netip.Addr
	sets        []wire.MaskValueSet
	routers     []netip.Addr
}

type labCache struct {
	addr         netip.Addr
	ident        wire.CacheIdentity
	usable, fake bool
	sent         uint32
	last         float64
	queried      bool
	assign       uint32
}

type fake struct {
	addr              netip.Addr
	weight            uint16
	from, until       float64
	services, routers []int
}

func newLab(t testing.TB, s *scenario) *lab {
	l := &lab{t: t, mask: "short", caps: [3]uint32{3, 3, 3}, secrets: map[wire.ServiceID]string{}}
	for _, spec := range s.Routers {
		a, id, named := strings.Cut(spec, "=")
		r := &labRouter{addr: place(t, a), groups: map[wire.ServiceID]*labGroup{}}
		if r.id = r.addr; named {
			r.id = place(t, id)
		}
		l.routers = append(l.routers, r)
	}
	for i := 0; i < len(s.RouterArgs); i++ {
		arg := func() string { i++; return s.RouterArgs[i] }
		switch s.RouterArgs[i] {
		case "--any-service":
			l.any = true
		case "--fake-cache":
			l.fakes = append(l.fakes, parseFake(t, arg()))
		case "--mask-view":
			l.mask = arg()
		case "--view-order":
			l.order = arg()
		case "--assignment-map":
			l.mapped = true
		case "--service":
			f := strings.SplitN(arg(), ":", 3)
			n, _ := strconv.Atoi(f[1])
			id := wire.ServiceID{ID: uint8(n)}
			if f[0] == "dynamic" {
				id.Type = wire.Dynamic
			}
			l.secrets[id] = strings.TrimPrefix(f[2], "password=")
		default:
			t.Fatalf("%s: router argument %s", s.Name, s.RouterArgs[i])
		}
	}
	return l
}

func parseFake(t testing.TB, s string) fake {
	w := strings.Split(s, ":")
	f := fake{addr: netip.MustParseAddr(w[0])}
	for _, kv := range w[1:] {
		k, v, _ := strings.Cut(kv, "=")
		n, _ := strconv.ParseFloat(v, 64)
		list := func() (out []int) {
			for _, x := range strings.Split(v, ",") {
				i, _ := strconv.Atoi(x)
				out = append(out, i)
			}
			return out
		}
		switch k {
		case "weight":
			f.weight = uint16(n)
		case "from":
			f.from = n
		case "until":
			f.until = n
		case "services":
			f.services = list()
		case "routers":
			f.routers = list()
		default:
			t.Fatal(kv)
		}
	}
	return f
}

func (l *lab) note(ev, group, why string) {
	l.log = append(l.log, labEvent{l.now, ev, group, why})
}

// command obeys one event of the scenario.
func (l *lab) command(e event) {
	switch e.Command.Cmd {
	case "fault":
		l.fault = labFault{}
		d := json.NewDecoder(bytes.NewReader(e.Command.Set))
		d.DisallowUnknownFields()
		if err := d.Decode(&l.fault); err != nil {
			l.t.Fatal(err)
		}
	case "restart":
		for _, r := range l.routers {
			r.groups, r.order, r.v1 = map[wire.ServiceID]*labGroup{}, nil, labV1{}
		}
	case "query":
		for _, r := range l.routers {
			for _, g := range r.order {
				for _, c := range g.caches {
					if !c.fake {
						l.query(r, g, c)
					}
				}
			}
		}
	case "fuzz":
		l.fuzz(e.Command.Count, e.Command.Seed)
	default:
		l.t.Fatal(e.Command.Cmd)
	}
}

// receive takes a packet of the cache.
func (l *lab) receive(at, from netip.Addr, datagram []byte) {
	i := slices.IndexFunc(l.routers, func(r *labRouter) bool { return r.addr == at })
	if i < 0 {
		return
	}
	r := l.routers[i]
	if wire.IsV1(datagram) {
		l.receiveV1(r, from, datagram)
		return
	}
	m, err := wire.Parse(datagram)
	if err != nil {
		l.t.Errorf("at %.1f s the cache sends a bad packet: %v", l.now, err)
		return
	}
	secret, secured := l.secrets[m.Service.ServiceID]
	if secured != (m.Security.Option == wire.MD5Security) || secured && !wire.Authentic(datagram, m, secret) || !secured && !l.any {
		l.note("rejected", m.Service.ServiceID.String(), "authentication")
		return
	}
	switch m.Type {
	case wire.HereIAm:
		l.hereIAm(r, m, from)
	case wire.RedirectAssign:
		l.redirectAssign(r, m, from)
	}
}

func (l *lab) hereIAm(r *labRouter, m *wire.Message, from netip.Addr) {
	if l.fault.Silent {
		return
	}
	g := r.groups[m.Service.ServiceID]
	if g == nil {
		g = &labGroup{svc: *m.Service}
		r.groups[m.Service.ServiceID], r.order = g, append(r.order, g)
	}
	c := g.cache(m.CacheIdentity.Addr)
	fresh := c == nil
	if fresh {
		c = &labCache{addr: m.CacheIdentity.Addr}
		g.caches = append(g.caches, c)
	}
	c.ident, c.last, c.queried = *m.CacheIdentity, l.now, false
	c.assign, _ = wire.Methods(m.Capabilities, wire.AssignmentMethod)
	g.routers = nil
	var got uint32
	listed := false
	for _, id := range m.CacheView.Routers {
		g.routers = append(g.routers, id.ID)
		if id.ID == r.id || id.ID == r.addr {
			got, listed = id.ReceiveID, true
		}
	}
	want := c.sent
	if l.fault.BadReceiveID {
		want ^= 0x5A5A
	}
	good := listed && !fresh && got == want
	for i, k := range []wire.CapabilityType{wire.ForwardingMethod, wire.AssignmentMethod, wire.ReturnMethod} {
		if v, _ := wire.Methods(m.Capabilities, k); v&l.capabilities()[i] == 0 {
			l.note("unsupported", g.svc.ServiceID.String(), "")
			good, listed = false, false
		}
	}
	l.refreshFakes(r, g)
	switch {
	case good && !c.usable:
		c.usable = true
		l.memberChange(g, "joined")
	case !good && c.usable && listed:
		l.note("bad_receive_id", g.svc.ServiceID.String(), "")
	}
	if l.fault.ChangeEvery {
		g.change++
	}
	l.seeYou(r, g, c, from)
}

func (l *lab) capabilities() [3]uint32 {
	caps := l.caps
	for i, k := range []string{"forwarding", "assignment", "return"} {
		if v, ok := l.fault.Caps[k]; ok {
			caps[i] = v
		}
	}
	return caps
}

func (g *labGroup) cache(a netip.Addr) *labCache {
	if i := slices.IndexFunc(g.caches, func(c *labCache) bool { return c.addr == a }); i >= 0 {
		return g.caches[i]
	}
	return nil
}

func (l *lab) refreshFakes(r *labRouter, g *labGroup) {
	for _, f := range l.fakes {
		if f.services != nil && !slices.Contains(f.services, int(g.svc.ID)) ||
			f.routers != nil && !slices.Contains(f.routers, slices.Index(l.routers, r)) {
			continue
		}
		live := l.now >= f.from && (f.until == 0 || l.now < f.until)
		have := g.cache(f.addr)
		switch {
		case live && have == nil:
			g.caches = append(g.caches, &labCache{addr: f.addr, fake: true, usable: true, ident: wire.CacheIdentity{Addr: f.addr, Weight: f.weight}})
			l.memberChange(g, "simulated cache joined")
		case !live && have != nil:
			g.caches = slices.DeleteFunc(g.caches, func(c *labCache) bool { return c == have })
			l.memberChange(g, "simulated cache left")
		}
	}
}

func (l *lab) memberChange(g *labGroup, why string) {
	if !l.fault.ZeroChange {
		g.change++
	}
	l.note("member_change", g.svc.ServiceID.String(), why)
	for i, b := range g.buckets {
		if c := g.cache(b); c == nil || !c.usable {
			g.buckets[i] = netip.Addr{}
		}
	}
	if !slices.ContainsFunc(g.caches, func(c *labCache) bool { return c.usable }) {
		g.buckets, g.sets, g.key = nil, nil, wire.AssignmentKey{}
	}
}

func (l *lab) query(r *labRouter, g *labGroup, c *labCache) {
	m := wire.Message{Type: wire.RemovalQuery, Service: &g.svc, Query: &wire.RouterQuery{RouterID: wire.RouterID{ID: r.id, ReceiveID: g.rcv}, SentTo: r.addr, Target: c.addr}}
	l.transmit(r, c.addr, l.sign(&m))
}

func (l *lab) sign(m *wire.Message) []byte {
	secret, secured := l.secrets[m.Service.ServiceID]
	if secured {
		m.Security.Option = wire.MD5Security
	}
	if l.fault.WrongPassword {
		secret = "notright"
	}
	b, err := m.Append(nil, secret)
	if err != nil {
		l.t.Fatal(err)
	}
	return b
}

func (l *lab) transmit(r *labRouter, to netip.Addr, datagram []byte) {
	from := r.addr
	if l.fault.FromRouter != nil {
		from = l.routers[*l.fault.FromRouter].addr
	}
	l.send(from, to, datagram)
}

// tick asks quiet caches and drops them.
func (l *lab) tick() {
	for _, r := range l.routers {
		for _, g := range r.order {
			l.refreshFakes(r, g)
			for _, c := range slices.Clone(g.caches) {
				switch quiet := l.now - c.last; {
				case c.fake:
				case quiet >= 30:
					g.caches = slices.DeleteFunc(g.caches, func(x *labCache) bool { return x == c })
					l.memberChange(g, "timed out")
				case quiet >= 25 && !c.queried && !l.fault.Silent:
					c.queried = true
					l.query(r, g, c)
				}
			}
		}
	}
}

// seeYou answers a HERE_I_AM.
func (l *lab) seeYou(r *labRouter, g *labGroup, c *labCache, to netip.Addr) {
	g.rcv++
	if l.fault.StuckID {
		g.rcv = 7
	}
	c.sent = g.rcv
	svc := g.svc
	m := &wire.Message{Type: wire.ISeeYou, Service: &svc, Version: l.fault.Version}
	id := r.id
	if l.fault.DupRouter {
		id = l.routers[0].id
	}
	m.RouterIdentity = &wire.RouterIdentity{RouterID: wire.RouterID{ID: id, ReceiveID: g.rcv}, SentTo: r.addr, ReceivedFrom: []netip.Addr{c.addr}}
	m.RouterView = &wire.RouterView{MemberChange: g.change, Key: g.key, Routers: g.routers}
	for _, x := range l.ordered(g) {
		m.RouterView.Caches = append(m.RouterView.Caches, l.element(g, x))
	}
	if l.mapped && g.sets != nil {
		m.AssignmentMap = &wire.AssignmentMap{Method: wire.AssignMask, Sets: g.sets}
	}
	if !l.fault.CapsNone {
		for i, v := range l.capabilities() {
			m.Capabilities = append(m.Capabilities, wire.Bits(wire.CapabilityType(i+1), v))
		}
	}
	for _, t := range l.fault.Extra {
		size := 8
		if t == int(wire.AssignmentMapInfo) {
			size = 4
		}
		m.Skipped = append(m.Skipped, wire.Component{Type: wire.ComponentType(t), Body: make([]byte, size)})
	}
	if l.fault.ServiceID != nil {
		svc.ID = *l.fault.ServiceID
	}
	b := l.spoil(l.sign(m), len(g.routers))
	for range max(1, l.fault.Flood) {
		l.transmit(r, to, b)
	}
	for range l.fault.Garbage {
		l.transmit(r, to, []byte("this is no packet"))
	}
}

func (l *lab) ordered(g *labGroup) []*labCache {
	list := slices.DeleteFunc(slices.Clone(g.caches), func(c *labCache) bool { return !c.usable })
	switch l.order {
	case "sorted":
		slices.SortFunc(list, func(a, b *labCache) int { return a.addr.Compare(b.addr) })
	case "reverse":
		slices.SortFunc(list, func(a, b *labCache) int { return b.addr.Compare(a.addr) })
	}
	return list
}

// element is a cache as the view shows it.
func (l *lab) element(g *labGroup, c *labCache) wire.CacheIdentity {
	e := wire.CacheIdentity{Addr: c.addr, Weight: c.ident.Weight, Status: c.ident.Status}
	masked := slices.ContainsFunc(g.caches, func(x *labCache) bool { return x.assign == wire.MethodMask })
	if !masked {
		e.Historical = true
		for i, b := range g.buckets {
			if b == c.addr {
				e.Buckets.Set(uint8(i))
				e.Historical = false
			}
		}
		return e
	}
	e.Kind = wire.MaskData
	switch {
	case l.mask == "full" && g.sets != nil:
		for _, s := range g.sets {
			own := wire.MaskValueSet{Mask: s.Mask}
			for _, v := range s.Values {
				if v.Cache == c.addr {
					own.Values = append(own.Values, v)
				}
			}
			e.Sets = append(e.Sets, own)
		}
	case l.mask == "echo":
		e.Historical = true
		for _, x := range g.caches {
			for _, s := range x.ident.Sets {
				e.Sets = []wire.MaskValueSet{{Mask: s.Mask}}
			}
		}
	}
	return e
}

// spoil damages a finished packet as the faults say.
func (l *lab) spoil(b []byte, routers int) []byte {
	f := l.fault
	for _, t := range f.Missing {
		b = eachComponent(b, func(ct int, part []byte) []byte {
			if ct == t {
				return nil
			}
			return part
		})
	}
	for _, t := range f.Duplicate {
		b = eachComponent(b, func(ct int, part []byte) []byte {
			if ct == t {
				return append(slices.Clone(part), part...)
			}
			return part
		})
	}
	if len(f.ViewCounts) == 2 {
		b = eachComponent(b, func(ct int, part []byte) []byte {
			if ct == int(wire.RouterViewInfo) {
				if f.ViewCounts[0] != nil {
					binary.BigEndian.PutUint32(part[16:], *f.ViewCounts[0])
				}
				if f.ViewCounts[1] != nil {
					binary.BigEndian.PutUint32(part[20+4*routers:], *f.ViewCounts[1])
				}
			}
			return part
		})
	}
	if f.Truncate > 0 {
		b = b[:min(len(b), f.Truncate)]
		if f.FixLength {
			binary.BigEndian.PutUint16(b[6:], uint16(len(b)-8))
		}
	}
	if len(f.ComponentLen) == 2 {
		b = eachComponent(b, func(ct int, part []byte) []byte {
			if ct == f.ComponentLen[0] {
				binary.BigEndian.PutUint16(part[2:], uint16(f.ComponentLen[1]))
			}
			return part
		})
	}
	return b
}

func eachComponent(b []byte, f func(t int, part []byte) []byte) []byte {
	out := slices.Clone(b[:8])
	for at := 8; at < len(b); {
		n := 4 + int(binary.BigEndian.Uint16(b[at+2:]))
		out = append(out, f(int(binary.BigEndian.Uint16(b[at:])), slices.Clone(b[at:at+n]))...)
		at += n
	}
	binary.BigEndian.PutUint16(out[6:], uint16(len(out)-8))
	return out
}

// fuzz sends malformed answers to every cache.
func (l *lab) fuzz(count int, seed uint64) {
	dice := rand.New(rand.NewPCG(seed, 0))
	for _, r := range l.routers {
		for _, g := range r.order {
			for _, c := range g.caches {
				if c.fake {
					continue
				}
				var base []byte
				send := l.send
				l.send = func(_, _ netip.Addr, b []byte) { base = b }
				l.seeYou(r, g, c, c.addr)
				l.send = send
				for range count {
					b := slices.Clone(base)
					for range dice.IntN(8) {
						b[dice.IntN(len(b))] = byte(dice.Uint32())
					}
					if dice.IntN(2) == 0 {
						b = b[:dice.IntN(len(b))]
					}
					l.transmit(r, c.addr, b)
				}
			}
		}
	}
}

// redirectAssign takes or refuses an assignment.
func (l *lab) redirectAssign(r *labRouter, m *wire.Message, from netip.Addr) {
	name := m.Service.ServiceID.String()
	g := r.groups[m.Service.ServiceID]
	if g == nil || l.fault.DropAssign {
		l.note("assign_dropped", name, "")
		return
	}
	a := m.Assignment
	if a == nil {
		a = m.AltAssignment
	}
	at := slices.IndexFunc(a.Routers, func(x wire.RouterAssignment) bool { return x.ID == r.id || x.ID == r.addr })
	c := g.cache(from)
	switch {
	case at < 0:
		l.note("rejected", name, "does not name this router")
	case c == nil || !c.usable:
		l.note("rejected", name, "sender is not usable")
	case a.Routers[at].ReceiveID != c.sent:
		l.note("rejected", name, "receive id")
	case a.Routers[at].MemberChange != g.change:
		l.note("rejected", name, "change number")
	default:
		g.key, g.sets, g.buckets = a.Key, a.Sets, nil
		if a.Method == wire.AssignHash {
			for _, b := range a.Buckets {
				i, ok := b.Index()
				if !ok {
					g.buckets = append(g.buckets, netip.Addr{})
					continue
				}
				g.buckets = append(g.buckets, a.Caches[i])
			}
		}
		l.note("assigned", name, "")
	}
}

func (l *lab) receiveV1(r *labRouter, from netip.Addr, datagram []byte) {
	m, err := wire.ParseV1(datagram)
	if err != nil {
		l.t.Error(err)
		return
	}
	v := &r.v1
	if m.Type == wire.V1AssignBuckets {
		if m.ReceiveID != v.sent {
			l.note("rejected", "v1", "receive id")
			return
		}
		v.buckets = nil
		for _, b := range m.Table {
			v.buckets = append(v.buckets, m.Caches[b].Addr)
		}
		v.change++
		l.note("v1_assigned", "v1", "")
		return
	}
	if !v.usable && v.seen && m.ReceiveID == v.sent {
		v.usable = true
		v.change++
	}
	v.seen = true
	v.id++
	v.sent = v.id
	out := wire.V1Message{Type: wire.V1ISeeYou, Change: v.change, ReceiveID: v.id}
	if v.usable {
		c := wire.V1Cache{Addr: from, Unassigned: true}
		for i, b := range v.buckets {
			if b == from {
				c.Buckets.Set(uint8(i))
				c.Unassigned = false
			}
		}
		out.Caches = append(out.Caches, c)
		for _, f := range l.fakes {
			out.Caches = append(out.Caches, wire.V1Cache{Addr: f.addr, Unassigned: true})
		}
	}
	b, err := out.Append(nil)
	if err != nil {
		l.t.Fatal(err)
	}
	l.transmit(r, from, b)
}
