package forward

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
)

// max-conn counts connections to the parent, idle ones too: while there are so
// many, requests go elsewhere.
func TestMaxConn(t *testing.T) {
	goOn := make(chan struct{})
	asked := make(chan struct{}, 10)
	parent := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		for {
			head, err := readHead(r)
			if err != nil {
				return
			}
			asked <- struct{}{}
			if strings.Contains(head, "/slow ") {
				<-goOn
			}
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 6\r\n\r\nparent")
		}
	})
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\norigin")
	host, port, _ := net.SplitHostPort(parent)
	r := start(t, nil, file(t, "cache_peer "+host+" parent "+port+" 0 no-query max-conn=1"))
	get := func(path string) string {
		_, body, _ := strings.Cut(r.exchange("GET http://"+origin+path+" HTTP/1.0\r\n\r\n"), "\r\n\r\n")
		return body
	}
	slow := make(chan string)
	go func() { slow <- get("/slow") }()
	<-asked
	if got := get("/beside"); got != "origin" {
		t.Errorf("beside it: %q", got)
	}
	close(goOn)
	if got := <-slow; got != "parent" {
		t.Errorf("the first: %q", got)
	}
	if got := get("/idle"); got != "origin" { // as 2.6: the kept one counts
		t.Errorf("while it is kept: %q", got)
	}
	r.srv.pool.DropIdle()
	if got := get("/free"); got != "parent" {
		t.Errorf("when it is closed: %q", got)
	}
}
