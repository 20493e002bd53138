package peer

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/peer/htcp"
	"github.com/cuttle-proxy/cuttle/forward/peer/icp"
)

// echoPort is where a server that is no cache echoes what it gets; it is asked with
// DECHO.
const echoPort = 7

// mostLate is how many rounds that are over are remembered, so that an answer that
// comes late still shows that its sender lives, and how long it took.
const mostLate = 1024

// waiting is a round whose answers are awaited.
type waiting struct {
	mu    sync.Mutex // guards round
	round *round
	set   *Set
	host  string
	over  bool
	ended chan struct{} // closed when the round is over
}

// rounds knows the rounds under way by the numbers of their questions. Numbers are
// random: who does not see the questions cannot guess them.
type rounds struct {
	mu     sync.Mutex
	byICP  map[uint32]*waiting
	byHTCP map[uint32]*waiting
	late   []*waiting // a ring of rounds that are over
	next   int

	icp, htcp *socket // by which questions leave, nil for none
}

func (rs *rounds) init() {
	rs.byICP, rs.byHTCP = map[uint32]*waiting{}, map[uint32]*waiting{}
	rs.late = make([]*waiting, mostLate)
}

// use makes the sockets those by which questions leave.
func (rs *rounds) use(sockets []*socket) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	rs.icp, rs.htcp = nil, nil
	for _, s := range sockets {
		switch {
		case s.out && s.protocol == speaksICP:
			rs.icp = s
		case s.out:
			rs.htcp = s
		}
	}
}

// reaches implements Talk.
func (n *Neighbours) reaches(p *Peer) bool {
	rs := &n.rounds
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if p.HTCP {
		return rs.htcp != nil
	}
	return rs.icp != nil
}

// ask implements Talk.
func (n *Neighbours) ask(ctx context.Context, s *Set, q *Question, r *round) (late bool) {
	w := &waiting{round: r, set: s, host: strings.Clone(q.host()), ended: make(chan struct{})}
	n.send(w, q)
	defer n.end(w)
	if r.expected == 0 {
		return false
	}
	t := time.NewTimer(r.wait)
	defer t.Stop()
	select {
	case <-w.ended:
		return false
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// send puts the round under its numbers and sends its questions.
func (n *Neighbours) send(w *waiting, q *Question) {
	rs := &n.rounds
	rs.mu.Lock()
	number := rs.number(rs.byICP)
	rs.byICP[number] = w
	toICP, toHTCP := rs.icp, rs.htcp
	r := w.round
	r.number = number
	for i := range r.asked {
		if a := &r.asked[i]; a.peer.HTCP {
			a.number = rs.number(rs.byHTCP)
			rs.byHTCP[a.number] = w
		}
	}
	asked := r.asked // answers may add to it meanwhile
	rs.mu.Unlock()
	packet := packets.Get().(*[]byte)
	defer packets.Put(packet)
	for i := range asked {
		a := &asked[i]
		s := toICP
		if a.peer.HTCP {
			s = toHTCP
			*packet = appendTST((*packet)[:0], a, q)
		} else {
			*packet = appendQuery((*packet)[:0], a.peer, toICP.sender(), number, q, w.round.useRTT)
		}
		if s == nil || len(*packet) == 0 {
			continue
		}
		ttl := 0
		if a.peer.Type == conf.PeerMulticast {
			ttl = a.peer.TTL
		}
		s.sendTo(*packet, a.to, ttl)
	}
}

var packets = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// number gives one that is not taken.
func (rs *rounds) number(taken map[uint32]*waiting) uint32 {
	for {
		if n := rand.Uint32(); n != 0 && taken[n] == nil {
			return n
		}
	}
}

// appendQuery makes the ICP question to a peer.
func appendQuery(dst []byte, p *Peer, sender [4]byte, number uint32, q *Question, rtt bool) []byte {
	m := icp.Message{Opcode: icp.Query, Number: number, Sender: sender, URL: q.URL}
	switch {
	case p.ICPPort == echoPort:
		m.Opcode = icp.DumbEcho
	case rtt:
		m.Flags = icp.SourceRTT
	}
	dst, _ = m.Append(dst)
	return dst
}

// appendTST makes the HTCP question to a peer.
func appendTST(dst []byte, a *asked, q *Question) []byte {
	spec := htcp.Specifier{
		Method: []byte("GET"), URI: q.URL, Version: []byte{byte('0' + q.Major%10), '/', byte('0' + q.Minor%10)},
	}
	if q.MethodText != "" {
		spec.Method = []byte(q.MethodText)
	}
	if q.Head != nil {
		spec.Fields = q.Head.AppendLines(nil, a.peer)
	}
	data, ok := spec.Append(nil)
	if !ok {
		return dst
	}
	m := htcp.Message{Minor: 1, Opcode: htcp.TST, F1: true, Number: a.number, Data: data}
	if a.peer.HTCPOldSquid {
		m.Minor = 0
	}
	dst, _ = m.Append(dst)
	return dst
}

// end ends a round: its numbers are kept a while, for answers that come late.
func (n *Neighbours) end(w *waiting) {
	w.mu.Lock()
	w.over = true
	w.mu.Unlock()
	rs := &n.rounds
	rs.mu.Lock()
	defer rs.mu.Unlock()
	if oldest := rs.late[rs.next]; oldest != nil {
		rs.forget(oldest)
	}
	rs.late[rs.next] = w
	rs.next = (rs.next + 1) % len(rs.late)
}

// forget frees the numbers of a round that is over; rs.mu is locked. What was asked
// under them is not added to any more.
func (rs *rounds) forget(w *waiting) {
	delete(rs.byICP, w.round.number)
	for i := range w.round.asked {
		if number := w.round.asked[i].number; number != 0 {
			delete(rs.byHTCP, number)
		}
	}
}

// forgetLate frees the numbers of all rounds that are over: they were those of peers
// that are no more.
func (rs *rounds) forgetLate() {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for i, w := range rs.late {
		if w != nil {
			rs.forget(w)
			rs.late[i] = nil
		}
	}
}

// hear takes an answer from the network. Only who was asked, at the address asked,
// with the number of the question, is heard.
func (n *Neighbours) hear(number uint32, by protocol, from netip.AddrPort, a answer, now time.Time) {
	rs := &n.rounds
	rs.mu.Lock()
	w := rs.byICP[number]
	if by == speaksHTCP {
		w = rs.byHTCP[number]
	}
	rs.mu.Unlock()
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	i := w.find(number, by, from)
	if i < 0 {
		return
	}
	if w.take(i, a, now) {
		close(w.ended)
	}
}

// take makes what there is to make of an answer. It reports whether the round is
// over with it.
func (w *waiting) take(i int, a answer, now time.Time) (ended bool) {
	p := w.round.asked[i].peer
	p.noteAnswer(a.what, now)
	// As in 2.6, an HTCP answer shows how long it takes only while it is waited for.
	if !w.round.replied.Load() && !(w.over && p.HTCP) {
		p.noteRTT(now.Sub(w.round.began))
	}
	if w.over {
		p.noteIgnored()
		return false
	}
	if w.round.asked[i].parent {
		w.set.learnWay(p, w.host, a)
	}
	w.over = w.round.hear(i, a, now) && w.round.expected > 0
	return w.over
}
