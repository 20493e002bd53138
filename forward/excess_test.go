package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
)

// An origin that says more than it announced is asked once more, on a connection of its
// own, however many are kept: each of those would have to be doubted.
func TestExcessOnKeptConnections(t *testing.T) {
	var waiting sync.WaitGroup
	o := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		for {
			head, err := readHead(r)
			if err != nil {
				return
			}
			if strings.Contains(head, "/sound") {
				waiting.Done()
				waiting.Wait() // so that each has its connection
				fmt.Fprint(c, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\nok")
				continue
			}
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nCache-Control: no-store\r\nContent-Length: 2\r\n\r\nok, and more")
		}
	})
	r := start(t, nil)
	ask := func(path string) string {
		c := r.dial()
		defer c.Close()
		fmt.Fprintf(c, "GET http://%s%s HTTP/1.0\r\n\r\n", o, path)
		got, _ := io.ReadAll(c)
		return string(got)
	}
	waiting.Add(8)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { ask("/sound") })
	}
	all.Wait()
	for range 3 {
		if got := ask("/x"); !strings.HasPrefix(got, "HTTP/1.0 200 OK") || !strings.HasSuffix(got, "\r\n\r\nok") {
			t.Errorf("%q", got)
		}
	}
}
