package forward

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// tlsOrigin is a TLS server that says which name and protocol each client asked for.
func tlsOrigin(t *testing.T) string {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	cert := x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, &cert, &cert, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, NextProtos: []string{"h2", "http/1.1"}}
	return scripted(t, func(c *net.TCPConn, _ *bufio.Reader) {
		s := tls.Server(c, config)
		if s.Handshake() != nil {
			return
		}
		line, _ := bufio.NewReader(s).ReadString('\n')
		fmt.Fprintf(s, "%s %s %s", s.ConnectionState().ServerName, s.ConnectionState().NegotiatedProtocol, line)
		s.Close()
	})
}

// passing is a port that passes TLS on to the origin.
func passing(t *testing.T, origin, lines string, edits ...func(*conf.Config)) *rig {
	return start(t, loopback{dst: netip.MustParseAddrPort(origin)}, append([]func(*conf.Config){file(t, lines), func(c *conf.Config) {
		c.HTTPPorts[0].Transparent, c.HTTPPorts[0].Passes = true, true
	}}, edits...)...)
}

// says speaks TLS through the proxy and gives the origin's answer.
func says(r *rig, name string) (string, error) {
	c := r.dial()
	defer c.Close()
	s := tls.Client(c, &tls.Config{ServerName: name, InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err := s.Handshake(); err != nil {
		return "", err
	}
	fmt.Fprint(s, "ping\n")
	b, err := io.ReadAll(s)
	return string(b), err
}

func TestTLSIsPassedByName(t *testing.T) {
	origin := tlsOrigin(t)
	_, port, _ := net.SplitHostPort(origin)
	r := passing(t, origin, "logformat sni %ru %ssl::>sni\naccess_log {DIR}/access.log squid\naccess_log {DIR}/sni.log sni")
	for i, name := range []string{"origin.test", "Many.Test", ""} {
		want := strings.ToLower(name)
		if got, err := says(r, name); err != nil || got != fmt.Sprintf("%s h2 ping\n", name) {
			t.Fatalf("%q: %q, %v", name, got, err)
		}
		if want == "" {
			want = "127.0.0.1"
		}
		r.logged(i, "TCP_MISS/200", "CONNECT "+want+":"+port+" - DIRECT/127.0.0.1 -")
	}
	r.srv.Shutdown(time.Minute) // the last line stands in one log before it does in the other
	if got := linesOf(t, r.cfg.AccessLogs[1].Path); len(got) != 3 || got[1] != "many.test:"+port+" many.test" || got[2] != "127.0.0.1:"+port+" -" {
		t.Errorf("sni.log: %q", got)
	}
	if n := r.srv.PassedTLS(); n != 3 {
		t.Errorf("%d counted", n)
	}
}

func TestTLSIsRefusedByRules(t *testing.T) {
	origin := tlsOrigin(t)
	_, port, _ := net.SplitHostPort(origin)
	for _, c := range []struct{ rules, name string }{
		{"acl bad dstdomain .origin.test\nhttp_access deny bad\nhttp_access allow all", "origin.test"},
		{"acl bad dstdom_regex -i ORIG\nhttp_access deny bad\nhttp_access allow all", "origin.test"},
		{"acl bad url_regex ^origin\\.test:\nhttp_access deny bad\nhttp_access allow all", "origin.test"},
		{"acl bad dst 127.0.0.0/8\nhttp_access deny bad\nhttp_access allow all", ""},
		{"acl bad port " + port + "\nhttp_access deny bad\nhttp_access allow all", "origin.test"},
		{"acl CONNECT method CONNECT\nhttp_access deny CONNECT\nhttp_access allow all", "origin.test"},
		{"miss_access deny all", "origin.test"},
	} {
		r := passing(t, origin, c.rules)
		_, err := says(r, c.name)
		if err == nil || !strings.Contains(err.Error(), "remote error: tls: access denied") {
			t.Errorf("%q: %v, want the alert access_denied", c.rules, err)
		}
		name := c.name
		if name == "" {
			name = "127.0.0.1"
		}
		if !strings.HasPrefix(c.rules, "miss") {
			r.logged(0, "TCP_DENIED/403", " 7 CONNECT "+name+":"+port+" - NONE/- -")
		}
		if n := r.srv.PassedTLS(); n != 0 {
			t.Errorf("%q: %d counted as passed", c.rules, n)
		}
	}
}

// What is no ClientHello is never joined to a server unless the configuration says
// so, and half of one not even then.
func TestOnlyWholeHellosPass(t *testing.T) {
	reached := make(chan string, 10)
	origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		b, _ := io.ReadAll(r)
		reached <- string(b)
	})
	tunnel := func(c *conf.Config) { c.TunnelUnknownProtocol, c.InterceptSniffTime = true, time.Minute }
	short := func(c *conf.Config) {
		c.TunnelUnknownProtocol, c.InterceptSniffTime, c.RequestTimeout = true, 5*time.Second, 6*time.Second
	}
	for _, c := range []struct {
		sent, answer, log string
		edit              func(*conf.Config)
		reaches           bool
	}{
		{sent: "SSH-2.0-x\r\n", log: "TCP_DENIED/400"},
		{sent: "SSH-2.0-x\r\n", log: "TCP_MISS/200", edit: tunnel, reaches: true},
		{sent: "GET / HTTP/1.0\r\n\r\n", log: "TCP_DENIED/400"},
		{sent: "\x16\x03\x01\x00\x00", answer: "\x15\x03\x03\x00\x02\x02\x32", log: "TCP_DENIED/400"},
		{sent: "\x16\x03\x01\x00\x00", answer: "\x15\x03\x03\x00\x02\x02\x32", log: "TCP_DENIED/400", edit: tunnel},
		{sent: "\x16\x03\x01\x02\x00\x01", edit: short},
	} {
		edit := c.edit
		if edit == nil {
			edit = func(*conf.Config) {}
		}
		r := passing(t, origin, "", edit)
		conn := r.dial()
		fmt.Fprint(conn, c.sent)
		if c.reaches {
			conn.CloseWrite()
		}
		got, err := io.ReadAll(conn)
		conn.Close()
		if string(got) != c.answer || err != nil {
			t.Errorf("%q: answer %q, %v", c.sent, got, err)
		}
		if c.log != "" {
			r.logged(0, c.log, "")
		}
		select {
		case b := <-reached:
			if !c.reaches || b != c.sent {
				t.Errorf("%q: the origin got %q", c.sent, b)
			}
		default:
			if c.reaches {
				t.Errorf("%q: the origin got nothing", c.sent)
			}
		}
	}
}

