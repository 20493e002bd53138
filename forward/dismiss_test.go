package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Intercepted clients that are dismissed go when nothing of a request is there: at
// once while idle, after the answer while busy, and with half a request when the
// rest has come and been answered. Who chose the proxy stays.
func TestDismissedClientsGoWhenIdle(t *testing.T) {
	asked, goOn := make(chan struct{}, 1), make(chan struct{})
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		for {
			request, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			if request.URL.Path == "/slow" {
				asked <- struct{}{}
				<-goOn
			}
			fmt.Fprint(c, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok")
		}
	})
	r := start(t, loopback{dst: netip.MustParseAddrPort(origin)}, func(c *conf.Config) { c.HTTPPorts[0].Transparent = true })
	explicit := start(t, nil)

	const request = "GET %s HTTP/1.0\r\nHost: origin.test\r\nConnection: keep-alive\r\n\r\n"
	answered := func(c net.Conn) {
		t.Helper()
		in := bufio.NewReader(c)
		reply, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(reply.Body); string(body) != "ok" || in.Buffered() != 0 {
			t.Errorf("answer %q, %v", body, err)
		}
	}
	ended := func(who string, c net.Conn) {
		t.Helper()
		if n, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("%s: %d octets, %v, want the end", who, n, err)
		}
	}

	fresh, idle, busy, half := r.dial(), r.dial(), r.dial(), r.dial()
	fmt.Fprintf(idle, request, "/a")
	answered(idle)
	fmt.Fprintf(busy, request, "/slow")
	select {
	case <-asked:
	case <-time.After(20 * time.Second):
		t.Fatal("the origin was not asked")
	}
	fmt.Fprintf(half, request, "/a")
	answered(half)
	fmt.Fprint(half, "GET /b HTTP/1.0\r\nHo")
	kept := explicit.dial()
	fmt.Fprintf(kept, "GET http://%s/a HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", origin)
	answered(kept)
	// Half a request is read when no socket holds anything unread: the proxy has it.
	for n := 0; r.srv.Transfers() != 1 || unreadAt(r.addr); n++ {
		if n == 10000 {
			t.Fatalf("%d transfers, unread octets %v", r.srv.Transfers(), unreadAt(r.addr))
		}
		time.Sleep(time.Millisecond)
	}

	r.srv.Dismiss()
	explicit.srv.Dismiss()
	ended("one that never asked", fresh)
	ended("an idle one", idle)
	close(goOn)
	answered(busy)
	ended("a busy one", busy)
	fmt.Fprint(half, "st: origin.test\r\nConnection: keep-alive\r\n\r\n")
	answered(half)
	ended("one with half a request", half)
	fmt.Fprintf(kept, "GET http://%s/a HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", origin)
	answered(kept)
	kept.Close()

	again := r.dial()
	defer again.Close()
	fmt.Fprintf(again, request, "/a")
	answered(again)
	fmt.Fprintf(again, request, "/a")
	answered(again)
}

// unreadAt reports whether a connection of the listener's address has octets that
// were not read yet (the receive queue of /proc/net/tcp).
func unreadAt(addr string) bool {
	port := netip.MustParseAddrPort(addr).Port()
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return false
	}
	local := fmt.Sprintf("0100007F:%04X", port)
	for text := range strings.Lines(string(table)) {
		line := strings.Fields(text)
		if len(line) > 4 && line[1] == local && line[3] == "01" && line[4][9:] != "00000000" {
			return true
		}
	}
	return false
}
