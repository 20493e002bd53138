package peer

import (
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/peer/htcp"
	"github.com/cuttle-proxy/cuttle/forward/peer/icp"
)

// Sizes of the packets that are read, 2.6's own: what is longer is cut, and then
// refused for its length.
const (
	mostICP  = 16 << 10
	mostHTCP = 8<<10 - 1
)

// receive serves a socket until it is closed.
func (n *Neighbours) receive(s *socket) {
	defer n.listening.Done()
	size := mostICP
	if s.protocol == speaksHTCP {
		size = mostHTCP
	}
	b := newBatch(s.UDPConn, size)
	h := handler{n: n, s: s}
	for faults := 0; ; {
		err := b.read()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			// A neighbour's host may say that nobody listens there, in answer to what we
			// sent. What comes again and again is not worth a processor.
			if faults++; faults > someFaults {
				time.Sleep(faultRest)
			}
			continue
		}
		faults = 0
		for i := range b.got {
			packet, from := b.packet(i)
			h.reply = b.room(i)
			if s.protocol == speaksICP {
				h.icp(packet, from)
			} else {
				h.htcp(packet, from)
			}
			b.answer(i, h.reply)
		}
		b.send()
	}
}

// Reading that fails so often in a row rests in between.
const (
	someFaults = 100
	faultRest  = 10 * time.Millisecond
)

// handler is what one socket's goroutine works with.
type handler struct {
	n     *Neighbours
	s     *socket
	reply []byte // empty for none

	local  *Local // under which the servers below were made
	knows  knowledge
	asICP  icp.Server
	asHTCP htcp.Server
}

// use looks whether the configuration has changed.
func (h *handler) use() bool {
	l := h.n.local.Load()
	if l == nil {
		return false
	}
	if l != h.local {
		h.local = l
		h.knows.use(l)
		h.asICP.Knows, h.asICP.Options, h.asICP.Sender = &h.knows, &l.URL, h.n.rounds.sender()
		h.asHTCP.Knows, h.asHTCP.Options, h.asHTCP.Methods = overHTCP{&h.knows}, &l.URL, l.Methods
	}
	return true
}

// sender is the address put into ICP messages: that by which questions leave.
func (rs *rounds) sender() [4]byte {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.icp.sender()
}

// sender is the address the socket is bound to, 0.0.0.0 for none or any.
func (s *socket) sender() [4]byte {
	if s == nil {
		return [4]byte{}
	}
	return s.bound.Addr().As4()
}

// icp takes an ICP message: a query is answered, an answer goes to its round,
// everything else is dropped.
func (h *handler) icp(packet []byte, from netip.AddrPort) {
	var m icp.Message
	if m.Parse(packet) != nil || !h.use() {
		return
	}
	now := time.Now()
	switch m.Opcode {
	case icp.Query:
		h.query(&m, from, now)
	case icp.Hit, icp.Miss, icp.Err, icp.DumbEcho, icp.MissNoFetch, icp.Denied, icp.Invalid:
		a := answer{what: m.Opcode}
		a.rtt, a.hops = m.RoundTrip()
		h.n.hear(m.Number, speaksICP, from, a, now)
	}
}

var tags = map[icp.Opcode]string{
	icp.Hit: "UDP_HIT", icp.Miss: "UDP_MISS", icp.Denied: "UDP_DENIED", icp.Err: "UDP_INVALID", icp.MissNoFetch: "UDP_MISS_NOFETCH",
}

// query makes the answer to one query.
func (h *handler) query(m *icp.Message, from netip.AddrPort, now time.Time) {
	var done icp.Answered
	h.reply, done = h.asICP.Answer(h.reply[:0], m, from, now)
	if done.Cut != nil {
		h.n.warnOf(done.Cut)
	}
	if done.Mute {
		h.reply = h.reply[:0]
		return
	}
	if h.local.Config.LogICPQueries && h.local.Log != nil {
		h.local.Log(Query{Tag: tags[done.Opcode], Size: len(h.reply), From: from, URL: done.URL, Began: now})
	}
}

// htcp takes an HTCP message.
func (h *handler) htcp(packet []byte, from netip.AddrPort) {
	var m htcp.Message
	if m.Parse(packet) != nil || !h.use() {
		return
	}
	now := time.Now()
	if !m.Answer {
		h.reply = h.asHTCP.Answer(h.reply[:0], &m, from)
		return
	}
	// What cannot be understood, and a refusal (F1), is no answer.
	var d htcp.Detail
	if m.Opcode != htcp.TST || m.F1 || d.Parse(m.Data) != nil {
		return
	}
	a := answer{what: icp.Miss}
	if m.Response == htcp.Present {
		a.what = icp.Hit
	}
	h.n.hear(m.Number, speaksHTCP, from, a, now)
}
