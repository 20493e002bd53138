package htcp

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/http1"
)

var epoch = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// world has a cache in which time stands still at epoch.
type world struct {
	objects map[string]Object
	clears  bool
}

func (w *world) Find(method http1.Method, url []byte, fresh time.Duration) (Object, bool) {
	o, ok := w.objects[string(url)]
	if !ok && method == http1.HEAD {
		o, ok = w.objects["HEAD "+string(url)]
	}
	return o, ok && (o.Expires.IsZero() || epoch.Add(fresh).Before(o.Expires))
}

func (w *world) Remove(url []byte) bool {
	_, ok := w.objects[string(url)]
	delete(w.objects, string(url))
	return ok
}

func (w *world) Allowed(_ netip.AddrPort, _ http1.Method, url *http1.URL) bool {
	return !bytes.Contains(url.Host, []byte("deny"))
}

func (w *world) MayClear(netip.AddrPort, http1.Method, *http1.URL) bool { return w.clears }

func (w *world) RoundTrip(host []byte) (ms, hops int) {
	if string(host) == "near.test" {
		return 123, 4
	}
	return 0, 0
}

func server(w *world) *Server { return &Server{Knows: w, Options: &http1.URLOptions{}} }

// ask gives the answer to a request in short, "" for none.
func (s *Server) ask(t testing.TB, m Message) string {
	t.Helper()
	b := s.Answer(nil, &m, netip.MustParseAddrPort("192.0.2.1:9"))
	if len(b) == 0 {
		return ""
	}
	var a Message
	if err := a.Parse(b); err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	if a.Number != m.Number || a.Opcode != m.Opcode || !a.Answer || a.F1 || (a.Minor == 0) != (m.Minor == 0) {
		t.Errorf("%+v answers %+v", a, m)
	}
	if a.Opcode != TST {
		return fmt.Sprintf("%v %d %x", a.Opcode, a.Response, a.Data)
	}
	var d Detail
	if err := d.Parse(a.Data); err != nil {
		t.Fatalf("%x: %v", a.Data, err)
	}
	return strings.ReplaceAll(fmt.Sprintf("TST %d %s%s%s", a.Response, d.Reply, d.Entity, d.Cache), "\r\n", "|")
}

// about is a request about a URL.
func about(opcode Opcode, method, uri string) Message {
	spec := Specifier{Method: []byte(method), URI: []byte(uri), Version: []byte("1/1")}
	var data []byte
	if opcode == CLR {
		data = []byte{0, 0}
	}
	data, _ = spec.Append(data)
	return Message{Minor: 1, Opcode: opcode, F1: true, Number: 99, Data: data}
}

// Answers as recorded in htcp-*.
func TestAnswer(t *testing.T) {
	objects := map[string]Object{
		"HEAD http://www.test/h": {Expires: epoch.Add(10 * time.Minute)},
		"http://www.test/a":      {Expires: epoch.Add(10 * time.Minute)},
		"http://www.test/d":      {Age: 4 * time.Second, Expires: epoch.Add(10 * time.Second)},
		"http://www.test/e":      {Age: 4 * time.Second, Expires: epoch.Add(11 * time.Second), LastModified: epoch.Add(-time.Hour)},
		"http://www.test/l":      {LastModified: epoch.Add(-24 * time.Hour)},
		"http://near.test/a":     {Expires: epoch.Add(10 * time.Minute)},
	}
	const hit = "TST 0 Age: 0|Expires: Mon, 30 Nov 2026 12:10:00 GMT|"
	s := server(&world{objects: objects})
	for _, c := range []struct{ method, uri, want string }{
		{"GET", "http://www.test/a", hit},
		{"HEAD", "http://www.test/a", hit},
		{"POST", "http://www.test/a", "TST 1 "},
		{"PURGE", "http://www.test/a", "TST 1 "},
		{"FOO", "http://www.test/a", hit},
		{"", "http://www.test/a", hit},
		{"post", "http://www.test/a", hit},
		{"CONNECT", "http://www.test:28000www.test:443", "TST 1 "},
		{"GET", "http://www.test/b", "TST 1 "},
		{"GET", "http://WWW.test:080/a", hit},
		{"GET", "http://www.test/a ", hit},
		{"GET", "http://www.test/a\x00b", hit},
		{"GET", "http://www.test/a\r\nX: y", hit},
		{"POST\x00", "http://www.test/a", "TST 1 "},
		{"HEAD", "http://www.test/h", hit},
		{"GET", "http://www.test/h", "TST 1 "},
		{"GET", "http://www.test/d", "TST 1 "},
		{"GET", "http://www.test/e", "TST 0 Age: 4|Expires: Mon, 30 Nov 2026 12:00:11 GMT|Last-Modified: Mon, 30 Nov 2026 11:00:00 GMT|"},
		{"GET", "http://www.test/l", "TST 0 Age: 0|Last-Modified: Sun, 29 Nov 2026 12:00:00 GMT|"},
		{"GET", "http://near.test/a", hit + "Cache-to-Origin: near.test 1 0.123000 4|"},
		{"GET", "http://near.test/b", "TST 1 "},
		{"GET", "ftp://www.test/x", "TST 1 "},
		{"GET", "http://x.deny.test/", ""},
		{"GET", "", ""}, {"GET", "nonsense", ""}, {"GET", "/only/path", ""}, {"GET", "foo://www.test/", ""}, {"GET", "http://www.test:99999/", ""},
	} {
		m := about(TST, c.method, c.uri)
		if got := s.ask(t, m); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.method, c.uri, got, c.want)
		}
		if m.Minor = 0; s.ask(t, m) != c.want {
			t.Errorf("%s %s in the old order: %q", c.method, c.uri, s.ask(t, m))
		}
	}
}

