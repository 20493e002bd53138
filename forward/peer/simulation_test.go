package peer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/peer/icp"
	"pgregory.net/rapid"
)

// scripted is how one neighbour answers one question.
type scripted struct {
	silent bool
	delay  time.Duration
	answer answer
}

// virtual is a Talk in a time of its own: it answers by a script.
type virtual struct {
	now    time.Time
	script func(p *Peer) scripted
	coming []event // what is still on its way
}

// event is what will happen.
type event struct {
	at      time.Time
	happens func()
}

func (v *virtual) later(at time.Time, happens func()) {
	v.coming = append(v.coming, event{at, happens})
}

func (v *virtual) reaches(*Peer) bool { return true }

// ask implements Talk: answers come in the order of their delays until the round is
// over or its time; the others come later.
func (v *virtual) ask(_ context.Context, s *Set, q *Question, r *round) (late bool) {
	w := &waiting{round: r, set: s, host: q.host()}
	type coming struct {
		i int
		scripted
	}
	var list []coming
	for i := range r.asked {
		if a := v.script(r.asked[i].peer); !a.silent {
			list = append(list, coming{i, a})
		}
	}
	slices.SortStableFunc(list, func(a, b coming) int { return int(a.delay - b.delay) })
	began, end := v.now, v.now.Add(r.wait)
	v.now = end
	late = r.expected > 0
	for _, c := range list {
		at := began.Add(c.delay)
		if r.expected == 0 || w.over || at.After(end) {
			w.over = true
			v.later(at, func() { w.take(c.i, c.answer, at) })
			continue
		}
		if w.take(c.i, c.answer, at) {
			v.now, late = at, false
		}
	}
	if r.expected == 0 {
		v.now = began
	}
	w.over = true
	return late
}

// advance lets time pass; what is on its way arrives.
func (v *virtual) advance(d time.Duration) {
	v.now = v.now.Add(d)
	slices.SortStableFunc(v.coming, func(a, b event) int { return a.at.Compare(b.at) })
	for len(v.coming) > 0 && !v.coming[0].at.After(v.now) {
		v.coming[0].happens()
		v.coming = v.coming[1:]
	}
}

// modelled is a neighbour as the model remembers it.
type modelled struct {
	name        string
	parent      bool
	weight      int
	closestOnly bool
	asked       time.Time // zero: never
	unanswered  time.Time // since when; zero: nothing is
	rtt         time.Duration
	answers     int
	arrivals    []arrival
}

// arrival is an answer that was too late for its round.
type arrival struct {
	at, asked time.Time
	request   int // the request it was for
}

// learn takes the time of an answer into the average.
func (p *modelled) learn(took time.Duration) {
	if n := time.Duration(min(p.answers, 50)); took > 0 && took <= 10*time.Second {
		p.rtt = (p.rtt*(n-1) + took) / n
	}
}

// model is 2.6's rules once more, as plainly as they can be written: everything is
// worked out from the beginning for each request.
type model struct {
	peers      []*modelled
	dead       time.Duration
	timeout    time.Duration // icp_query_timeout
	least      time.Duration
	most       time.Duration
	useRTT     bool
	rounds     int
	neverAlone bool        // never_direct
	replied    []time.Time // when each request so far has its reply
}

func (m *model) up(p *modelled, now time.Time) bool {
	return p.unanswered.IsZero() || now.Sub(p.unanswered) <= m.dead
}

// choose gives the hops and how long the round takes.
func (m *model) choose(now time.Time, script map[string]scripted) (hops string, took time.Duration) {
	for _, p := range m.peers { // answers that came meanwhile
		var left []arrival
		slices.SortStableFunc(p.arrivals, func(a, b arrival) int { return a.at.Compare(b.at) })
		for _, a := range p.arrivals {
			if a.at.After(now) {
				left = append(left, a)
				continue
			}
			p.unanswered = time.Time{}
			p.answers++
			if a.at.Before(m.replied[a.request]) {
				p.learn(a.at.Sub(a.asked))
			}
		}
		p.arrivals = left
	}
	usable := map[string]bool{}
	var order []*modelled
	for i := range m.peers {
		p := m.peers[(i+m.rounds)%len(m.peers)]
		if now.Sub(p.asked) > m.dead || m.up(p, now) {
			order = append(order, p)
		}
	}
	prefix, chosen := "", ""
	if len(order) > 0 {
		m.rounds++
		expected := 0
		var sum [2]time.Duration
		var count [2]int
		for _, p := range order {
			if m.up(p, now) {
				expected++
				kind := 1
				if p.parent {
					kind = 0
				}
				sum[kind] += p.rtt
				count[kind]++
			}
			p.asked = now
			if p.unanswered.IsZero() {
				p.unanswered = now
			}
		}
		wait := m.timeout
		if wait == 0 && expected > 0 {
			kind := 0
			if count[0] == 0 {
				kind = 1
			}
			wait = 2 * sum[kind] / time.Duration(count[kind])
			if wait > m.most {
				wait = m.most
			}
			if wait < m.least {
				wait = m.least
			}
		}
		sorted := slices.Clone(order)
		slices.SortStableFunc(sorted, func(a, b *modelled) int {
			return int(script[a.name].delay - script[b.name].delay)
		})
		heard, over := 0, false
		var hit, first, closest *modelled
		var firstTime time.Duration
		took = wait
		for _, p := range sorted {
			s := script[p.name]
			if s.silent {
				continue
			}
			if expected == 0 || over || s.delay > wait {
				p.arrivals = append(p.arrivals, arrival{now.Add(s.delay), now, len(m.replied)})
				continue
			}
			p.unanswered = time.Time{}
			p.answers++
			p.learn(s.delay)
			if s.answer.what == icp.Denied {
				continue
			}
			heard++
			if s.answer.what == icp.Hit {
				hit, over = p, true
			} else if p.parent && s.answer.what == icp.Miss {
				if m.useRTT && s.answer.rtt > 0 && (closest == nil || s.answer.rtt < script[closest.name].answer.rtt) {
					closest = p
				}
				if !p.closestOnly && closest == nil {
					if t := s.delay / time.Duration(p.weight); first == nil || t < firstTime {
						first, firstTime = p, t
					}
				}
			}
			over = over || heard >= expected
			if over {
				took = s.delay
			}
		}
		if expected == 0 {
			took = 0
		}
		if expected > 0 && !over {
			prefix = "TIMEOUT_"
		}
		switch {
		case hit != nil && hit.parent:
			chosen = "PARENT_HIT/" + hit.name
		case hit != nil:
			chosen = "SIBLING_HIT/" + hit.name
		case closest != nil:
			chosen = "CLOSEST_PARENT_MISS/" + closest.name
		case first != nil:
			chosen = "FIRST_PARENT_MISS/" + first.name
		}
	}
	var words []string
	if chosen != "" {
		words = append(words, prefix+chosen)
	}
	for _, p := range m.peers {
		// The choice behind the round goes by the time the request came.
		usable[p.name] = p.parent && m.up(p, now)
	}
	for _, p := range m.peers {
		if usable[p.name] {
			words = append(words, prefix+"FIRST_UP_PARENT/"+p.name)
			break
		}
	}
	if m.neverAlone {
		for _, p := range m.peers {
			if usable[p.name] {
				words = append(words, prefix+"ANY_PARENT/"+p.name)
			}
		}
	} else {
		words = append(words, prefix+"DIRECT")
	}
	return strings.Join(words, " "), took
}

