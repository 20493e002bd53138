package forward

import (
	"fmt"
	"strings"
	"testing"
)

// Whatever a 304 says about framing, parts or codings, the stored body stays what it was,
// whole and under its own length, for who asked and for those who come later; and nothing
// of the 304's can end a head early.
func TestA304CannotChangeTheFraming(t *testing.T) {
	body := text(5000)
	for _, fields := range []string{
		"Content-Length: 10\r\n", "Content-Length: 0\r\n", "Content-Length: 999999\r\n", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: gzip, chunked\r\n",
		"Content-Range: bytes 0-9/5000\r\n", "Content-Encoding: gzip\r\n", "Connection: Content-Length, ETag\r\n", "Trailer: X\r\n", "X-A: b\r\n\tSet-Cookie: c\r\n",
		"X-A: a\rContent-Length: 3\r\n", "Vary: *\r\n", "Vary: Cookie\r\n", "Age: 99999999999999\r\n", "Expires: Thu, 01 Jan 9999 00:00:00 GMT\r\n", "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n",
	} {
		s := newStoring(t, "")
		v := s.visit("/", "")
		o := s.next()
		o.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nDate: DATE\r\nCache-Control: max-age=0\r\nETag: \"e\"\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		o.end()
		v.is(body)
		s.settled(func() bool { return s.srv.StoreStats().Stored == 1 })
		for range 2 {
			v = s.visit("/", "")
			o = s.next()
			if !strings.Contains(o.head, "If-None-Match: \"e\"") { // it was stored no more
				o.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nDate: DATE\r\nCache-Control: max-age=0\r\nETag: \"e\"\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
			} else {
				o.say("HTTP/1.1 304 Not Modified\r\nETag: \"e\"\r\n" + fields + "\r\n")
			}
			o.end()
			head := v.head()
			if strings.HasPrefix(head, "HTTP/1.0 502") {
				v.rest()
				continue
			}
			got := v.rest()
			if got != body || strings.Count(head, "\r\nContent-Length:") != 1 || !strings.Contains(head, fmt.Sprintf("\r\nContent-Length: %d\r\n", len(body))) ||
				strings.Contains(head, "Transfer-Encoding") || strings.Contains(head, "Content-Range") || strings.Contains(head, "\nSet-Cookie") {
				t.Errorf("%q: %d octets behind %q", fields, len(got), head)
			}
		}
	}
}
