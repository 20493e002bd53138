package wccp2

import (
	"bytes"
	"encoding/json"
	"net/netip"
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