// A parent is asked where never_direct says so: the tunnel begins behind its answer.
func TestTLSThroughAParent(t *testing.T) {
	asked := make(chan string, 1)
	parent := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		head, _ := readHead(r)
		asked <- head
		fmt.Fprint(c, "HTTP/1.0 200 Connection established\r\n\r\n")
		io.Copy(io.Discard, r)
	})
	_, port, _ := net.SplitHostPort(parent)
	r := passing(t, "127.0.0.1:443", "cache_peer p.test parent "+port+" 0 no-query default\nnever_direct allow all")
	c := r.dial()
	s := tls.Client(c, &tls.Config{ServerName: "many.test", InsecureSkipVerify: true})
	go s.Handshake()
	if head := <-asked; !strings.HasPrefix(head, "CONNECT many.test:443 HTTP/1.0\r\n") {
		t.Errorf("%q", head)
	}
	c.Close()
	r.logged(0, "TCP_MISS/200", "CONNECT many.test:443 - DEFAULT_PARENT/p.test -")
}

// A client that dials the port itself names no destination.
func TestTLSToThePortItselfIsRefused(t *testing.T) {
	r := start(t, loopback{}, func(c *conf.Config) { c.HTTPPorts[0].Transparent, c.HTTPPorts[0].Passes = true, true })
	_, err := says(r, "origin.test")
	if err == nil || !strings.Contains(err.Error(), "remote error: tls: unrecognized name") {
		t.Errorf("%v, want the alert unrecognized_name", err)
	}
	r.logged(0, "TCP_DENIED/400", "")
}

// An allow rule by name needs a name that DNS ties to the address dialled; a deny rule
// bites whatever name was claimed.
func TestTLSNameMustBelong(t *testing.T) {
	origin := tlsOrigin(t)
	for rules, want := range map[string]bool{
		"acl good dstdomain elsewhere.test\nhttp_access allow good\nhttp_access deny all":      false,
		"acl good dstdomain many.test\nhttp_access allow good\nhttp_access deny all":           true,
		"acl bad dst 127.0.0.1\nhttp_access deny bad\nhttp_access allow all":                   false,
		"acl good dst 127.0.0.2/255.255.255.255\nhttp_access allow good\nhttp_access deny all": false,
	} {
		name := "elsewhere.test"
		if want {
			name = "many.test"
		}
		r := passing(t, origin, rules)
		if _, err := says(r, name); (err == nil) != want {
			t.Errorf("%q: %v", rules, err)
		}
	}
}
