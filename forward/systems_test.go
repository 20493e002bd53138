package forward

import (
	"bufio"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
)

// src_as and dst_as judge by what the whois server said, which is asked once for each
// number, at the start.
func TestSystems(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.43.43:43")
	if err != nil {
		t.Skip("a whois server's port is not to be had: ", err)
	}
	defer l.Close()
	asked := make(chan string, 4)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			question, _ := bufio.NewReader(c).ReadString('\n')
			answer := map[string]string{"!gAS65001\r\n": "A15\n127.0.0.0/8\nC\n"}[question]
			if answer == "" {
				answer = "D\n"
			}
			c.Write([]byte(answer))
			c.Close()
			asked <- question
		}
	}()
	r := start(t, nil, users(t, "as_whois_server 127.0.43.43\nacl near src_as 65001\nacl far dst_as 65002\nhttp_access deny far\nhttp_access allow near\nhttp_access deny all\n"), func(c *conf.Config) {
		c.ASWhoisServer = "127.0.43.43"
	})
	origin := telling(t)
	got := map[string]bool{<-asked: true, <-asked: true}
	if !got["!gAS65001\r\n"] || !got["!gAS65002\r\n"] {
		t.Errorf("asked %v", got)
	}
	eventually(t, "the answer is there", func() bool { return len(r.srv.systems.ASNumbers(netip.MustParseAddr("127.0.0.1"))) > 0 })
	if got := r.exchange("GET http://" + origin + "/ HTTP/1.0\r\n\r\n"); !strings.Contains(got, " 200 ") {
		t.Errorf("%.60q", got)
	}
}
