package forward

import (
	"regexp"
	"strings"
	"testing"
)

// What Cache-Status says of each way to answer (RFC 9211), and that nothing is said
// without cache_status_header.
func TestCacheStatus(t *testing.T) {
	for _, lines := range []string{"cache_status_header on", ""} {
		s := newStoring(t, lines)
		field := regexp.MustCompile(`(?m)^Cache-Status: (.*)\r$`)
		ask := func(path, fields, reply, want string) {
			t.Helper()
			v := s.visit(path, fields)
			if reply != "" {
				a := s.next()
				a.say(reply)
				a.end()
			}
			head := v.head()
			v.rest()
			got := ""
			for _, m := range field.FindAllStringSubmatch(head, -1) {
				got += m[1] + "|"
			}
			if lines == "" {
				want = ""
			}
			if got = regexp.MustCompile(`ttl=-?\d+`).ReplaceAllString(got, "ttl=N"); got != want {
				t.Errorf("%q: %q, want %q", lines, got, want)
			}
		}
		tagged := strings.Replace(sized(2), "\r\nCache", "\r\nAge: 5\r\nETag: \"e\"\r\nCache", 1) + "ok"
		ask("/", "", tagged, "proxy.test; fwd=uri-miss; fwd-status=200; stored|")
		s.settled(func() bool { return s.srv.StoreStats().Stored == 1 })
		ask("/", "", "", "proxy.test; hit; ttl=N|")
		ask("/", "If-None-Match: \"e\"\r\n", "", "proxy.test; hit; ttl=N|")
		ask("/", "Cache-Control: max-age=1\r\n", "HTTP/1.1 304 Not Modified\r\nDate: DATE\r\nETag: \"e\"\r\nConnection: close\r\n\r\n", "proxy.test; fwd=stale; fwd-status=304; ttl=N|")
		ask("/", "Cache-Control: no-cache\r\n", tagged, "proxy.test; fwd=request; fwd-status=200; stored|")
		ask("/other", "Cache-Control: no-store\r\n", "HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "proxy.test; fwd=uri-miss; fwd-status=404|")
		v := s.visitBy("POST", "/", "Content-Length: 0\r\n")
		a := s.next()
		a.say(sized(2) + "ok")
		a.end()
		if head := v.head(); (lines == "") == strings.Contains(head, "Cache-Status: proxy.test; fwd=method; fwd-status=200\r\n") {
			t.Errorf("%q: %q", lines, head)
		}
	}
}

// The access list cache looks at the address a trusted proxy names, when told to.
func TestCacheUsesIndirectClient(t *testing.T) {
	for switched, keeps := range map[string]bool{"on": false, "off": true} {
		s := newStoring(t, "acl us src 127.0.0.1\nacl them src 192.0.2.1\nfollow_x_forwarded_for allow us\nacl_uses_indirect_client off\ncache deny them\ncache_uses_indirect_client "+switched)
		for i := range 2 {
			v := s.visit("/", "X-Forwarded-For: 192.0.2.1\r\n")
			if i == 0 || !keeps {
				a := s.next()
				a.say(sized(2) + "ok")
				a.end()
			}
			v.is("ok")
			s.settled(func() bool { return !keeps || s.srv.StoreStats().Stored == 1 })
		}
		s.none()
	}
}
