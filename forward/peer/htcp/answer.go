package htcp

import (
	"bytes"
	"fmt"
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// freshFor is how long an object must still be fresh to be a hit (fact "for HTCP
// it is 10 seconds").
const freshFor = 10 * time.Second

// Object is what the answer to a TST tells of an object. Zero times are unknown.
type Object struct {
	Age                   time.Duration
	Expires, LastModified time.Time
}

// Knowledge is what the answer to a request depends on. Its methods wait for
// nothing.
type Knowledge interface {
	// Find gives the object that answers the method, GET or HEAD, for a URL in its
	// canonical form, when it is in the cache and stays fresh for that long.
	Find(method http1.Method, url []byte, fresh time.Duration) (Object, bool)
	// Remove takes what there is for a URL in its canonical form out of the cache and
	// reports whether it was there.
	Remove(url []byte) bool
	// Allowed is htcp_access, MayClear is htcp_clr_access.
	Allowed(from netip.AddrPort, method http1.Method, url *http1.URL) bool
	MayClear(from netip.AddrPort, method http1.Method, url *http1.URL) bool
	// RoundTrip gives the measured way to a host (netdb), 0 and 0 when there is none.
	RoundTrip(host []byte) (milliseconds, hops int)
}

// Server makes answers to requests. It is used by one goroutine at a time.
type Server struct {
	// Knows is asked about each request.
	Knows Knowledge
	// Methods and Options are how methods and URLs are read.
	Methods *http1.Methods
	Options *http1.URLOptions

	url          http1.URL
	data         []byte
	reply        []byte
	entity, path []byte
	canonical    []byte
}

// Answer appends the answer to the request m to dst. Nothing is appended where
// nothing is to be sent: 2.6 is silent about whatever it does not allow,
// understand or do (facts "HTCP").
func (s *Server) Answer(dst []byte, m *Message, from netip.AddrPort) []byte {
	if m.Answer {
		return dst
	}
	answer := Message{Minor: m.Minor, Opcode: m.Opcode, Answer: true, Number: m.Number}
	s.data = s.data[:0]
	var ok bool
	switch m.Opcode {
	case TST:
		ok = m.F1 && s.test(m, &answer, from)
	case CLR:
		ok = s.clear(m, &answer, from)
	}
	if !ok || !m.F1 {
		return dst
	}
	answer.Data = s.data
	dst, _ = answer.Append(dst)
	return dst
}

// test answers whether an object is here.
func (s *Server) test(m, answer *Message, from netip.AddrPort) bool {
	method, fields, ok := s.understand(m.Data)
	if !ok || !s.Knows.Allowed(from, method, &s.url) {
		return false
	}
	var d Detail
	answer.Response = Absent
	if holds(method) && readable(fields) {
		if object, found := s.Knows.Find(method, s.canonical, freshFor); found {
			answer.Response = Present
			s.describe(&object, &d)
		}
	}
	s.data, ok = d.Append(s.data)
	return ok
}

// describe writes the header lines of a hit.
func (s *Server) describe(o *Object, d *Detail) {
	s.reply = fmt.Appendf(s.reply[:0], "Age: %d\r\n", int64(max(0, o.Age)/time.Second))
	s.entity, s.path = s.entity[:0], s.path[:0]
	if !o.Expires.IsZero() {
		s.entity = append(http1.AppendDate(append(s.entity, "Expires: "...), o.Expires), "\r\n"...)
	}
	if !o.LastModified.IsZero() {
		s.entity = append(http1.AppendDate(append(s.entity, "Last-Modified: "...), o.LastModified), "\r\n"...)
	}
	if ms, hops := s.Knows.RoundTrip(s.url.Host); ms != 0 || hops != 0 {
		s.path = fmt.Appendf(s.path, "Cache-to-Origin: %s 1 %f %d\r\n", s.url.Host, float64(ms)/1000, hops)
	}
	d.Reply, d.Entity, d.Cache = s.reply, s.entity, s.path
}

// clear removes an object. The reason it gives, two octets, changes nothing. Of what
// has unreadable header fields nothing is removed, and nobody told.
func (s *Server) clear(m, answer *Message, from netip.AddrPort) bool {
	if len(m.Data) < 2 {
		return false
	}
	method, fields, ok := s.understand(m.Data[2:])
	if !ok || !s.Knows.MayClear(from, method, &s.url) || !readable(fields) {
		return false
	}
	answer.Response = Gone
	if holds(method) && s.Knows.Remove(s.canonical) {
		answer.Response = Removed
	}
	return true
}

// holds reports whether replies to a method are in a cache.
func holds(m http1.Method) bool { return m == http1.GET || m == http1.HEAD }

// understand reads the specifier of a request. Unknown methods and those
// not in capitals count as GET; what the header fields say changes nothing (facts
// "htcp-methods", "htcp-request-headers"). The URL is looked up in its canonical form,
// as that of a client's request is.
func (s *Server) understand(data []byte) (method http1.Method, fields []byte, ok bool) {
	var spec Specifier
	if spec.Parse(data) != nil {
		return 0, nil, false
	}
	text := upTo(spec.Method, "\x00")
	if method = s.Methods.Lookup(text); method == http1.NoMethod || s.Methods.Text(method) != string(text) {
		method = http1.GET
	}
	// Nothing that CONNECT asks for is ever in a cache, however it is written.
	if s.url.Parse(method, upTo(spec.URI, "\x00\r\n"), s.Options) != http1.NoFault && method != http1.CONNECT {
		return 0, nil, false
	}
	s.canonical = s.url.AppendCanonical(s.canonical[:0])
	return method, upTo(spec.Fields, "\x00"), true
}

// upTo is a text up to the first of the octets that end it for 2.6.
func upTo(text []byte, ends string) []byte {
	if n := bytes.IndexAny(text, ends); n >= 0 {
		return text[:n]
	}
	return text
}

// readable reports whether header lines are ones for 2.6: each has its end, and an empty
// one is the last.
func readable(fields []byte) bool {
	for len(fields) > 0 {
		line, rest, ended := bytes.Cut(fields, []byte{'\n'})
		if !ended || len(bytes.TrimSuffix(line, []byte{'\r'})) == 0 && len(rest) > 0 {
			return false
		}
		fields = rest
	}
	return true
}
