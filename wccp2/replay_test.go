package wccp2

import (
	"encoding/hex"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/wccp2/wire"
)

// sentPacket is one packet of the cache.
type sentPacket struct {
	t   float64
	to  netip.Addr
	m   *wire.Message
	v1  *wire.V1Message
	key string // router, service, message
}

// replay plays a scenario against an engine, a tenth of a second at a time,
// without the real clock or a socket.
func replay(t *testing.T, s *scenario) ([]sentPacket, *lab) {
	start := time.Unix(1e9, 0)
	e, err := New(s.config(t), start)
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(t, s)
	var inbound []struct {
		from     netip.Addr
		datagram []byte
	}
	l.send = func(from, _ netip.Addr, b []byte) {
		inbound = append(inbound, struct {
			from     netip.Addr
			datagram []byte
		}{from, b})
	}
	var sent []sentPacket
	flush := func() {
		for {
			for _, a := range e.Take() {
				if a.Datagram == nil {
					continue
				}
				sent = append(sent, newSent(t, l.now, a))
				l.receive(a.To.Addr(), selfAddr, a.Datagram)
			}
			if len(inbound) == 0 {
				return
			}
			in := inbound[0]
			inbound = inbound[1:]
			e.Packet(start.Add(seconds(l.now)), netip.AddrPortFrom(in.from, wire.Port), in.datagram)
		}
	}
	events := slices.Clone(s.Events)
	for step := 0; float64(step)/10 <= s.Seconds; step++ {
		l.now = float64(step) / 10
		now := start.Add(seconds(l.now))
		for len(events) > 0 && events[0].At <= l.now {
			if events[0].Command.Cmd == "signal" {
				switch events[0].Command.Name {
				case "SIGHUP":
					if err := e.Reconfigure(s.config(t), now); err != nil {
						t.Fatal(err)
					}
				case "SIGTERM":
					e.Leave(now)
				}
			} else {
				l.command(events[0])
			}
			events = events[1:]
		}
		l.tick()
		if next := e.Next(); due(next, now) {
			e.Tick(now)
		}
		flush()
	}
	return sent, l
}

func seconds(s float64) time.Duration {
	return time.Duration(math.Round(s*1000)) * time.Millisecond
}

func newSent(t *testing.T, at float64, a Action) sentPacket {
	p := sentPacket{t: at, to: a.To.Addr()}
	var err error
	if wire.IsV1(a.Datagram) {
		p.v1, err = wire.ParseV1(a.Datagram)
		p.key = fmt.Sprint(p.to, " v1 ", p.v1.Type)
	} else if p.m, err = wire.Parse(a.Datagram); err == nil {
		p.key = fmt.Sprint(p.to, " ", p.m.Service.ServiceID, " ", p.m.Type)
	}
	if err != nil {
		t.Fatalf("the engine sends a bad packet: %v", err)
	}
	return p
}

// TestReplay plays all recorded scenarios and judges them as the recordings ask:
// by what was recorded, or by rules where that is no example to follow.
func TestReplay(t *testing.T) {
	for _, s := range loadScenarios(t) {
		t.Run(s.Name, func(t *testing.T) {
			sent, l := replay(t, s)
			if s.Judge == "oracle" {
				compare(t, s, sent, l, 1.5)
			}
			for _, r := range s.Rules {
				obey(t, r, sent, l)
			}
		})
	}
}

// compare holds the packets against the recorded ones by meaning. Assignments may
// be off by late seconds.
func compare(t *testing.T, s *scenario, sent []sentPacket, l *lab, late float64) {
	want := map[string][]sentPacket{}
	for _, p := range s.Recorded.Packets {
		if p.Dir != "cache" {
			continue
		}
		raw, err := hex.DecodeString(p.Hex)
		if err != nil {
			t.Fatal(err)
		}
		to := place(t, "@"+p.Router+"@")
		w := newSent(t, p.T, Action{To: netip.AddrPortFrom(to, wire.Port), Datagram: raw})
		want[w.key] = append(want[w.key], w)
	}
	have := map[string][]sentPacket{}
	for _, p := range sent {
		have[p.key] = append(have[p.key], p)
		if want[p.key] == nil {
			t.Errorf("unexpected %s at %.1f s", p.key, p.t)
		}
	}
	for key, w := range want {
		h := have[key]
		assignment := !strings.HasSuffix(key, "HERE_I_AM")
		if len(h) == 0 || assignment && len(h) != len(w) || max(len(h)-len(w), len(w)-len(h)) > 2 {
			t.Errorf("%d %s, recorded %d", len(h), key, len(w))
			continue
		}
		for i := range min(len(h), len(w)) {
			if assignment && math.Abs(h[i].t-w[i].t) > late {
				t.Errorf("%s at %.1f s, recorded %.1f", key, h[i].t, w[i].t)
			}
			if g, r := h[i].meaning(), w[i].meaning(); g != r && (assignment || i == 0) {
				t.Errorf("%s:\n     got %s\nrecorded %s", key, g, r)
			}
		}
	}
	taken := 0
	for _, e := range s.Recorded.Events {
		if e.Ev == "assigned" {
			taken++
		}
	}
	if n := l.count("assigned", ""); n < taken {
		t.Errorf("the router took %d assignments, recorded %d", n, taken)
	}
}

