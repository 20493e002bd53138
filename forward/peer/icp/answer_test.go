package icp

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

// world knows a few URLs and hosts. What is refused has "deny" in its host.
type world struct {
	fresh map[string]time.Duration
	hosts map[string][2]int
	tests bool
	// unmeasured is the hosts whose way was to be learnt.
	unmeasured []string
}

func (w *world) Fresh(url []byte, d time.Duration) bool {
	left, ok := w.fresh[string(url)]
	return ok && left > d
}

func (w *world) Allowed(_ netip.AddrPort, url *http1.URL) bool {
	return !bytes.Contains(url.Host, []byte("deny"))
}

func (w *world) RoundTrip(host []byte) (ms, hops int, ok bool) {
	r, ok := w.hosts[string(host)]
	return r[0], r[1], ok
}

func (w *world) TestsReachability() bool { return w.tests }

func (w *world) Unmeasured(host []byte) { w.unmeasured = append(w.unmeasured, string(host)) }

var anybody = netip.MustParseAddrPort("192.0.2.66:1000")

// ask gives the answer to a query in short.
func (s *Server) ask(t testing.TB, query Message, from netip.AddrPort) string {
	t.Helper()
	b, done := s.Answer(nil, &query, from, time.Unix(1e9, 0))
	if done.Mute {
		if len(b) > 0 {
			t.Errorf("mute, and %x is sent", b)
		}
		return "mute"
	}
	var m Message
	if err := m.Parse(b); err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	if m.Number != query.Number || m.Sender != s.Sender || !bytes.Equal(m.URL, done.URL) || m.Opcode != done.Opcode {
		t.Errorf("%+v, done %+v", m, done)
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %08x %08x", strings.TrimPrefix(m.Opcode.String(), "ICP_"), m.URL, m.Flags, m.Option))
}

// Answers as recorded in icp-*.
func TestAnswer(t *testing.T) {
	const none = " 00000000 00000000"
	w := &world{
		fresh: map[string]time.Duration{"http://www.test/a": time.Hour, "http://www.test/soon": 30 * time.Second},
		hosts: map[string][2]int{"far.test": {70000, 21}, "known.test": {61, 2}, "near.test": {0, 0}, "hops.test": {0, 3}},
	}
	s := &Server{Knows: w, Options: &http1.URLOptions{}, Sender: [4]byte{127, 0, 0, 40}}
	for _, c := range []struct {
		url     string
		flags   uint32
		version uint8
		tests   bool
		want    string
	}{
		{"http://www.test/a", 0, 2, false, "HIT http://www.test/a" + none},
		{"http://www.test/b", 0, 2, false, "MISS http://www.test/b" + none},
		{"http://www.test/soon", 0, 2, false, "MISS http://www.test/soon" + none},
		{"http://WWW.test/a", 0, 2, false, "MISS http://WWW.test/a" + none}, // looked up as it stands
		{"http://www.test/a", HitObject, 2, false, "HIT http://www.test/a" + none},
		{"", 0, 2, false, "ERR " + none},
		{"no-scheme", 0, 2, false, "ERR no-scheme" + none},
		{"http://www.test/a b", 0, 2, false, "ERR http://www.test/a%20b" + none},
		{"http://www.test/a\tb\r\nc", 0, 2, false, "ERR http://www.test/a%09b%0D%0Ac" + none},
		{"http://www.test:99999/", 0, 2, false, "ERR http://www.test:99999/" + none},
		{"cache_object://localhost/info", 0, 2, false, "MISS cache_object://localhost/info" + none},
		{"http://x.deny.test/", 0, 2, false, "DENIED http://x.deny.test/" + none},
		{"http://far.test/x", SourceRTT, 2, false, "MISS http://far.test/x 40000000 00151170"},
		{"http://far.test/x", SourceRTT, 3, false, "MISS http://far.test/x" + none},
		{"http://hops.test/x", SourceRTT, 2, false, "MISS http://hops.test/x 00000000 00030000"},
		{"http://www.test/b", 0, 2, true, "MISS_NOFETCH http://www.test/b" + none},
		{"http://hops.test/x", SourceRTT, 2, true, "MISS_NOFETCH http://hops.test/x 00000000 00030000"},
		{"http://www.test/b", 0, 3, true, "MISS http://www.test/b" + none},
		{"http://www.test/a", 0, 2, true, "HIT http://www.test/a" + none},
		{"http://known.test/x", 0, 2, true, "MISS http://known.test/x" + none},
		{"http://known.test/x", SourceRTT, 2, true, "MISS http://known.test/x 40000000 0002003d"},
	} {
		w.tests = c.tests
		if got := s.ask(t, Message{Opcode: Query, Version: c.version, Number: 9, Flags: c.flags, URL: []byte(c.url)}, anybody); got != strings.TrimSpace(c.want) {
			t.Errorf("%q %08x version %d: %s, want %s", c.url, c.flags, c.version, got, c.want)
		}
	}
	if got := strings.Join(w.unmeasured, " "); got != "www.test hops.test" {
		t.Errorf("to be measured: %s", got)
	}
	w.tests = false
	for length, kept := range map[int]int{4095: 4095, 4096: 2048, 9000: 2048} {
		url := "http://www.test/" + strings.Repeat("x", length-len("http://www.test/"))
		want := "ERR " + url[:kept] + none
		if kept == length {
			want = "MISS " + url + none
		}
		if got := s.ask(t, Message{Opcode: Query, Version: 2, URL: []byte(url)}, anybody); got != want {
			t.Errorf("URL of %d octets: %d octets, %.20s..", length, len(got), got)
		}
	}
	long := "http://www.test/" + strings.Repeat(" ", MaxSize/2) // trebled by escapes
	if got := s.ask(t, Message{Opcode: Query, Version: 2, URL: []byte(long)}, anybody); got != "mute" {
		t.Errorf("an answer that does not fit: %.60s", got)
	}
}

// Who is refused again and again gets no more answers, as recorded in
// icp-denied-cutoff; another address does, and the same one an hour later.
func TestRefusedSenderIsCut(t *testing.T) {
	s := &Server{Knows: &world{}, Options: &http1.URLOptions{}}
	now := time.Unix(1e9, 0)
	query := Message{Opcode: Query, Version: 2, URL: []byte("http://deny.test/")}
	answers := func(n int, from string) (sent int, cut *Refused) {
		for range n {
			_, done := s.Answer(nil, &query, netip.MustParseAddrPort(from+":9"), now)
			if !done.Mute {
				sent++
			}
			if done.Cut != nil {
				cut = done.Cut
			}
		}
		return sent, cut
	}
	sent, cut := answers(200, "192.0.2.1")
	if sent != 143 || cut == nil || *cut != (Refused{netip.MustParseAddr("192.0.2.1"), 143, 150}) {
		t.Errorf("%d answers, %+v", sent, cut)
	}
	if sent, _ := answers(1, "192.0.2.2"); sent != 1 {
		t.Error("another sender got no answer")
	}
	now = now.Add(time.Hour - time.Second)
	if sent, _ := answers(1, "192.0.2.1"); sent != 0 {
		t.Error("an answer within the hour")
	}
	now = now.Add(time.Second)
	if sent, _ := answers(1, "192.0.2.1"); sent != 1 {
		t.Error("no answer after an hour")
	}
	// Who is served in between stays.
	good := Message{Opcode: Query, Version: 2, URL: []byte("http://www.test/")}
	from := netip.MustParseAddrPort("192.0.2.3:9")
	for i := range 1000 {
		q := &query
		if i%10 == 9 {
			q = &good
		}
		if _, done := s.Answer(nil, q, from, now); done.Mute {
			t.Fatalf("mute after %d queries, one in ten of them served", i)
		}
	}
}

// A flood from ever new addresses fills no memory.
func TestRefusalsAreBounded(t *testing.T) {
	var r refusals
	for i := range 3 * mostSenders {
		r.deny(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), time.Unix(1e9, 0))
	}
	if len(r.from) > mostSenders {
		t.Errorf("%d senders", len(r.from))
	}
}

