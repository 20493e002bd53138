package forward

import (
	"bufio"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// A parent that fails ten times is left alone; once it is back, a probe set off
// by a request that did without it brings it back into use.
func TestParentComesBack(t *testing.T) {
	at, listen := mute(t)
	r := start(t, nil, func(c *conf.Config) {
		port := netip.MustParseAddrPort(at).Port()
		c.Peers = []*conf.Peer{{Name: "p1", Host: "127.0.0.1", HTTPPort: port, Type: conf.PeerParent, NoQuery: true, Weight: 1}}
		c.NeverDirect = conf.AccessList{{Allow: true}}
	})
	get := func() string {
		c := r.dial()
		defer c.Close()
		fmt.Fprint(c, "GET http://origin.test/ HTTP/1.0\r\n\r\n")
		b, _ := io.ReadAll(c)
		return string(b)
	}
	if got := get(); !strings.Contains(got, "ERR_CONNECT_FAIL 111") {
		t.Fatalf("%q", got)
	}
	l := listen()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if line, _ := bufio.NewReader(c).ReadString('\n'); strings.HasPrefix(line, "GET ") {
				io.WriteString(c, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
			}
			c.Close()
		}
	}()
	// The first request cannot use it yet: 115 is the probe's being under way.
	if got := get(); !strings.Contains(got, "ERR_CANNOT_FORWARD 115") {
		t.Fatalf("%q", got)
	}
	for back := false; !back; {
		got := get()
		if back = strings.HasSuffix(got, "\r\n\r\nok"); !back && !strings.Contains(got, "ERR_CANNOT_FORWARD") {
			t.Fatalf("%q", got)
		}
	}
}
