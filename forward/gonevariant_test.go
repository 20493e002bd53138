package forward

import (
	"strings"
	"testing"
)

// A variant that the list of its URL still names has left the store: the origin, asked with
// its tag, says that it is right, and is asked for it again. Nobody gets a 304 who has not
// asked about that.
func TestAVariantThatIsGone(t *testing.T) {
	head := func(n int, fields string) string {
		return strings.Replace(sized(n), "\r\nCache-Control: ", "\r\nVary: Accept\r\n"+fields+"Cache-Control: ", 1)
	}
	for _, c := range []struct {
		fields  string
		passed  bool   // the origin's 304 is the client's
		without string // what the second request to the origin must not have
	}{
		{"Accept: a\r\n", false, "If-None-Match"},
		{"Accept: b\r\n", false, "If-None-Match"},
		{"", false, "If-None-Match"},
		{"Accept: b\r\nIf-Modified-Since: Tue, 01 Sep 2020 10:00:00 GMT\r\n", false, "If-None-Match"},
		{"Accept: b\r\nIf-None-Match: \"mine\"\r\n", false, "\"gone\""},
		{"Accept: b\r\nIf-None-Match: \"mine\", \"gone\"\r\n", true, ""},
		{"Accept: b\r\nIf-None-Match: *\r\n", true, ""},
	} {
		s := newStoring(t, "")
		v := s.visit("/", "Accept: a\r\n")
		a := s.next()
		a.say(head(2, "Age: 5000\r\nETag: \"gone\"\r\n") + "ok")
		a.end()
		v.is("ok")
		s.settled(func() bool { return s.srv.StoreStats().Objects == 2 })
		v = s.visit("/", "Accept: a\r\n")
		a = s.next()
		a.say("HTTP/1.1 304 Not Modified\r\nDate: DATE\r\nETag: \"gone\"\r\nCache-Control: private\r\n\r\n") // takes it away
		a.end()
		v.is("ok")
		s.settled(func() bool { return s.srv.StoreStats().Objects == 1 })

		v = s.visit("/", c.fields)
		a = s.next()
		if !strings.Contains(a.head, "\"gone\"") && !c.passed {
			t.Fatalf("%q: the origin was asked %q", c.fields, a.head)
		}
		a.say("HTTP/1.1 304 Not Modified\r\nDate: DATE\r\nETag: \"gone\"\r\n\r\n")
		a.end()
		if c.passed {
			if got := v.head(); !strings.HasPrefix(got, "HTTP/1.0 304") {
				t.Errorf("%q: %q", c.fields, got)
			}
			continue
		}
		a = s.next()
		if strings.Contains(a.head, c.without) {
			t.Errorf("%q: the origin was asked again with it: %q", c.fields, a.head)
		}
		a.say(head(5, "ETag: \"gone\"\r\n") + "again")
		a.end()
		if got := v.is("again"); !strings.HasPrefix(got, "HTTP/1.0 200") {
			t.Errorf("%q: %q", c.fields, got)
		}
		s.visit("/", c.fields[:strings.Index(c.fields+"\r\n", "\r\n")]+"\r\n").is("again")
		s.none()
	}
}

// A 304 that names a stored variant for another selection, and is private, is for its
// client alone: neither selection finds the variant any more.
func TestAVariantThatIsRetracted(t *testing.T) {
	for _, c := range []struct {
		control   string
		retracted bool
	}{{"private", true}, {"no-store", true}, {"max-age=100", false}} {
		s := newStoring(t, "")
		v := s.visit("/", "Accept: a\r\n")
		a := s.next()
		a.say(strings.Replace(sized(2), "\r\nCache-Control: ", "\r\nVary: Accept\r\nETag: \"e\"\r\nCache-Control: ", 1) + "ok")
		a.end()
		v.is("ok")
		s.settled(func() bool { return s.srv.StoreStats().Objects == 2 })
		v = s.visit("/", "Accept: b\r\n")
		a = s.next()
		a.say("HTTP/1.1 304 Not Modified\r\nDate: DATE\r\nETag: \"e\"\r\nCache-Control: " + c.control + "\r\n\r\n")
		a.end()
		v.is("ok")
		for _, accept := range []string{"b", "a"} {
			v = s.visit("/", "Accept: "+accept+"\r\n")
			if c.retracted {
				a = s.next()
				a.say(strings.Replace(sized(3), "Cache-Control: ", "Cache-Control: private, x=", 1) + "new")
				a.end()
				v.is("new")
				continue
			}
			v.is("ok")
			s.none()
		}
	}
}