func BenchmarkAnswer(b *testing.B) {
	s := &Server{Knows: &world{fresh: map[string]time.Duration{"http://www.example.com/some/path/index.html": time.Hour}}, Options: &http1.URLOptions{}}
	query := Message{Opcode: Query, Version: 2, Number: 7, URL: []byte("http://www.example.com/some/path/index.html")}
	packet, _ := query.Append(nil)
	room := make([]byte, 0, 2048)
	now := time.Unix(1e9, 0)
	b.ReportAllocs()
	for b.Loop() {
		var m Message
		if m.Parse(packet) != nil {
			b.Fatal("faulty")
		}
		s.Answer(room, &m, anybody, now)
	}
}

func TestAnswerAllocatesNothing(t *testing.T) {
	s := &Server{Knows: &world{}, Options: &http1.URLOptions{}}
	query := Message{Opcode: Query, Version: 2, URL: []byte("http://www.test/a")}
	room := make([]byte, 0, 2048)
	if n := testing.AllocsPerRun(100, func() { s.Answer(room, &query, anybody, time.Time{}) }); n != 0 {
		t.Errorf("%v allocations an answer", n)
	}
}

// Whatever is asked, there is one answer at most, which can be read and is about the
// question.
func FuzzAnswer(f *testing.F) {
	for _, url := range []string{"http://www.test/a", "http://deny.test/", "http://a b/", "http://[", "urn:x", "", "http://www.test/" + strings.Repeat("x", 5000)} {
		f.Add([]byte(url), uint32(0), uint8(2))
		f.Add([]byte(url), uint32(SourceRTT), uint8(3))
	}
	w := &world{fresh: map[string]time.Duration{"http://www.test/a": time.Hour}, hosts: map[string][2]int{"www.test": {61, 2}}, tests: true}
	s := &Server{Knows: w, Options: &http1.URLOptions{}, Sender: [4]byte{127, 0, 0, 40}}
	f.Fuzz(func(t *testing.T, url []byte, flags uint32, version uint8) {
		if len(url) > MaxSize/4 || bytes.IndexByte(url, 0) >= 0 {
			return // escaped it may be three times as long; a NUL ends it in a packet
		}
		w.unmeasured = nil
		s.ask(t, Message{Opcode: Query, Version: version, Number: 7, Flags: flags, URL: url}, anybody)
	})
}
