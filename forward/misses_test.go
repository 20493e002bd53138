package forward

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// Every TCP_MISS of a GET that the log may show is told to mcast_miss_addr, with
// strip_query_terms, as a running 2.6 does; nothing else is.
func TestMissesAreTold(t *testing.T) {
	receiver, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer receiver.Close()
	receiver.SetReadDeadline(time.Now().Add(20 * time.Second))
	origin := answering(t, "HTTP/1.0 200 OK\r\nCache-Control: max-age=6000\r\nContent-Length: 6\r\n\r\norigin")
	r := start(t, nil, file(t, "acl all src 0.0.0.0/0.0.0.0\nacl secret urlpath_regex secret\nlog_access deny secret\nlog_access allow all\n"+
		"mcast_miss_addr 127.0.0.1\nmcast_miss_encode_key 0123456789abcdef\nudp_incoming_address 127.0.0.2\ncache_mem 8 MB"), func(c *conf.Config) {
		c.MulticastMiss.Port = receiver.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	})
	for _, ask := range []string{"GET /a", "GET /a", "POST /a", "HEAD /b", "GET /secret", "GET /query?word"} {
		method, path, _ := strings.Cut(ask, " ")
		if got := r.exchange(method + " http://" + origin + path + " HTTP/1.0\r\nContent-Length: 0\r\n\r\n"); !strings.Contains(got, "200 OK") {
			t.Fatalf("%s: %q", ask, got)
		}
	}
	room := make([]byte, 2000)
	var sizes []int
	for range 2 { // /a and /query?
		n, _, err := receiver.ReadFromUDPAddrPort(room)
		if err != nil {
			t.Fatalf("%v, after packets of %v octets", err, sizes)
		}
		sizes = append(sizes, n)
	}
	padded := func(path string) int { return (len("http://"+origin+path) + 8) / 8 * 8 }
	if sizes[0] != padded("/a") || sizes[1] != padded("/query?") {
		t.Errorf("packets of %v octets, want %d and %d", sizes, padded("/a"), padded("/query?"))
	}
}
