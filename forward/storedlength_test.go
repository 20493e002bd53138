package forward

import (
	"strings"
	"testing"
)

// A Content-Length that is no number reaches nobody, out of a miss or of the store, which
// knows the length then: who reads it behind us could take it for one.
func TestStoredWithALengthThatIsNone(t *testing.T) {
	for _, length := range []string{"2, 2", "-2", "+2", "0x2", "2 2", "", "99999999999999999999", "\r\n 2"} {
		s := newStoring(t, "")
		v := s.visit("/", "")
		a := s.next()
		a.say("HTTP/1.1 200 OK\r\nDate: DATE\r\nCache-Control: max-age=600\r\nContent-Length: " + length + "\r\n\r\nok")
		a.end()
		head := v.head()
		v.rest()
		if strings.Contains(head, "Content-Length") {
			t.Errorf("%q: the miss has it: %q", length, head)
		}
		s.settled(func() bool { return s.srv.StoreStats().Stored == 1 })
		v = s.visit("/", "")
		head = v.head()
		if body := v.rest(); strings.Count(head, "Content-Length") != 1 || !strings.Contains(head, "Content-Length: 2\r\n") || body != "ok" {
			t.Errorf("%q: the hit: %q %q", length, head, body)
		}
		s.none()
	}
}

// Of a reply with more behind its head than it announces nobody knows what is right: it is
// passed on as announced and not stored.
func TestMoreThanAnnouncedIsNotStored(t *testing.T) {
	for _, status := range []string{"200 OK", "204 No Content", "404 Not Found"} {
		s := newStoring(t, "negative_ttl 5 minutes")
		for range 2 {
			v := s.visit("/", "")
			a := s.next()
			a.say("HTTP/1.1 " + status + "\r\nDate: DATE\r\nCache-Control: max-age=600\r\nContent-Length: 2\r\n\r\nok, and more")
			a.end()
			v.head()
			if got := v.rest(); got != "ok" && !strings.HasPrefix(status, "204") {
				t.Errorf("%s: %q", status, got)
			}
		}
		if st := s.srv.StoreStats(); st.Stored != 0 {
			t.Errorf("%s: stored %d", status, st.Stored)
		}
	}
}
