package forward

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// echo is an origin that says back what comes, and how often connections ended.
func echo(t *testing.T) (address string, ended chan struct{}) {
	ended = make(chan struct{}, 100)
	return scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		io.Copy(c, r)
		ended <- struct{}{}
	}), ended
}

// greeted is a client that has said hello through the port, and had it back.
func greeted(t *testing.T, r *rig, hello []byte) *net.TCPConn {
	t.Helper()
	c := r.dial()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	back := make([]byte, len(hello))
	c.Write(hello)
	if _, err := io.ReadFull(c, back); err != nil || string(back) != string(hello) {
		t.Fatalf("%v: the hello came back as %q", err, back)
	}
	return c
}

// recordedHello is curl's, or what it is called.
func recordedHello(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("../testdata/tls/openssl.hex")
	if err != nil {
		t.Fatal(err)
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A tunnel that was silent for a while goes on without its transaction: bytes pass, and
// its line tells all of them, whatever other requests the transaction has served since.
func TestTunnelsOutliveTheirTransactions(t *testing.T) {
	origin, ended := echo(t)
	_, port, _ := net.SplitHostPort(origin)
	r := passing(t, origin, "logformat all %>a %Ss/%03Hs %<st %rm %ru %Sh/%<A %ssl::>sni\naccess_log {DIR}/access.log all")
	hello := recordedHello(t)
	var clients []*net.TCPConn
	for range 5 {
		clients = append(clients, greeted(t, r, hello))
	}
	time.Sleep(4 * stay) // silence is what is tested
	for i := range 20 {  // who use the transactions again
		c := greeted(t, r, hello)
		fmt.Fprintf(c, "more %d", i)
		c.CloseWrite()
		io.ReadAll(c)
		c.Close()
	}
	for range 20 {
		<-ended
	}
	for _, c := range clients {
		fmt.Fprint(c, "late words")
		c.CloseWrite()
		if b, err := io.ReadAll(c); string(b) != "late words" || err != nil {
			t.Errorf("%q, %v", b, err)
		}
		c.Close()
	}
	want := fmt.Sprintf("127.0.0.1 TCP_MISS/200 %d CONNECT www.example.test:%s DIRECT/127.0.0.1 www.example.test", 2*len(hello)+20, port)
	if n := strings.Count(strings.Join(r.log(25), "\n"), want); n != len(clients) {
		t.Errorf("%d lines are %q, want %d", n, want, len(clients))
	}
}

// Of a long tunnel there are lines in between, whose octets add up.
func TestLinesOfLongTunnels(t *testing.T) {
	for name, hello := range map[string][]byte{"passed": recordedHello(t), "CONNECT": nil} {
		t.Run(name, func(t *testing.T) {
			origin, _ := echo(t)
			every := func(c *conf.Config) { c.TunnelLogInterval = 50 * time.Millisecond }
			var r *rig
			var c *net.TCPConn
			want := 2 * (len(hello) + 4)
			if hello != nil {
				r = passing(t, origin, "", every)
				c = greeted(t, r, hello)
			} else {
				r = start(t, loopback{}, every)
				c = r.dial()
				fmt.Fprintf(c, "CONNECT %s HTTP/1.0\r\n\r\n", origin)
				io.ReadFull(c, make([]byte, len(established[0])))
				want += len(established[0])
			}
			r.log(3)
			fmt.Fprint(c, "more")
			io.ReadFull(c, make([]byte, 4))
			c.Close()
			eventually(t, "the client has gone", func() bool { return r.srv.clients.Len() == 0 })
			octets, lines := 0, linesOf(t, r.cfg.AccessLogs[0].Path)
			for _, line := range lines {
				f := strings.Fields(line)
				n, _ := strconv.Atoi(f[4])
				if octets += n; f[3] != "TCP_MISS/200" || f[5] != "CONNECT" {
					t.Errorf("%q", line)
				}
			}
			if octets != want {
				t.Errorf("%d octets in all lines, want %d: %q", octets, want, lines)
			}
		})
	}
}
