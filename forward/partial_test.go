package forward

import (
	"fmt"
	"strings"
	"testing"
)

// partOf is the head of a 206 with these octets of a body of so many.
func partOf(from, to, size int) string {
	head := strings.Replace(sized(to-from), " 200 OK", " 206 Partial Content", 1)
	return strings.Replace(head, "\r\nCache", fmt.Sprintf("\r\nContent-Range: bytes %d-%d/%d\r\nCache", from, to-1, size), 1)
}

// A part that begins beyond what has come of an object on its way is asked for at the
// origin, and does not touch the object; what is there already, or within
// range_offset_limit, comes from it.
func TestPartsAheadOfWhatComes(t *testing.T) {
	body := text(100000)
	for _, c := range []struct {
		limit, asked string
		ahead        bool
	}{
		{"0 KB", "bytes=50000-50009", true},
		{"0 KB", "bytes=90000-", true},
		{"0 KB", "bytes=0-9", false},
		{"0 KB", "bytes=-10", false},
		{"60 KB", "bytes=50000-50009", false},
		{"60 KB", "bytes=90000-", true},
		{"-1 KB", "bytes=90000-", false},
	} {
		s := newStoring(t, "quick_abort_min -1 KB\nrange_offset_limit "+c.limit)
		whole := s.visit("/", "")
		a := s.next()
		a.say(sized(len(body)) + body[:1500])
		whole.head()
		v := s.visit("/", "Range: "+c.asked+"\r\n")
		if c.ahead {
			b := s.next()
			if !strings.Contains(b.head, "Range: "+c.asked) {
				t.Errorf("%s %s: the origin was asked %q", c.limit, c.asked, b.head)
			}
			b.say(partOf(90000, 90010, len(body)) + body[90000:90010])
			if head := v.head(); !strings.Contains(head, "X-Cache: MISS") || !strings.Contains(head, "X-Cache-Lookup: HIT") {
				t.Errorf("%s %s: %q", c.limit, c.asked, head)
			}
			b.end()
			v.rest()
			s.none()
		}
		a.say(body[1500:])
		a.end()
		if got := whole.rest(); got != body {
			t.Errorf("%s %s: %d octets of the whole", c.limit, c.asked, len(got))
		}
		if !c.ahead {
			if head := v.head(); !strings.Contains(head, " 206 ") || !strings.Contains(head, "X-Cache: HIT") {
				t.Errorf("%s %s: %q", c.limit, c.asked, head)
			}
			v.rest()
		}
		s.settled(func() bool { return s.srv.StoreStats().Stored == 1 })
		s.visit("/", "").is(body)
		s.none()
	}
}

// With range_offset_limit the whole is fetched for who asks for a part, gets that while
// the whole comes in, and it is stored.
func TestRangesOutOfAMiss(t *testing.T) {
	body := text(100000)
	for _, c := range []struct {
		limit, asked string
		whole        bool
		want         string // of the client's body
	}{
		{"-1 KB", "bytes=100-199", true, body[100:200]},
		{"-1 KB", "bytes=99000-", true, body[99000:]},
		{"-1 KB", "bytes=-10", true, body[99990:]},
		{"1 KB", "bytes=1000-1999", true, body[1000:2000]},
		{"1 KB", "bytes=5000-5009", false, body[5000:5010]},
		{"0 KB", "bytes=100-199", false, body[100:200]},
	} {
		s := newStoring(t, "quick_abort_min -1 KB\nrange_offset_limit "+c.limit)
		v := s.visit("/", "Range: "+c.asked+"\r\n")
		a := s.next()
		if whole := !strings.Contains(a.head, "Range:"); whole != c.whole {
			t.Errorf("%s %s: the origin was asked %q", c.limit, c.asked, a.head)
		}
		if c.whole {
			a.say(sized(len(body)) + body[:1500])
			if head := v.head(); !strings.HasPrefix(head, "HTTP/1.0 206") || !strings.Contains(head, fmt.Sprintf("/%d\r\n", len(body))) || !strings.Contains(head, "X-Cache: MISS") {
				t.Errorf("%s %s: %q", c.limit, c.asked, head)
			}
			a.say(body[1500:])
		} else {
			a.say(partOf(strings.Index(body, c.want), strings.Index(body, c.want)+len(c.want), len(body)) + c.want)
			v.head()
		}
		a.end()
		if got := v.rest(); got != c.want {
			t.Errorf("%s %s: %d octets %.50q, want %d %.50q", c.limit, c.asked, len(got), got, len(c.want), c.want)
		}
		if c.whole {
			s.settled(func() bool { return s.srv.StoreStats().Stored == 1 })
			s.visit("/", "").is(body)
			s.none()
			continue
		}
		next := s.visit("/", "")
		b := s.next()
		b.say(sized(2) + "ok")
		b.end()
		next.is("ok")
	}
}

