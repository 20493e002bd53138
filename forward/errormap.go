package forward

import (
	"github.com/cuttle-proxy/cuttle/forward/errpage"
	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// mappedError fetches the page that error_map puts in the place of the body of
// the reply whose head is in x.fields. It gives the transaction that has the
// page's head and still has to deliver its body, nil when the reply goes out as
// it is: no rule for the status, or the page is not to be had (2.6 then shows
// the reply's own body).
func (x *transaction) mappedError() *transaction {
	if !x.p.mapsErrors || x.status < errpage.FirstMapped || !x.hasRequest() {
		return nil
	}
	url := x.p.pages.Mapped(x.status)
	if url == "" {
		return nil
	}
	m := x.srv.newTransaction(x.cl)
	if !m.askForPage(x, url) {
		m.endPage()
		return nil
	}
	return m
}

// askForPage sends the request for the page to where any request for its URL
// would go, in nobody's name: access lists for clients are not asked, and the
// client's address is not told. The reply must be a 200.
func (m *transaction) askForPage(x *transaction, url string) bool {
	m.p.release()
	m.p = x.p
	m.p.users.Add(1)
	m.own = true
	m.in = append(append(append(m.in[:0], "GET "...), url...), " HTTP/1.0\r\n"...)
	var failed http1.Reply // x.fields once more, as what was sent
	head := x.fields.Append(http1.AppendStatusLine(nil, 0, x.status))
	if _, state := failed.Parse(head, true, &x.p.reply); state != http1.Complete {
		return false
	}
	errpage.MapRequest(&m.fields, &x.req.Fields, &failed.Fields, x.status, x.text)
	m.in = m.fields.Append(m.in)
	if m.parse() != http1.Complete || m.fault != http1.NoFault {
		return false
	}
	m.req.Major, m.req.Minor = 0, 0 // 2.6's own requests have no version (recorded in Via)
	m.asked = append(m.asked, m.req.Target...)
	if m.url.Parse(m.req.Method, m.asked, &m.p.url) != http1.NoFault {
		return false
	}
	m.hasURL = true
	m.text = m.url.AppendCanonical(m.text[:0])
	m.fillFacts()
	m.facts.URLGroup = "error"
	m.control = m.req.CacheControl()
	if m.servesScheme() != nil || m.chooseHops() != nil || m.fetch() != nil || m.rep.Status != 200 {
		return false
	}
	var fault http1.Fault
	m.repBody, fault = m.rep.Body(m.req.Method)
	m.originKeep = m.p.cfg.ServerPersistentConnections && m.rep.Persistent(m.rep.Major, m.rep.Minor, m.origin11())
	return fault == http1.NoFault
}

// deliverMapped sends the head in x.fields with the page's length in the place
// of its own, then the page. It reports whether the client's connection stays.
func (x *transaction) deliverMapped(m *transaction) bool {
	defer m.endPage()
	x.originKeep, x.chunks = false, false // the body that is replaced stays unread
	x.fields.Remove(http1.ContentLength)
	x.fields.Remove(http1.TransferEncoding)
	if m.repBody.Framing == http1.ByLength {
		x.fields.AddInt(http1.ContentLength, m.repBody.Length)
	} else if x.keep {
		x.keep = false
		x.sayClose()
	}
	if m.out = m.out[:0]; !x.bare {
		m.out = x.fields.Append(http1.AppendStatusLine(m.out, x.clientMinor(), x.status))
	}
	if x.tag == "TCP_DENIED" {
		// A refusal is logged as what it was replaced by (seen in 2.6).
		x.status, x.mime = m.rep.Status, append(x.mime[:0], m.rep.Get(http1.ContentType)...)
	}
	m.gate, m.keep = x.gate, x.keep
	have := m.answer[m.repHead:]
	switch {
	case x.req.Method == http1.HEAD || m.repBody.Framing == http1.NoBody:
		m.originKeep = m.originKeep && m.repBody.Framing == http1.NoBody
		m.send(m.out)
	case m.repBody.Framing == http1.ByLength:
		m.deliverLength(have)
	case m.repBody.Framing == http1.ByChunks:
		m.deliverChunks(have)
	default:
		m.originKeep = false
		m.deliverRest(have)
	}
	x.gate = m.gate
	x.sent += m.sent
	x.keep = x.keep && m.keep
	return x.keep
}

// sayClose changes what finishReplyHead said about the connection.
func (x *transaction) sayClose() {
	for i := range x.fields.Len() {
		if id := x.fields.ID(i); id == http1.ProxyConnection || id == http1.Connection {
			x.fields.SetAt(i, []byte("close"))
		}
	}
}

// endPage gives back what the page's transaction holds.
func (m *transaction) endPage() {
	m.leaveOrigin()
	m.done()
	m.srv.putTransaction(m)
}
