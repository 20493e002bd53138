package forward

import (
	"strings"
	"testing"
)

// A 304 after which what is stored is no longer for everybody answers the request it came
// for, and nobody else.
func TestRetractedByA304(t *testing.T) {
	const modified = "\r\nLast-Modified: Tue, 01 Sep 2020 10:00:00 GMT"
	for _, c := range []struct {
		lines, stored, fields string
		retracted             bool
	}{
		{"", "", "Cache-Control: private", true},
		{"", "", "Cache-Control: no-store", true},
		{"", "", "Vary: *", true},
		{"", "", "Vary: Cookie", true},
		{"", "\r\nVary: Accept", "Vary: accept, cookie", true},
		{"update_headers off", "", "Vary: Cookie", true},
		{"", "\r\nVary: Accept, Cookie", "Vary: cookie", false},
		{"", "", "Cache-Control: max-age=700", false},
		{"refresh_pattern . 0 20% 4320 ignore-private", "", "Cache-Control: private", false},
	} {
		s := newStoring(t, c.lines)
		v := s.visit("/", "")
		a := s.next()
		a.say(strings.Replace(sized(2), "\r\nCache-Control: ", "\r\nAge: 700"+modified+c.stored+"\r\nCache-Control: max-age=600, x=", 1) + "ok")
		a.end()
		v.is("ok")
		s.settled(func() bool { return s.srv.StoreStats().Stored > 0 })
		v = s.visit("/", "")
		a = s.next()
		if !strings.Contains(a.head, "If-Modified-Since") {
			t.Fatalf("%s: not asked about: %q", c.fields, a.head)
		}
		a.say("HTTP/1.1 304 Not Modified\r\nDate: DATE\r\n" + c.fields + "\r\n\r\n")
		a.end()
		v.is("ok")
		v = s.visit("/", "")
		if c.retracted {
			a = s.next()
			if strings.Contains(a.head, "If-Modified-Since") {
				t.Errorf("%s: still asked about: %q", c.fields, a.head)
			}
			a.say(sized(3) + "new")
			a.end()
			v.is("new")
			continue
		}
		v.is("ok")
		s.none()
	}
}