// Several parts out of a miss are multipart/byteranges as out of a hit.
func TestPartsOutOfAMiss(t *testing.T) {
	s := newStoring(t, "range_offset_limit -1 KB")
	const asked = "Range: bytes=10-19,500-509\r\n"
	v := s.visit("/", asked)
	a := s.next()
	a.say(sized(1000) + text(1000))
	a.end()
	head, missed := v.head(), v.rest()
	if !strings.HasPrefix(head, "HTTP/1.0 206") || !strings.Contains(missed, text(1000)[10:20]) || !strings.Contains(missed, text(1000)[500:510]) {
		t.Errorf("%q %q", head, missed)
	}
	s.settled(func() bool { return s.srv.StoreStats().Stored == 1 })
	hit := s.visit("/", asked)
	hit.head()
	if got := hit.rest(); got != missed {
		t.Errorf("%q out of a hit, %q out of a miss", got, missed)
	}
	s.none()
}

// A part that the whole was fetched for is cut out of that also where it is not stored.
func TestPartsOfWhatIsNotStored(t *testing.T) {
	body := text(100000)
	for asked, want := range map[string]string{"bytes=100-199": body[100:200], "bytes=-10": body[99990:], "bytes=0-": body, "bytes=100000-": body, "bytes=5-1": body} {
		for _, fields := range []string{"Cache-Control: private\r\n", "Cache-Control: no-store\r\n", ""} {
			s := newStoring(t, "range_offset_limit -1 KB")
			v := s.visit("/", "Range: "+asked+"\r\n")
			o := s.next()
			o.say(fmt.Sprintf("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n", fields, len(body)) + body)
			o.end()
			head := v.is(want)
			if partial := strings.HasPrefix(head, "HTTP/1.0 206"); partial != (len(want) < len(body) || asked == "bytes=0-") || partial != strings.Contains(head, "\r\nContent-Range: bytes ") {
				t.Errorf("%s %q: %q", asked, fields, head)
			}
		}
	}
	s := newStoring(t, "range_offset_limit -1 KB")
	v := s.visit("/", "Range: bytes=0-9,500-509\r\n")
	o := s.next()
	o.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nCache-Control: private\r\nContent-Length: %d\r\n\r\n", len(body)) + body)
	o.end()
	head, parts := v.head(), v.rest()
	if !strings.Contains(head, "multipart/byteranges") || !strings.Contains(head, fmt.Sprintf("Content-Length: %d\r\n", len(parts))) ||
		!strings.Contains(parts, "\r\n\r\n"+body[:10]+"\r\n") || !strings.Contains(parts, "\r\n\r\n"+body[500:510]+"\r\n") {
		t.Errorf("%q %q", head, parts)
	}
	s = newStoring(t, "range_offset_limit -1 KB")
	v = s.visit("/", "Range: bytes=100-199\r\n")
	o = s.next()
	o.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nCache-Control: private\r\nContent-Length: %d\r\n\r\n", len(body)) + body[:150])
	o.end()
	if v.head(); v.rest() != body[100:150] {
		t.Error("a part of a body that was cut")
	}
}

