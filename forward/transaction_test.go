package forward

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestGet(t *testing.T) {
	origin := answering(t, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello")
	r := start(t, nil)
	c := r.dial()
	defer c.Close()
	br := bufio.NewReader(c)
	for i := range 3 {
		fmt.Fprintf(c, "GET http://%s/a HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", origin)
		head, err := readHead(br)
		if err != nil {
			t.Fatal(i, err)
		}
		want := "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\nX-Cache: MISS from proxy.test\r\nX-Cache-Lookup: MISS from proxy.test:0\r\nVia: 1.0 proxy.test:0 (squid/test)\r\nProxy-Connection: keep-alive\r\n\r\n"
		if head != want {
			t.Fatalf("got %q\nwant %q", head, want)
		}
		body := make([]byte, 5)
		if _, err := io.ReadFull(br, body); err != nil || string(body) != "hello" {
			t.Fatal(err, string(body))
		}
	}
	for _, line := range r.log(3) {
		if !strings.Contains(line, " 127.0.0.1 TCP_MISS/200 ") || !strings.HasSuffix(line, fmt.Sprintf(" GET http://%s/a - DIRECT/127.0.0.1 text/plain", origin)) {
			t.Error(line)
		}
	}
}
