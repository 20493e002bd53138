package icp

import (
	"net/netip"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// freshFor is how long an object must still be fresh to be a hit: the neighbour
// needs a moment to fetch it (fact "An object counts as a hit only if it is still
// fresh 30 seconds from now").
const freshFor = 30 * time.Second

// Knowledge is what the answer to a query depends on. Its methods wait for
// nothing.
type Knowledge interface {
	// Fresh reports whether the cache has the object of a GET for the URL, as it is
	// written there, and it stays fresh for that long (icp_hit_stale: is there at all).
	Fresh(url []byte, d time.Duration) bool
	// Allowed is icp_access. url is only valid until the next call.
	Allowed(from netip.AddrPort, url *http1.URL) bool
	// RoundTrip gives the measured way to a host, ok is false when it was never
	// measured (netdb).
	RoundTrip(host []byte) (milliseconds, hops int, ok bool)
	// TestsReachability is test_reachability: hosts never measured are none of ours.
	TestsReachability() bool
	// Unmeasured is told of a host that would be tested if its way were known. host is
	// only valid until it returns.
	Unmeasured(host []byte)
}

// Server makes answers to queries. It is used by one goroutine at a time.
type Server struct {
	// Knows is asked about each query.
	Knows Knowledge
	// Options is how URLs are read.
	Options *http1.URLOptions
	// Sender is the address put into answers.
	Sender [4]byte

	refused refusals
	url     http1.URL
	text    []byte
}

// Answered is what became of a query.
type Answered struct {
	// Opcode is the answer's.
	Opcode Opcode
	// URL is the URL of the answer, for the log; it views the query or the Server.
	URL []byte
	// Mute: the sender has been refused so often that nothing goes out any more.
	Mute bool
	// Cut is set when that begins.
	Cut *Refused
}

// Answer appends the answer to the query m to dst. Nothing is appended where
// nothing is to be sent.
func (s *Server) Answer(dst []byte, m *Message, from netip.AddrPort, now time.Time) ([]byte, Answered) {
	answer := Message{Number: m.Number, Sender: s.Sender, URL: m.URL}
	done := Answered{URL: m.URL}
	switch {
	case hasSpace(m.URL):
		s.text = http1.AppendEscaped(s.text[:0], m.URL)
		answer.Opcode, answer.URL, done.URL = Err, s.text, s.text
	case s.url.Parse(http1.GET, m.URL, s.Options) != http1.NoFault:
		answer.Opcode, answer.URL, done.URL = Err, bounded(m.URL), bounded(m.URL)
	case !s.Knows.Allowed(from, &s.url):
		answer.Opcode = Denied
		var mute bool
		if mute, done.Cut = s.refused.deny(from.Addr(), now); mute {
			done.Opcode, done.Mute = Denied, true
			return dst, done
		}
	default:
		s.refused.admit(from.Addr())
		s.look(m, &answer)
	}
	done.Opcode = answer.Opcode
	dst, ok := answer.Append(dst)
	done.Mute = !ok
	return dst, done
}

// look fills the answer to a query that is served.
func (s *Server) look(m, answer *Message) {
	known := true
	if wanted := m.Flags&SourceRTT != 0; m.Version == 2 && (wanted || s.Knows.TestsReachability()) {
		ms, hops, ok := s.Knows.RoundTrip(s.url.Host)
		known = ok && ms != 0 || !s.Knows.TestsReachability()
		if wanted {
			answer.Option = uint32(hops)<<16 | uint32(ms)&0xffff
			if ms != 0 {
				answer.Flags = SourceRTT
			}
		}
	}
	switch {
	case s.Knows.Fresh(m.URL, freshFor):
		answer.Opcode = Hit
	case !known:
		s.Knows.Unmeasured(s.url.Host)
		answer.Opcode = MissNoFetch
	default:
		answer.Opcode = Miss
	}
}

// longest is what 2.6 takes for a URL, and half of that what it keeps of a longer one.
const longest = 4095

func bounded(url []byte) []byte {
	if len(url) > longest {
		return url[:(longest+1)/2]
	}
	return url
}

func hasSpace(url []byte) bool {
	for _, c := range url {
		if c == ' ' || c >= '\t' && c <= '\r' {
			return true
		}
	}
	return false
}