// A 206 with the whole body is stored, as the 200 it is for others.
func TestAPartThatIsTheWhole(t *testing.T) {
	s := newStoring(t, "")
	v := s.visit("/", "Range: bytes=0-\r\n")
	a := s.next()
	if !strings.Contains(a.head, "Range: bytes=0-") {
		t.Errorf("%q", a.head)
	}
	a.say(partOf(0, 1000, 1000) + text(1000))
	a.end()
	if head := v.is(text(1000)); !strings.HasPrefix(head, "HTTP/1.0 206") || !strings.Contains(head, "Content-Range: bytes 0-999/1000\r\n") {
		t.Errorf("%q", head)
	}
	s.settled(func() bool { return s.srv.StoreStats().Stored == 1 })
	if head := s.visit("/", "").is(text(1000)); !strings.HasPrefix(head, "HTTP/1.0 200 OK") || strings.Contains(head, "Content-Range") || !strings.Contains(head, "Content-Length: 1000\r\n") {
		t.Errorf("%q", head)
	}
	s.none()
}

// One whose body ends too early is not.
func TestAWholePartCutShort(t *testing.T) {
	s := newStoring(t, "")
	v := s.visit("/", "Range: bytes=0-\r\n")
	a := s.next()
	a.say(partOf(0, 1000, 1000) + text(999))
	a.end()
	v.head()
	if got := v.rest(); got != text(999) {
		t.Errorf("%d octets", len(got))
	}
	s.settled(func() bool { return s.srv.StoreStats().Aborted == 1 })
	if n := s.srv.StoreStats().Objects; n != 0 {
		t.Errorf("%d objects", n)
	}
}

// tagged is the head of a 206 with an entity tag and more fields.
func tagged(from, to, size int, tag, fields string) string {
	return strings.Replace(partOf(from, to, size), "\r\nCache", "\r\nETag: "+tag+"\r\n"+fields+"Cache", 1)
}

// Parts that make up the whole are stored as that, in whatever order they come, also
// where one of them was cut; not where something says that they are of several bodies.
func TestPartsThatMakeUpTheWhole(t *testing.T) {
	size := 300000
	body := text(size)
	type piece struct {
		from, to, cut int // cut octets of the part never come
		tag, fields   string
	}
	const a = `"a"`
	for name, c := range map[string]struct {
		pieces []piece
		want   bool
	}{
		"in order":       {[]piece{{0, 100000, 0, a, ""}, {100000, 200000, 0, a, ""}, {200000, size, 0, a, ""}}, true},
		"backwards":      {[]piece{{200000, size, 0, a, ""}, {100000, 200000, 0, a, ""}, {0, 100000, 0, a, ""}}, true},
		"overlapping":    {[]piece{{0, 150000, 0, a, ""}, {100000, size, 0, a, ""}}, true},
		"cut, then more": {[]piece{{0, 200000, 50000, a, ""}, {140000, size, 0, a, ""}}, true},
		"a gap":          {[]piece{{0, 100000, 0, a, ""}, {100001, size, 0, a, ""}}, false},
		"cut":            {[]piece{{0, 100000, 1, a, ""}, {100000, size, 0, a, ""}}, false},
		"weak":           {[]piece{{0, 100000, 0, `W/"a"`, ""}, {100000, size, 0, `W/"a"`, ""}}, false},
		"another tag":    {[]piece{{0, 100000, 0, a, ""}, {100000, size, 0, `"b"`, ""}}, false},
		"private":        {[]piece{{0, 100000, 0, a, ""}, {100000, size, 0, a, "Cache-Control: private\r\n"}}, false},
		"no-store":       {[]piece{{0, 100000, 0, a, "Cache-Control: no-store\r\n"}, {100000, size, 0, a, ""}}, false},
		"another twice":  {[]piece{{0, 100000, 0, a, ""}, {0, 100001, 0, `"b"`, ""}, {100000, size, 0, `"b"`, ""}}, true},
		"varying":        {[]piece{{0, 100000, 0, a, "Vary: Accept\r\n"}, {100000, size, 0, a, "Vary: Accept\r\n"}}, true},
		"of no bound":    {[]piece{{0, 100000, 0, a, "Vary: *\r\n"}, {100000, size, 0, a, "Vary: *\r\n"}}, false},
	} {
		s := newStoring(t, "")
		for _, p := range c.pieces {
			v := s.visit("/", fmt.Sprintf("Range: bytes=%d-%d\r\nAccept: x\r\n", p.from, p.to-1))
			o := s.next()
			if !strings.Contains(o.head, "Range:") {
				t.Errorf("%s: %q", name, o.head)
			}
			o.say(tagged(p.from, p.to, size, p.tag, p.fields) + body[p.from:p.to-p.cut])
			o.end()
			if head := v.is(body[p.from : p.to-p.cut]); !strings.HasPrefix(head, "HTTP/1.0 206") {
				t.Errorf("%s: %q", name, head)
			}
		}
		if !c.want {
			if v := s.visit("/", "Accept: x\r\n"); true {
				o := s.next()
				o.say(sized(2) + "ok")
				o.end()
				v.is("ok")
			}
			continue
		}
		s.settled(func() bool { return s.srv.StoreStats().Stored >= 1 })
		last := c.pieces[len(c.pieces)-1]
		if last.fields != "" {
			s.settled(func() bool { return s.srv.StoreStats().Objects == 2 })
		}
		head := s.visit("/", "Accept: x\r\n").is(body)
		if !strings.HasPrefix(head, "HTTP/1.0 200 OK") || strings.Contains(head, "Content-Range") ||
			strings.Count(head, "Content-Length:") != 1 || !strings.Contains(head, fmt.Sprintf("Content-Length: %d\r\n", size)) || !strings.Contains(head, "ETag: "+last.tag) {
			t.Errorf("%s: %q", name, head)
		}
		s.visit("/", "Accept: x\r\nRange: bytes=99990-100009\r\n").is(body[99990:100010])
		s.none()
	}
}