// What is not asked for is not answered.
func TestSilence(t *testing.T) {
	s := server(&world{objects: map[string]Object{"http://www.test/a": {}}})
	for name, change := range map[string]func(*Message){
		"no answer wanted": func(m *Message) { m.F1 = false },
		"an answer":        func(m *Message) { m.Answer = true },
		"NOP":              func(m *Message) { m.Opcode = NOP },
		"MON":              func(m *Message) { m.Opcode = MON },
		"SET":              func(m *Message) { m.Opcode = SET },
		"an unknown one":   func(m *Message) { m.Opcode = 15 },
		"no data":          func(m *Message) { m.Data = nil },
		"cut":              func(m *Message) { m.Data = m.Data[:len(m.Data)-1] },
	} {
		m := about(TST, "GET", "http://www.test/a")
		change(&m)
		if got := s.ask(t, m); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
	m := about(TST, "GET", "http://www.test/a")
	if m.Response = 3; s.ask(t, m) == "" {
		t.Error("a response code in a request is looked at")
	}
}

// Header lines without an end, or behind an empty one, are a miss, and nothing is removed.
func TestUnreadableFields(t *testing.T) {
	w := &world{objects: map[string]Object{"http://www.test/a": {}}, clears: true}
	s := server(w)
	for fields, tst := range map[string]string{
		"Accept: x": "TST 1 ", "\r\n\r\n": "TST 1 ", "A: b\r\n\nC: d\r\n": "TST 1 ",
		"": "TST 0 Age: 0|", "\r\n": "TST 0 Age: 0|", "no colon\n": "TST 0 Age: 0|", "A: b\r\n\r\n": "TST 0 Age: 0|", "A: b\n\x00\n\nC": "TST 0 Age: 0|",
	} {
		spec := Specifier{Method: []byte("GET"), URI: []byte("http://www.test/a"), Fields: []byte(fields)}
		m := Message{Minor: 1, Opcode: TST, F1: true}
		m.Data, _ = spec.Append(nil)
		if got := s.ask(t, m); got != tst {
			t.Errorf("%q: %q, want %q", fields, got, tst)
		}
		if tst != "TST 1 " {
			continue
		}
		m.Opcode, m.Data = CLR, append([]byte{0, 0}, m.Data...)
		if got := s.ask(t, m); got != "" || len(w.objects) != 1 {
			t.Errorf("%q: %q, %d objects left", fields, got, len(w.objects))
		}
	}
}

// CLR as recorded in htcp-clr and htcp-clr-denied.
func TestClear(t *testing.T) {
	w := &world{objects: map[string]Object{"http://www.test/a": {}, "http://www.test/b": {}}}
	s := server(w)
	if got := s.ask(t, about(CLR, "GET", "http://www.test/a")); got != "" || len(w.objects) != 2 {
		t.Errorf("refused: %q, %d objects left", got, len(w.objects))
	}
	w.clears = true
	if got := s.ask(t, about(CLR, "POST", "http://www.test/a")); got != "CLR 2 " || len(w.objects) != 2 {
		t.Errorf("POST: %q, %d objects left", got, len(w.objects))
	}
	for _, want := range []string{"CLR 0 ", "CLR 2 "} {
		if got := s.ask(t, about(CLR, "HEAD", "http://www.test/a")); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	m := about(CLR, "GET", "http://www.test/b")
	if m.F1 = false; s.ask(t, m) != "" || len(w.objects) != 0 {
		t.Error("without the wish for an answer it is done silently")
	}
	for _, data := range []string{"", "00", "0000"} {
		b, _ := hex.DecodeString(data)
		if got := s.ask(t, Message{Minor: 1, Opcode: CLR, F1: true, Data: b}); got != "" {
			t.Errorf("data %q: %q", data, got)
		}
	}
}

func BenchmarkAnswer(b *testing.B) {
	s := server(&world{})
	m := about(TST, "GET", "http://www.example.com/some/path/index.html")
	packet, _ := m.Append(nil)
	room := make([]byte, 0, 2048)
	from := netip.MustParseAddrPort("192.0.2.1:9")
	b.ReportAllocs()
	for b.Loop() {
		var m Message
		if m.Parse(packet) != nil || len(s.Answer(room, &m, from)) == 0 {
			b.Fatal("no answer")
		}
	}
}

// Whatever is asked, there is one answer at most, which can be read and is about the
// question.
func FuzzAnswer(f *testing.F) {
	spec := func(method, uri, fields string) []byte {
		b, _ := (&Specifier{Method: []byte(method), URI: []byte(uri), Version: []byte("1.1"), Fields: []byte(fields)}).Append(nil)
		return b
	}
	for _, data := range [][]byte{
		spec("GET", "http://WWW.test:080/a \r\n", "Accept: */*\r\n\r\n"), spec("HEAD\x00", "http://www.test/a\x00b", "no end"),
		spec("CONNECT", "www.test:443", ""), append([]byte{0, 1}, spec("PURGE", "http://near.test/", "\r\nx\r\n")...), {0},
	} {
		f.Add(uint8(TST), true, data)
		f.Add(uint8(CLR), true, data)
	}
	s := server(&world{clears: true, objects: map[string]Object{"http://www.test/a": {}, "HEAD http://near.test/": {}}})
	f.Fuzz(func(t *testing.T, opcode uint8, wants bool, data []byte) {
		if len(data) > MaxData {
			return
		}
		s.ask(t, Message{Minor: 1, Opcode: Opcode(opcode % 16), F1: wants, Number: 7, Data: data})
	})
}
