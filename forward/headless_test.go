package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"testing"
)

// upgrade_http0.9 decides whether what has no head is given one, by its first line.
func TestAnswersWithoutAHead(t *testing.T) {
	for _, c := range []struct {
		lines, said string
		upgraded    bool
	}{
		{"", "ICY 200 OK\r\nicy-name: x\r\n\r\nmusic", true},
		{"acl shoutcast rep_header X-HTTP09-First-Line ^ICY.[0-9]\nupgrade_http0.9 deny shoutcast", "ICY 200 OK\r\nicy-name: x\r\n\r\nmusic", false},
		{"acl shoutcast rep_header X-HTTP09-First-Line ^ICY.[0-9]\nupgrade_http0.9 deny shoutcast", "plain text", true},
		{"acl shoutcast rep_header X-HTTP09-First-Line ^ICY.[0-9]\nupgrade_http0.9 deny shoutcast", "\x00\x01\x02ICY 200 OK", true},
		{"upgrade_http0.9 deny all", "plain text", false},
	} {
		for _, version := range []string{"1.0", "1.1"} {
			r := start(t, nil, file(t, "http_port 3128 http11\n"+c.lines))
			o := scripted(t, func(c2 *net.TCPConn, in *bufio.Reader) {
				readHead(in)
				io.WriteString(c2, c.said)
			})
			client := r.dial()
			fmt.Fprintf(client, "GET http://%s/ HTTP/%s\r\nHost: %s\r\nConnection: close\r\n\r\n", o, version, o)
			got, err := io.ReadAll(client)
			client.Close()
			if err != nil {
				t.Fatal(err)
			}
			if bare := string(got) == c.said; bare == c.upgraded {
				t.Errorf("%s, %q by HTTP/%s: %q", c.lines, c.said, version, got)
			}
		}
	}
}