// What makes what is stored for a URL worthless ends what was joined for it, too.
func TestPartsOfWhatIsPurged(t *testing.T) {
	body := text(200000)
	for name, between := range map[string]func(s *storing){
		"PURGE": func(s *storing) { s.visitBy("PURGE", "/", "").rest() },
		"POST": func(s *storing) {
			v := s.visitBy("POST", "/", "Content-Length: 0\r\n")
			o := s.next()
			o.say(sized(2) + "ok")
			o.end()
			v.is("ok")
		},
		"gone": func(s *storing) {
			v := s.visit("/", "")
			o := s.next()
			o.say("HTTP/1.1 410 Gone\r\nDate: DATE\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\nno")
			o.end()
			v.is("no")
		},
		"a newer whole": func(s *storing) {
			v := s.visit("/", "Cache-Control: no-cache\r\n")
			o := s.next()
			o.say(strings.Replace(sized(3), "max-age=1000", "max-age=1", 1) + "new")
			o.end()
			v.is("new")
			s.settled(func() bool { return s.srv.StoreStats().Stored == 1 })
			s.visitBy("PURGE", "/", "").rest()
		},
	} {
		s := newStoring(t, "acl purging method PURGE\nhttp_access allow purging\nhttp_access allow all")
		part := func(from, to int) {
			v := s.visit("/", fmt.Sprintf("Range: bytes=%d-%d\r\n", from, to-1))
			o := s.next()
			o.say(tagged(from, to, len(body), `"a"`, "") + body[from:to])
			o.end()
			v.is(body[from:to])
		}
		part(0, 100000)
		between(s)
		part(100000, len(body))
		v := s.visit("/", "")
		o := s.next()
		o.say(sized(2) + "ok")
		o.end()
		if got := v.head(); !strings.Contains(got, "X-Cache: MISS") {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// A body larger than what may be joined passes as it is, and takes no memory.
func TestPartsOfWhatIsTooLarge(t *testing.T) {
	s := newStoring(t, "cache_mem 8 MB")
	for _, from := range []int{0, 3 << 20} {
		to := from + 3<<20
		v := s.visit("/", fmt.Sprintf("Range: bytes=%d-%d\r\n", from, to-1))
		o := s.next()
		go func() {
			o.say(tagged(from, to, 6<<20, `"a"`, "") + text(3<<20))
			o.end()
		}()
		v.is(text(3 << 20))
	}
	if st := s.srv.StoreStats(); st.Begun != 0 {
		t.Errorf("%+v", st)
	}
}
