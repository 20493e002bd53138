package forward

import (
	"bufio"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A request that was not understood has no address and no URL for access lists,
// whoever the transaction served before: like in 2.6, src ACLs see 0.0.0.0, and
// of what looks at a request only method can match, once it was read.
func TestAccessListsOfRefusedRequests(t *testing.T) {
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
	r := start(t, nil, file(t, `
acl first src 127.0.0.1
acl get method GET
acl here myport 3128
header_access Server deny first
header_access Expires deny !first
header_access Date deny all
access_log {DIR}/access.log squid
access_log {DIR}/first squid first
access_log {DIR}/notfirst squid !first
access_log {DIR}/notget squid !get
access_log {DIR}/here squid here
access_log {DIR}/all squid all`))
	ask := func(from, request string) string {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
		c, err := d.Dial("tcp", r.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprint(c, request)
		head, err := readHead(bufio.NewReader(c))
		if err != nil {
			t.Fatal(err)
		}
		return head
	}
	const rounds = 5
	for range rounds {
		ask("127.0.0.1", "GET http://"+origin+"/ HTTP/1.0\r\n\r\n")
		for from, request := range map[string]string{"127.0.0.1": "BREW /pot HTTP/1.0\r\n\r\n", "127.0.0.2": "GET / HTTP/1.0\r\n\r\n"} {
			if head := ask(from, request); !strings.Contains(head, "\r\nServer:") || strings.Contains(head, "\r\nExpires:") || strings.Contains(head, "\r\nDate:") {
				t.Errorf("%q from %s: %q", request, from, head)
			}
		}
	}
	r.log(3 * rounds)
	for name, want := range map[string]int{"access.log": 3, "first": 1, "notfirst": 2, "notget": 1, "here": 0, "all": 3} {
		var lines []string // of the last requests some logs may have theirs a moment later
		for end := time.Now().Add(10 * time.Second); len(lines) < want*rounds && time.Now().Before(end); time.Sleep(time.Millisecond) {
			lines = linesOf(t, filepath.Join(r.dir, name))
		}
		if len(lines) != want*rounds {
			t.Errorf("%s has %d lines, want %d: %q", name, len(lines), want*rounds, lines)
		}
	}
}
