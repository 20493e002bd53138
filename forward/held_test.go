package forward

import (
	"fmt"
	"strings"
	"testing"
)

// What has come of a body that is not whole yet answers who asks for no more than that,
// and nobody else.
func TestPartsThatAreHeld(t *testing.T) {
	const size = 300000
	body := text(size)
	hit := func(from, to int) string { return body[from:to] }
	for name, c := range map[string]struct {
		part, fields string // of the reply that brought octets 1000 to 200999, and of the next request
		want         string // its answer, "" where the origin is asked
	}{
		"inside":            {"", "Range: bytes=1000-1999", hit(1000, 2000)},
		"all":               {"", "Range: bytes=1000-200999", hit(1000, 201000)},
		"blocks":            {"", "Range: bytes=65530-131080", hit(65530, 131081)},
		"before":            {"", "Range: bytes=999-1000", ""},
		"behind":            {"", "Range: bytes=200999-201000", ""},
		"the end":           {"", "Range: bytes=-10", ""},
		"open":              {"", "Range: bytes=1000-", ""},
		"past the end":      {"", "Range: bytes=300000-", ""},
		"several":           {"", "Range: bytes=1000-1009,1020-1029", ""},
		"no range":          {"", "Accept: x", ""},
		"malformed":         {"", "Range: octets=1000-1009", ""},
		"same tag":          {"", "Range: bytes=1000-1009\r\nIf-Range: \"a\"", hit(1000, 1010)},
		"another tag":       {"", "Range: bytes=1000-1009\r\nIf-Range: \"b\"", ""},
		"condition":         {"", "Range: bytes=1000-1009\r\nIf-None-Match: \"a\"", ""},
		"must match":        {"", "Range: bytes=1000-1009\r\nIf-Match: \"b\"", ""},
		"reload":            {"", "Range: bytes=1000-1009\r\nCache-Control: no-cache", ""},
		"too old":           {"Age: 10", "Range: bytes=1000-1009\r\nCache-Control: max-age=5", ""},
		"stale":             {"Age: 5000", "Range: bytes=1000-1009", ""},
		"for nobody else":   {"Cache-Control: private", "Range: bytes=1000-1009", ""},
		"of the variant":    {"Vary: Accept", "Range: bytes=1000-1009\r\nAccept: x", hit(1000, 1010)},
		"of another":        {"Vary: Accept", "Range: bytes=1000-1009\r\nAccept: y", ""},
		"only if cached":    {"", "Range: bytes=1000-1009\r\nCache-Control: only-if-cached", hit(1000, 1010)},
		"with its own name": {"Set-Cookie: a=b", "Range: bytes=1000-1009", hit(1000, 1010)},
	} {
		s := newStoring(t, "")
		v := s.visit("/", "Range: bytes=1000-200999\r\nAccept: x\r\n")
		o := s.next()
		if c.part != "" {
			c.part += "\r\n"
		}
		o.say(tagged(1000, 201000, size, `"a"`, c.part) + body[1000:201000])
		o.end()
		v.is(body[1000:201000])
		if st := s.srv.StoreStats(); c.part == "" && (st.Joining != 1 || st.JoiningBytes != 4*64<<10 || st.Objects != 0) {
			t.Errorf("%s: %+v", name, st)
		}
		v = s.visit("/", c.fields+"\r\n")
		if c.want == "" {
			o := s.next()
			if asked, _, _ := strings.Cut(c.fields, "\r\n"); !strings.Contains(o.head, asked) {
				t.Errorf("%s: the origin was asked %q", name, o.head)
			}
			o.say(sized(2) + "ok")
			o.end()
			if head := v.is("ok"); !strings.Contains(head, "X-Cache: MISS") {
				t.Errorf("%s: %q", name, head)
			}
			continue
		}
		head := v.is(c.want)
		from := strings.Index(body, c.want[:10])
		if !strings.HasPrefix(head, "HTTP/1.0 206") || !strings.Contains(head, "X-Cache: HIT") || strings.Contains(head, "Set-Cookie") ||
			!strings.Contains(head, fmt.Sprintf("Content-Range: bytes %d-%d/%d\r\n", from, from+len(c.want)-1, size)) ||
			strings.Count(head, "Content-Length:") != 1 || !strings.Contains(head, fmt.Sprintf("Content-Length: %d\r\n", len(c.want))) {
			t.Errorf("%s: %q", name, head)
		}
		s.none()
		if lines := s.log(2); !strings.Contains(lines[1], "TCP_MEM_HIT/206") {
			t.Errorf("%s: %q", name, lines)
		}
	}
}

// Nothing is held for a URL any more when it is purged; who is being sent some of it gets
// that.
func TestPartsThatArePurgedWhileSent(t *testing.T) {
	const size = 20 << 20
	body := text(size)
	s := newStoring(t, "cache_mem 256 MB\nacl purging method PURGE\nhttp_access allow purging\nhttp_access allow all")
	v := s.visit("/", "Range: bytes=0-18999999\r\n")
	o := s.next()
	go func() {
		o.say(tagged(0, 19000000, size, `"a"`, "") + body[:19000000])
		o.end()
	}()
	v.is(body[:19000000])
	slow := s.visit("/", "Range: bytes=1-18999998\r\n")
	slow.head()
	s.visitBy("PURGE", "/", "").rest()
	if st := s.srv.StoreStats(); st.Joining != 0 || st.JoiningBytes == 0 {
		t.Errorf("while it is sent: %d of %d bytes", st.Joining, st.JoiningBytes)
	}
	next := s.visit("/", "Range: bytes=1-9\r\n")
	again := s.next()
	again.say(sized(2) + "ok")
	again.end()
	next.is("ok")
	if got := slow.rest(); got != body[1:18999999] {
		t.Errorf("%d octets", len(got))
	}
	s.settled(func() bool { return s.srv.StoreStats().JoiningBytes == 0 })
}
