package forward

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// external_refresh_check calls stale objects fresh: the origin is not asked then, and its
// word counts until it ends; what the client or the origin demands counts more.
func TestRefreshCheck(t *testing.T) {
	s := newStoring(t, "external_refresh_check children=1 %CACHE_URI %RES{X-Channel} "+helperScript(t,
		`case "$l" in */fresh*" c1") echo "FRESH freshness=100 res{X-Said}=yes";; *) echo STALE;; esac`))
	old := time.Now().Add(-50 * time.Second).UTC().Format(http.TimeFormat)
	fill := func(path, control string) {
		t.Helper()
		v := s.visit(path, "")
		a := s.next()
		a.say("HTTP/1.0 200 OK\r\nDate: " + old + "\r\nCache-Control: " + control + "\r\nLast-Modified: Mon, 01 Jan 2024 00:00:00 GMT\r\nX-Channel: c1\r\nContent-Length: 3\r\n\r\nold")
		v.is("old")
		a.end()
	}
	again := func(path, fields, said string) {
		t.Helper()
		v := s.visit(path, fields)
		a := s.next()
		a.say("HTTP/1.0 200 OK\r\nDate: DATE\r\nCache-Control: no-store\r\nContent-Length: 3\r\n\r\nnew")
		v.is(said)
		a.end()
	}
	fill("/fresh", "max-age=10")
	for range 2 { // the second time nobody is asked
		head := s.visit("/fresh", "").is("old")
		if !strings.Contains(head, "X-Said: yes\r\n") || !strings.Contains(head, "X-Cache: HIT") {
			t.Errorf("%q", head)
		}
		s.none()
	}
	fill("/stale", "max-age=10")
	again("/stale", "", "new")
	fill("/fresh/must", "max-age=10, must-revalidate")
	again("/fresh/must", "", "new")
	fill("/fresh/age", "max-age=10")
	again("/fresh/age", "Cache-Control: max-age=0\r\n", "new")
	if tags := s.log(9); !strings.Contains(tags[1], "TCP_REFRESH_HIT/200") || !strings.Contains(tags[2], "TCP_MEM_HIT/200") {
		t.Errorf("%q", tags)
	}
}
