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
