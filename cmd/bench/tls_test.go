package main

import (
	"io"
	"net"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/forward/tls"
)

// What the bench says in the place of a browser is a ClientHello with a site's name.
func TestHellosNameTheirSites(t *testing.T) {
	for i, hello := range hellos() {
		var r tls.Reader
		if h, state, err := r.Read(hello); state != tls.Complete || h.ServerName != siteName(i) {
			t.Fatalf("%d: state %d, %q, %v", i, state, h.ServerName, err)
		}
	}
}

// A site answers a hello whole, and pours as much as it is asked for behind it.
func TestSitesAnswerHellos(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go accept(l, serveSite)
	for asked, want := range map[string]int64{"": 0, "1\n": 1 << 20, "2\n": 2 << 20} {
		c, err := net.Dial("tcp4", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		half := len(hellos()[3]) / 2
		c.Write(hellos()[3][:half])
		c.Write(hellos()[3][half:])
		if n, err := io.ReadFull(c, make([]byte, helloAnswer)); err != nil {
			t.Fatalf("%d octets of the answer, %v", n, err)
		}
		io.WriteString(c, asked)
		c.(*net.TCPConn).CloseWrite()
		if n, err := io.Copy(io.Discard, c); n != want || err != nil {
			t.Errorf("%q: %d octets, want %d; %v", asked, n, want, err)
		}
		c.Close()
	}
}

// The contenders differ in what they look at, and all go to where their clients do.
func TestTLSContenders(t *testing.T) {
	dir := t.TempDir()
	for _, c := range tlsContenders("squid", "other", []string{"haproxy"}, 20000) {
		text := c.conf(dir, ports{listen: 4430})
		named := strings.Contains(text, refusedRule)
		blind := strings.HasSuffix(c.name, "blind")
		if !strings.Contains(text, ":4430") || strings.HasPrefix(c.name, "haproxy") && named == blind || !strings.HasPrefix(c.name, "haproxy") && strings.Contains(text, "https_port") == blind {
			t.Errorf("%s:\n%s", c.name, text)
		}
		if strings.HasPrefix(c.name, "haproxy") && !strings.Contains(text, "maxconn 20200\n") {
			t.Errorf("%s may not take all connections:\n%s", c.name, text)
		}
	}
}
