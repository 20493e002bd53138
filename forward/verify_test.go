package forward

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Where an intercepted request goes, by what DNS says of its host name.
func TestDestinationOfIntercepted(t *testing.T) {
	dialled := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 7\r\n\r\ndialled")
	dst := netip.MustParseAddrPort(dialled)
	resolved, err := net.Listen("tcp", net.JoinHostPort("127.0.0.2", fmt.Sprint(dst.Port())))
	if err != nil {
		t.Skip("127.0.0.2 cannot be used here: ", err)
	}
	t.Cleanup(func() { resolved.Close() })
	go func() {
		for {
			c, err := resolved.Accept()
			if err != nil {
				return
			}
			readHead(bufio.NewReader(c))
			fmt.Fprint(c, "HTTP/1.0 200 OK\r\nContent-Length: 8\r\n\r\nresolved")
			c.Close()
		}
	}()
	for name, c := range map[string]struct {
		host                     string
		off, strict, alternative bool
		want                     string
		unverified               uint64
	}{
		"its name":               {host: "origin.test", want: "dialled"},
		"another name":           {host: "elsewhere.test", want: "dialled", unverified: 1},
		"no such name":           {host: "absent.test", want: "dialled", unverified: 1},
		"its address":            {host: "127.0.0.1", want: "dialled"},
		"another address":        {host: "127.0.0.2", want: "dialled", unverified: 1},
		"strict, its name":       {host: "origin.test", strict: true, want: "dialled"},
		"strict, another name":   {host: "elsewhere.test", strict: true, want: "409", unverified: 1},
		"strict, no such name":   {host: "absent.test", strict: true, want: "409", unverified: 1},
		"alternatives, verified": {host: "many.test", alternative: true, want: "resolved"},
		"alternatives, forged":   {host: "elsewhere.test", alternative: true, want: "dialled", unverified: 1},
		"off":                    {host: "elsewhere.test", off: true, want: "resolved"},
		"off, no such name":      {host: "absent.test", off: true, want: "503"},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t, loopback{dst: dst}, func(cfg *conf.Config) {
				cfg.HTTPPorts[0].Transparent = true
				cfg.HostVerify, cfg.HostVerifyStrict, cfg.ClientDstPassthru = !c.off, c.strict, !c.alternative
			})
			conn := r.dial()
			defer conn.Close()
			fmt.Fprintf(conn, "GET /x HTTP/1.0\r\nHost: %s:%d\r\n\r\n", c.host, dst.Port())
			in := bufio.NewReader(conn)
			head, err := readHead(in)
			if err != nil {
				t.Fatal(err)
			}
			var body [8]byte
			n, _ := in.Read(body[:])
			got := string(body[:n])
			if status := strings.Fields(head)[1]; status != "200" {
				got = status
			}
			if got != c.want {
				t.Errorf("answered by %q, want %q", got, c.want)
			}
			r.log(1)
			checked, unverified, _ := r.srv.Verification()
			if unverified != c.unverified || (checked == 1) == c.off {
				t.Errorf("%d checked, %d unverified", checked, unverified)
			}
		})
	}
}
