package forward

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	storeStamp = regexp.MustCompile(`^\d+\.\d{3} (\w+) +-1 FFFFFFFF [0-9A-F]{32} +`)
	storeTimes = regexp.MustCompile(`\b1[0-9]{9}\b`)
)

// released gives what store.log says once there are n lines: stamp, key and moments are
// left out, and what stands in the place of the origin's name is O.
func (s *storing) released(n int) []string {
	s.t.Helper()
	var lines []string
	s.settled(func() bool {
		b, _ := os.ReadFile(s.cfg.CacheStoreLog)
		lines = strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
		return len(b) > 0 && len(lines) >= n
	})
	for i, line := range lines {
		line = storeStamp.ReplaceAllString(line, "$1 ")
		line = strings.Join(strings.Fields(storeTimes.ReplaceAllString(line, "T")), " ")
		lines[i] = strings.ReplaceAll(line, s.origin, "O")
	}
	return lines
}

func newLogged(t *testing.T, lines string) *storing {
	return newStoring(t, "cache_store_log "+t.TempDir()+"/store.log\n"+lines)
}

const unkept = "HTTP/1.1 200 OK\r\nDate: DATE\r\nContent-Type: text/plain\r\nConnection: close\r\n"

// What becomes of replies in cache_store_log, as seen in 2.6. (What it has of ordinary
// requests testdata/exchange/logs/store-log*.json show.)
func TestStoreLogOfReplies(t *testing.T) {
	for name, c := range map[string]struct {
		conf string
		play func(*storing)
		want []string
	}{
		"the client leaves within the body": {"", func(s *storing) {
			v := s.visit("/a", "")
			a := s.next()
			a.say(unkept + "Content-Length: 100000\r\n\r\n0123456789")
			v.head()
			v.some(10)
			v.leaves()
			a.gone()
		}, []string{"RELEASE 200 T -1 -1 text/plain 100000/10 GET http://O/a"}},
		"the client leaves within the body of what was to be stored": {"", func(s *storing) {
			v := s.visit("/a", "")
			a := s.next()
			a.say(sized(100000) + "0123456789")
			v.head()
			v.some(10)
			v.leaves()
			a.gone()
		}, []string{"RELEASE 200 T -1 T unknown 100000/10 GET http://O/a"}},
		"the client leaves before there is a reply": {"half_closed_clients off\n", func(s *storing) {
			v := s.visit("/a", "")
			a := s.next()
			v.leaves()
			a.gone()
		}, []string{"RELEASE 0 -1 -1 -1 unknown -1/0 GET http://O/a"}},
		"in chunks": {"server_http11 on\n", func(s *storing) {
			v := s.visit("/a", "")
			s.next().say(unkept + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")
			v.is("abcdefg")
		}, []string{"RELEASE 200 T -1 -1 text/plain -1/7 GET http://O/a"}},
		"stored, but nowhere on disk": {"", func(s *storing) {
			v := s.visit("/a", "")
			s.next().say(sized(5) + "hello")
			v.is("hello")
			s.visit("/a", "").is("hello")
		}, []string{"SO_FAIL 200 T -1 T unknown 5/5 GET http://O/a"}},
		"the same in pieces": {"", func(s *storing) {
			v := s.visit("/a", "")
			a := s.next()
			a.say(sized(5) + "hel")
			v.head()
			v.some(3)
			a.say("lo")
			a.end()
			v.rest()
		}, []string{"SO_FAIL 200 T -1 T unknown 5/5 GET http://O/a"}},
		"stored too large": {"maximum_object_size 8 KB\n", func(s *storing) {
			v := s.visit("/a", "")
			a := s.next()
			a.say(lasting + "\r\n" + text(20000))
			a.end()
			v.head()
			v.rest()
		}, []string{"RELEASE 200 T -1 T unknown -1/20000 GET http://O/a"}},
		"negative": {"negative_ttl 60 seconds\n", func(s *storing) {
			v := s.visit("/a", "")
			s.next().say("HTTP/1.1 404 Not Found\r\nDate: DATE\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
			v.is("no")
			v = s.visitBy("DELETE", "/a", "")
			s.next().say(unkept + "Content-Length: 2\r\n\r\nok")
			v.is("ok")
		}, []string{"RELEASE 404 T -1 -1 unknown 2/2 GET http://O/a", "RELEASE 200 T -1 -1 text/plain 2/2 DELETE http://O/a"}},
		"asked about and the same": {"", func(s *storing) {
			v := s.visit("/a", "")
			s.next().say("HTTP/1.1 200 OK\r\nDate: DATE\r\nLast-Modified: Sat, 01 Jan 2000 00:00:00 GMT\r\nCache-Control: max-age=0\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
			v.is("ok")
			v = s.visit("/a", "Cache-Control: max-age=0\r\n")
			a := s.next()
			a.say("HTTP/1.1 304 Not Modified\r\nDate: DATE\r\nConnection: close\r\n\r\n")
			a.end()
			v.is("ok")
		}, []string{"SO_FAIL 200 T 946684800 T unknown 2/2 GET http://O/a", "RELEASE 304 T -1 -1 unknown -1/0 GET http://O/a"}},
		"replaced": {"", func(s *storing) {
			for _, fields := range []string{"", "Cache-Control: no-cache\r\n"} {
				v := s.visit("/a", fields)
				s.next().say(sized(5) + "hello")
				v.is("hello")
			}
		}, []string{"SO_FAIL 200 T -1 T unknown 5/5 GET http://O/a", "RELEASE 200 T -1 T unknown 5/5 GET http://O/a", "SO_FAIL 200 T -1 T unknown 5/5 GET http://O/a"}},
		"rewritten": {"url_rewrite_program " + helperScript(t, `set -- $l; echo "$1/more"`) + "\nurl_rewrite_children 1\n", func(s *storing) {
			for _, head := range []string{sized(5), unkept + "Content-Length: 5\r\n\r\n"} {
				v := s.visit("/a", "Cache-Control: no-cache\r\n")
				a := s.next()
				if !strings.HasPrefix(a.head, "GET /a/more ") {
					s.t.Errorf("%q", a.head)
				}
				a.say(head + "hello")
				v.is("hello")
			}
		}, []string{"SO_FAIL 200 T -1 T unknown 5/5 GET http://O/a", "RELEASE 200 T -1 T unknown 5/5 GET http://O/a/more", "RELEASE 200 T -1 -1 text/plain 5/5 GET http://O/a"}},
		"purged": {"acl purges method PURGE\nhttp_access allow all\nhttp_access deny purges\n", func(s *storing) {
			v := s.visit("/a", "")
			s.next().say(sized(5) + "hello")
			v.is("hello")
			for range 2 {
				v = s.visitBy("PURGE", "/a", "")
				v.head()
				v.rest()
			}
		}, []string{"SO_FAIL 200 T -1 T unknown 5/5 GET http://O/a", "RELEASE 200 T -1 T unknown 5/5 GET http://O/a",
			"RELEASE 200 T 0 -1 unknown 0/0 PURGE http://O/a", "RELEASE 404 T 0 -1 unknown 0/0 PURGE http://O/a"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newLogged(t, c.conf)
			c.play(s)
			if got := s.released(len(c.want)); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// A page of the proxy's own is shown with its length, whether it is sent or, after HEAD,
// only announced.
func TestStoreLogOfPages(t *testing.T) {
	s := newLogged(t, "acl secret urlpath_regex ^/secret\nhttp_access deny secret\nhttp_access allow all\n")
	v := s.visit("/secret", "")
	head := v.head()
	body := v.rest()
	v = s.visitBy("HEAD", "/secret", "")
	v.head()
	v.rest()
	length := regexp.MustCompile(`Content-Length: (\d+)`).FindStringSubmatch(head)[1]
	size := regexp.MustCompile(`text/html (\d+)/(\d+) `)
	for i, line := range s.released(2) {
		m := size.FindStringSubmatch(line)
		if m == nil || m[1] != length || m[2] != length || !strings.HasPrefix(line, "RELEASE 403 T 0 T ") {
			t.Errorf("line %d: %q, want %s octets of %d", i, line, length, len(body))
		}
	}
}

// Without a cache_store_log nothing is written, and nothing else changes.
func TestStoreLogNone(t *testing.T) {
	s := newStoring(t, "cache_store_log none\n")
	v := s.visit("/a", "")
	s.next().say(unkept + "Content-Length: 2\r\n\r\nok")
	v.is("ok")
	if s.srv.logs().WantsStore() {
		t.Error("there is a store.log")
	}
	if got := s.log(1); len(got) != 1 || s.cfg.CacheStoreLog != "none" {
		t.Errorf("%q", got)
	}
}