// Up to 50 neighbours with delays, silences and deaths: every choice, and the time it
// takes, is what the model says.
func TestChoicesEqualTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{
			dead:       time.Duration(rapid.IntRange(1, 20).Draw(t, "dead")) * time.Second,
			least:      5 * time.Millisecond,
			most:       2 * time.Second,
			useRTT:     rapid.Bool().Draw(t, "query_icmp"),
			neverAlone: rapid.Bool().Draw(t, "never_direct"),
		}
		if rapid.Bool().Draw(t, "fixed") {
			m.timeout = time.Duration(rapid.IntRange(1, 3000).Draw(t, "timeout")) * time.Millisecond
		}
		lines := fmt.Sprintf("dead_peer_timeout %d seconds\nquery_icmp %s\nicp_query_timeout %d\n",
			m.dead/time.Second, map[bool]string{true: "on", false: "off"}[m.useRTT], m.timeout.Milliseconds())
		if m.neverAlone {
			lines += "never_direct allow all\n"
		}
		for i := range rapid.IntRange(1, 50).Draw(t, "peers") {
			p := &modelled{name: fmt.Sprintf("p%d", i), parent: rapid.Bool().Draw(t, "parent"), weight: 1}
			kind, options := "sibling", ""
			if p.parent {
				kind = "parent"
				p.weight = rapid.IntRange(1, 4).Draw(t, "weight")
				options = fmt.Sprintf(" weight=%d", p.weight)
				if p.closestOnly = rapid.IntRange(0, 4).Draw(t, "closest-only") == 0; p.closestOnly {
					options += " closest-only"
				}
			}
			lines += fmt.Sprintf("cache_peer %s %s 1 3130 no-digest no-netdb-exchange%s\n", p.name, kind, options)
			m.peers = append(m.peers, p)
		}
		r := loadText(t, lines)
		v := &virtual{now: time.Unix(1e9, 0)}
		r.env.Talk, r.env.Now = v, func() time.Time { return v.now }
		for range rapid.IntRange(1, 12).Draw(t, "requests") {
			v.advance(time.Duration(rapid.IntRange(0, 25000).Draw(t, "later")) * time.Millisecond)
			script := map[string]scripted{}
			for _, p := range m.peers {
				s := scripted{
					silent: rapid.IntRange(0, 3).Draw(t, "silent") == 0,
					delay:  time.Duration(rapid.IntRange(1, 4000).Draw(t, "delay")) * time.Millisecond,
					answer: answer{what: rapid.SampledFrom([]icp.Opcode{icp.Hit, icp.Miss, icp.Miss, icp.Miss, icp.MissNoFetch, icp.Denied}).Draw(t, "what")},
				}
				if s.answer.what == icp.Miss && rapid.Bool().Draw(t, "measured") {
					s.answer.rtt = rapid.IntRange(1, 500).Draw(t, "rtt")
				}
				script[p.name] = s
			}
			v.script = func(p *Peer) scripted { return script[p.Name] }
			began := v.now
			want, took := m.choose(began, script)
			hops, choice := r.Select(t.Context(), question(t, "GET", "http://o.test/", ""), nil)
			// Never at the same time as an answer.
			replied := v.now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "reply"))*time.Millisecond + 137*time.Microsecond)
			m.replied = append(m.replied, replied)
			v.later(replied, choice.Replied)
			if got := words(hops); got != want {
				t.Fatalf("%s\nat %v\ngot  %s\nwant %s", lines, began.Sub(time.Unix(1e9, 0)), got, want)
			}
			if got := v.now.Sub(began); got != took {
				t.Fatalf("%s\nit took %v, want %v", lines, got, took)
			}
		}
	})
}
