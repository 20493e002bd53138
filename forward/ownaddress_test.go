package forward

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// The proxy's own socket is what an intercepted client was handed to, whatever it
// dialled: rules tell ports apart by it, and logs show it. A TPROXY socket bears the
// address the client dialled; there it is that of the http_port line, and where that
// names none the one this host has towards the client.
func TestOwnAddressOfIntercepted(t *testing.T) {
	origin := answering(t, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok")
	dst := netip.MustParseAddrPort(origin)
	for name, edit := range map[string]func(*conf.HTTPPort){
		"REDIRECT": func(p *conf.HTTPPort) { p.Transparent = true },
		"TPROXY":   func(p *conf.HTTPPort) { p.Transparent, p.TProxy = true, true },
		"TPROXY, any address": func(p *conf.HTTPPort) {
			p.Transparent, p.TProxy, p.Addr = true, true, netip.MustParseAddrPort("0.0.0.0:0")
		},
	} {
		r := start(t, loopback{dst: dst}, file(t, `logformat own %la:%lp
access_log {DIR}/own own
access_log {DIR}/access.log squid
acl here myip 127.0.0.1
acl there myport `+fmt.Sprint(dst.Port())+`
http_access deny there
http_access allow here
http_access deny all`), func(c *conf.Config) {
			edit(c.HTTPPorts[0])
			c.AccessLogs[0], c.AccessLogs[1] = c.AccessLogs[1], c.AccessLogs[0]
		})
		_, port, _ := net.SplitHostPort(r.addr)
		r.addr = net.JoinHostPort("127.0.0.1", port)
		got := r.exchange("GET /x HTTP/1.0\r\nHost: " + origin + "\r\n\r\n")
		r.log(1)
		r.stop()
		r.done <- nil // stopped again at the end
		if lines := linesOf(t, filepath.Join(r.dir, "own")); !strings.HasPrefix(got, "HTTP/1.0 200") || len(lines) != 1 || lines[0] != r.addr {
			t.Errorf("%s: logged as %q, own is %s: %.40q", name, lines, r.addr, got)
		}
	}
}
