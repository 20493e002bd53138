package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// Who wants nothing stored of the answer about something stale leaves that as it is: the
// next one asks about it again (2.6 stores the answer; so there is something to ask about
// in both).
func TestNoStoreSparesWhatIsStale(t *testing.T) {
	s := newStoring(t, "")
	stale := func(body string) string {
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nDate: DATE\r\nAge: 700\r\nCache-Control: max-age=600\r\nLast-Modified: Fri, 01 Jan 2021 00:00:00 GMT\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
	for i, c := range []struct {
		fields string
		asks   bool // with a condition
		tag    string
	}{
		{"", false, "TCP_MISS/200"}, {"Cache-Control: no-store\r\n", true, "TCP_REFRESH_MISS/200"}, {"", true, "TCP_REFRESH_MISS/200"},
		{"Cache-Control: no-store, no-cache\r\n", false, "TCP_CLIENT_REFRESH_MISS/200"},
	} {
		v := s.visit("/", c.fields)
		o := s.next()
		if asks := strings.Contains(o.head, "If-Modified-Since: Fri, 01 Jan 2021"); asks != c.asks {
			t.Errorf("%d: %q", i, o.head)
		}
		body := fmt.Sprint("answer ", i)
		o.say(stale(body))
		o.end()
		v.is(body)
		if line := s.log(i + 1)[i]; !strings.Contains(line, c.tag) {
			t.Errorf("%d: %s", i, line)
		}
	}
}

// With rfc9111_rules a 502 or 504 that says how long it lasts is the answer, and where
// there is one peer any is; others, and without the rules all, have the next hop tried.
func TestErrorsThatAreMeant(t *testing.T) {
	for _, c := range []struct {
		lines, fields string
		asked         int
	}{
		{"", "Cache-Control: max-age=60\r\n", 2}, {"rfc9111_rules on", "", 2},
		{"rfc9111_rules on", "Cache-Control: max-age=60\r\n", 1}, {"rfc9111_rules on", "Last-Modified: Fri, 01 Jan 2021 00:00:00 GMT\r\n", 1},
		{"never_direct allow all", "", 3}, {"rfc9111_rules on\nnever_direct allow all", "", 1},
		{"rfc9111_rules on", "Expires: 0\r\n", 1}, {"rfc9111_rules on", "ETag: \"a\"\r\n", 1},
	} {
		for _, status := range []int{502, 504} {
			asked := make(chan bool, 10)
			o := scripted(t, func(conn *net.TCPConn, in *bufio.Reader) {
				if _, err := readHead(in); err == nil {
					asked <- true
					fmt.Fprintf(conn, "HTTP/1.1 %d Bad\r\n%sConnection: close\r\nContent-Length: 2\r\n\r\nno", status, c.fields)
				}
			})
			r := start(t, nil, file(t, "prefer_direct off\nnonhierarchical_direct off\ncache_peer "+strings.Replace(o, ":", " parent ", 1)+" 0 no-query default\n"+c.lines))
			client := r.dial()
			fmt.Fprintf(client, "GET http://%s/ HTTP/1.0\r\n\r\n", o)
			got, err := io.ReadAll(client)
			client.Close()
			if err != nil || !strings.HasSuffix(string(got), "\r\n\r\nno") || len(asked) != c.asked {
				t.Errorf("%s, %d with %q: asked %d times, %v, %q", c.lines, status, c.fields, len(asked), err, got)
			}
		}
	}
}