// meaning is what has to agree even where an implementation improves on 2.6:
// not receive ids, change numbers, the view, or the weight in mask identities.
func (p sentPacket) meaning() string {
	if p.v1 != nil {
		return fmt.Sprint(p.v1.Type, p.v1.Version, p.v1.Caches, p.v1.Table, p.v1.HashRevision)
	}
	m := p.m
	out := fmt.Sprint(m.Type, m.Version, m.Security.Option, *m.Service, m.Capabilities)
	if c := m.CacheIdentity; c != nil {
		out += fmt.Sprint(c.Addr, c.Kind, c.Sets)
		if c.Kind == wire.HashData {
			out += fmt.Sprint(c.Weight)
		}
	}
	for _, a := range []*wire.Assignment{m.Assignment, m.AltAssignment} {
		if a == nil {
			continue
		}
		out += fmt.Sprint(a.Method, a.Key.Addr, a.Caches, a.Buckets, a.Sets)
		for _, r := range a.Routers {
			out += fmt.Sprint(" ", r.ID)
		}
	}
	return out
}

func (l *lab) count(ev, group string) (n int) {
	for _, e := range l.log {
		if e.ev == ev && (group == "" || e.group == group) {
			n++
		}
	}
	return n
}

// obey checks one rule of a scenario.
func obey(t *testing.T, rule []any, sent []sentPacket, l *lab) {
	num := func(i int) float64 { return rule[i].(float64) }
	within := func(from, to float64) (n int) {
		for _, p := range sent {
			if p.m != nil && p.m.Type == wire.HereIAm && p.t >= from && p.t <= to {
				n++
			}
		}
		return n
	}
	switch rule[0] {
	case "alive":
	case "assigned":
		if n := float64(l.count("assigned", rule[1].(string))); n < num(2) || n > num(3) {
			t.Errorf("%v assignments of %s, want %v to %v", n, rule[1], rule[2], rule[3])
		}
	case "sent":
		n := 0.0
		for _, p := range sent {
			if strings.HasSuffix(p.key, rule[1].(string)) {
				n++
			}
		}
		if n < num(2) || n > num(3) {
			t.Errorf("%v %s, want %v to %v", n, rule[1], rule[2], rule[3])
		}
	case "hia_after":
		if within(num(1), math.Inf(1)) == 0 {
			t.Errorf("no HERE_I_AM after %v s", rule[1])
		}
	case "hia_within":
		if n := within(num(1), num(2)); float64(n) < num(3) {
			t.Errorf("%d HERE_I_AM between %v and %v s", n, rule[1], rule[2])
		}
	case "rejoined_after":
		if !slices.ContainsFunc(l.log, func(e labEvent) bool { return e.ev == "member_change" && e.why == "joined" && e.t > num(1) }) {
			t.Errorf("did not join again after %v s", rule[1])
		}
	case "same_tables":
		tables := map[string]bool{}
		for _, p := range sent {
			if p.m != nil && p.m.Assignment != nil && p.t > l.now-30 {
				tables[fmt.Sprint(p.m.Assignment.Caches, p.m.Assignment.Buckets)] = true
			}
		}
		if len(tables) > 1 {
			t.Errorf("%d different tables", len(tables))
		}
	case "no_share":
		for _, p := range sent {
			if p.m == nil || p.m.Assignment == nil {
				continue
			}
			for _, b := range p.m.Assignment.Buckets {
				if i, ok := b.Index(); ok && p.m.Assignment.Caches[i] == place(t, rule[1].(string)) {
					t.Fatalf("%s has buckets", rule[1])
				}
			}
		}
	default:
		t.Fatalf("rule %v", rule[0])
	}
}
