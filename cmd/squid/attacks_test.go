package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/cuttle-proxy/cuttle/conf"
)

// An attack of the kinds that were found, on the binary as it is shipped.

// attackedOrigin answers every request with the text it was given, until the test ends.
func attackedOrigin(t *testing.T, answer string) net.Addr {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					line, err := in.ReadString('\n')
					if err != nil {
						return
					}
					if line == "\r\n" {
						io.WriteString(c, answer)
					}
				}
			}()
		}
	}()
	return l.Addr()
}

// say sends raw octets to the proxy and gives all it answers until it closes.
func (s *subject) say(raw string) string {
	s.t.Helper()
	c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", s.port))
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	io.WriteString(c, raw)
	answer, _ := io.ReadAll(c)
	return string(answer)
}

// Control octets of clients and origins are nowhere in a log as they are, whatever its
// format and however a code is to be quoted.
func TestControlOctetsAreInNoLog(t *testing.T) {
	const odd = "a\x1b[2J\x07\x01\x7fb"
	origin := attackedOrigin(t, "HTTP/1.0 200 O"+odd+"K\r\nServer: "+odd+"\r\nContent-Type: text/"+odd+"\r\nX-Odd: "+odd+"\r\nContent-Length: 0\r\n\r\n")
	var formats []string
	for _, quoting := range []string{"", `"`, "[", "#", "'"} {
		for _, code := range []string{">a", ">A", "<A", "la", "lp", ">h", "<h", "{User-Agent}>h", "{X-Odd}>h", "{X-Odd}<h", "{Server}<h", "{Cookie:;a}>h",
			"un", "ul", "ui", "ue", "Hs", "Ss", "Sh", "mt", "rm", "ru", "rv", "ea", "<st", ">st"} {
			formats = append(formats, "%"+quoting+code)
		}
	}
	s := newSubject(t)
	lines := []string{"http_access allow all", "useragent_log " + s.in("agent.log"), "referer_log " + s.in("referer.log"), "debug_options ALL,2 11,5 28,5 33,5 58,5 17,5 44,5 72,5",
		"cache_store_log " + s.in("store.log"), "strip_query_terms off", "uri_whitespace allow", "relaxed_header_parser warn",
		"auth_param basic program /bin/cat", "log_mime_hdrs on"}
	const wide = 16
	for i := 0; i*wide < len(formats); i++ {
		lines = append(lines, fmt.Sprintf("logformat f%d %s", i, strings.Join(formats[i*wide:min(len(formats), (i+1)*wide)], "|")),
			fmt.Sprintf("access_log %s/f%d.log f%d", s.dir, i, i))
	}
	for _, kind := range []string{"common", "combined"} {
		lines = append(lines, "logformat "+kind+` %>a %ui %un [%tl] "%rm %ru HTTP/%rv" %Hs %<st "%{Referer}>h" "%{User-Agent}>h" %Ss:%Sh`, fmt.Sprintf("access_log %s/%s.log %s", s.dir, kind, kind))
	}
	s.write(lines...)
	text, _ := os.ReadFile(s.conf()) // what http_access denied comes first
	os.WriteFile(s.conf(), []byte(strings.Replace(string(text), "http_access deny all\n", "", 1)), 0o600)
	s.start()
	const fields = "User-Agent: " + odd + "\r\nReferer: http://r/" + odd + "\r\nCookie: a=" + odd + "\r\nX-Odd: " + odd + "\r\nProxy-Authorization: Basic YRs6Yg==\r\n"
	requests := []string{
		"GET http://" + origin.String() + "/" + odd + " HTTP/1.0\r\n" + fields + "\r\n",
		"GET http://" + origin.String() + "/plain HTTP/1.0\r\n" + fields + "\r\n",
		"GET http://u" + odd + ":p@" + origin.String() + "/ HTTP/1.0\r\n" + fields + "\r\n",
		"GET http://h" + odd + "/ HTTP/1.0\r\n" + fields + "\r\n",
		"CONNECT h" + odd + ":443 HTTP/1.0\r\n" + fields + "\r\n",
		"G" + odd + "T http://" + origin.String() + "/ HTTP/1.0\r\n\r\n",
		odd + "\r\n\r\n",
		"GET http://" + origin.String() + "/ HTTP/1.0\r\nX" + odd + ": y\r\n\r\n",
		"GET http://" + origin.String() + "/ HTTP/1.0\r\nHost: " + odd + "\r\n\r\n",
		"GET http://" + origin.String() + "/ HTTP/" + odd + "\r\n\r\n",
	}
	for _, r := range requests {
		s.say(r)
	}
	s.until("all is logged", func() bool { return strings.Count(s.read("access.log"), "\n") >= len(requests) })
	list, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, file := range list {
		if !strings.HasSuffix(file.Name(), ".log") {
			continue
		}
		text := s.read(file.Name())
		if text != "" {
			read++
		}
		if at := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }); at >= 0 {
			t.Errorf("%s: %q", file.Name(), text[max(0, at-60):min(len(text), at+30)])
		}
	}
	if read < 12 {
		t.Errorf("only %d logs have lines", read)
	}
}

// Who is answered a next request has its line of the one before in access.log, whenever
// the process is killed.
func TestKillLosesNoLineThatWasAnswered(t *testing.T) {
	origin := attackedOrigin(t, "HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok")
	s := newSubject(t)
	text, _ := os.ReadFile(s.conf())
	os.WriteFile(s.conf(), []byte(strings.Replace(string(text), "http_access deny all", "http_access allow all\nbuffered_logs on", 1)), 0o600)
	cmd := s.start()
	const clients = 8
	answered := make([]int, clients)
	var all sync.WaitGroup
	busy := make(chan bool, clients)
	for n := range clients {
		all.Go(func() {
			c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", s.port))
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			in := bufio.NewReader(c)
			for ; ; answered[n]++ {
				if answered[n] == 200 {
					busy <- true
				}
				fmt.Fprintf(c, "GET http://%s/client%d-%d- HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", origin, n, answered[n])
				for line := "?"; line != "\r\n"; {
					if line, err = in.ReadString('\n'); err != nil {
						return
					}
				}
				if _, err := io.ReadFull(in, make([]byte, 2)); err != nil {
					return
				}
			}
		})
	}
	select {
	case <-busy:
	case <-time.After(time.Minute):
		t.Error("the clients are not served")
	}
	cmd.Process.Signal(syscall.SIGKILL)
	all.Wait()
	log := s.read("access.log")
	for n, count := range answered {
		for i := range count - 1 { // of the last one the answer may have come before its line
			if !strings.Contains(log, fmt.Sprintf("/client%d-%d- ", n, i)) {
				t.Errorf("client %d had %d answers; request %d is not in the log", n, count, i)
				break
			}
		}
	}
}

// A loop of requests does not fill the disk.
func TestForwardingLoopLinesAreLimited(t *testing.T) {
	origin := attackedOrigin(t, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
	s := newSubject(t)
	text, _ := os.ReadFile(s.conf())
	os.WriteFile(s.conf(), []byte(strings.Replace(string(text), "http_access deny all", "http_access allow all", 1)), 0o600)
	s.start()
	const requests = 200
	for range requests {
		s.say(fmt.Sprintf("GET http://%s/ HTTP/1.0\r\nVia: 1.0 proxy.test:%d (squid/%s)\r\n\r\n", origin, s.port, conf.Version))
	}
	s.until("all is logged", func() bool { return strings.Count(s.read("access.log"), "\n") == requests })
	if n := strings.Count(s.read("cache.log"), "Forwarding loop detected"); n == 0 || n > 5 {
		t.Errorf("%d lines on %d requests", n, requests)
	}
}

// trap tells of every connection to an address, which it then closes.
func trap(t *testing.T, addr string, port int, came func(net.Conn)) {
	l, err := net.Listen("tcp", net.JoinHostPort(addr, fmt.Sprint(port)))
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			came(c)
			c.Close()
		}
	}()
}

// turningName is a name server on a loopback address that gives any name the address
// it was told last, for no time at all.
type turningName struct {
	addr  atomic.Uint32 // last octet of 127.0.0.0/24
	asked chan struct{}
}

func (n *turningName) serve(t *testing.T, at string) {
	conn, err := net.ListenPacket("udp4", at+":53")
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		for packet := make([]byte, 512); ; {
			size, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(packet[:size]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Additionals = true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class},
					Body: &dnsmessage.AResource{A: [4]byte{127, 0, 0, byte(n.addr.Load())}}}}
			}
			if reply, err := m.Pack(); err == nil {
				conn.WriteTo(reply, from)
			}
			if len(m.Answers) == 0 {
				continue
			}
			select {
			case n.asked <- struct{}{}:
			default:
			}
		}
	}()
}

// A rule about an address holds for the address dialled, also when the name leads
// elsewhere by the time a slow body has been collected.
func TestSlowBodyDoesNotTurnTheName(t *testing.T) {
	const server = "127.91.8.53"
	name := &turningName{asked: make(chan struct{}, 1)}
	name.serve(t, server)
	reached := make([]atomic.Bool, 10)
	port := freePort(t)
	for _, last := range []int{8, 9} {
		trap(t, fmt.Sprintf("127.0.0.%d", last), port, func(c net.Conn) {
			reached[last].Store(true)
			io.WriteString(c, "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
		})
	}
	s := newSubject(t)
	text, _ := os.ReadFile(s.conf())
	changed := strings.NewReplacer("http_access deny all", "acl secret dst 127.0.0.8\nhttp_access deny secret\nhttp_access allow all",
		"dns_nameservers 127.0.0.1", "dns_nameservers "+server, fmt.Sprintf("http_port 127.0.0.1:%d", s.port), fmt.Sprintf("http_port 127.0.0.1:%d http11", s.port))
	os.WriteFile(s.conf(), []byte(changed.Replace(string(text))), 0o600)
	s.start()
	for round := range 3 {
		name.addr.Store(9)
		select {
		case <-name.asked:
		default:
		}
		c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", s.port))
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(20 * time.Second))
		host := fmt.Sprintf("turns%d.test:%d", round, port)
		fmt.Fprintf(c, "POST http://%s/ HTTP/1.1\r\nHost: %s\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n4\r\nslow\r\n", host, host)
		select {
		case <-name.asked:
		case <-time.After(20 * time.Second):
			t.Fatal("the name was not asked for while the body came")
		}
		name.addr.Store(8)
		io.WriteString(c, "0\r\n\r\n")
		answer, _ := io.ReadAll(c)
		c.Close()
		if status := strings.Fields(string(answer) + " none none")[1]; status != "200" && status != "403" && status != "503" {
			t.Errorf("%q", answer)
		}
	}
	if reached[8].Load() || !reached[9].Load() {
		t.Errorf("the refused address was reached: %v, the other: %v", reached[8].Load(), reached[9].Load())
	}
}

// What is refused as a literal is refused as the address of a name, whatever the family
// it is written in, and from the hosts file too.
func TestLoopbackByNameIsRefused(t *testing.T) {
	var reached atomic.Int32
	port := freePort(t)
	for _, addr := range []string{"127.0.0.1", "::1"} {
		trap(t, addr, port, func(net.Conn) { reached.Add(1) })
	}
	s := newSubject(t)
	names := map[string]string{"six.test": "::1", "any.test": "::", "mapped.test": "::ffff:127.0.0.1", "zero.test": "0.0.0.0", "four.test": "127.0.0.1",
		"ip6-localhost": "::1", "other.test": "127.9.8.7"}
	hosts := ""
	for name, addr := range names {
		hosts += addr + " " + name + "\n"
	}
	if err := os.WriteFile(s.in("hosts"), []byte(hosts), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(s.dir), 0o755); err != nil { // the worker reads it as its effective user
		t.Fatal(err)
	}
	text, _ := os.ReadFile(s.conf())
	changed := strings.NewReplacer("http_access deny all", "acl to_localhost dst 127.0.0.0/8\nhttp_access deny to_localhost\nhttp_access allow all", "hosts_file none", "hosts_file "+s.in("hosts"))
	os.WriteFile(s.conf(), []byte(changed.Replace(string(text))), 0o600)
	s.start()
	hostsAsked := []string{"127.0.0.1", "127.1.2.3", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]", "SIX.test", "six.test."}
	for name := range names {
		hostsAsked = append(hostsAsked, name)
	}
	for _, host := range hostsAsked {
		for _, request := range []string{"GET http://%s:%d/ HTTP/1.0\r\n\r\n", "CONNECT %s:%d HTTP/1.0\r\n\r\n"} {
			answer := s.say(fmt.Sprintf(request, host, port))
			want := "403"
			if host[0] == '[' {
				want = "400" // 2.6 knows no such host
			}
			if status := strings.Fields(answer + " none none")[1]; status != want || reached.Load() > 0 {
				t.Errorf("%s: %s and not %s, reached %d times", host, status, want, reached.Load())
			}
		}
	}
}

// Helper programs with rights of their own (a set-user-id bit) have them, though the
// worker that asks them cannot gain any.
func TestSetuidHelpersGoOnWorking(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root for a set-user-id file")
	}
	id, err := os.ReadFile("/usr/bin/id")
	if err != nil {
		t.Skip(err)
	}
	s := newSubject(t)
	os.Chmod(s.dir, 0o755)
	os.Chmod(s.dir+"/..", 0o755)
	for _, name := range []string{"cache.log", "access.log"} {
		os.WriteFile(s.in(name), nil, 0o666)
		os.Chmod(s.in(name), 0o666)
	}
	if err := os.WriteFile(s.in("id"), id, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(s.in("id"), 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	s.write("url_rewrite_program "+s.in("id")+" -u", "url_rewrite_children 1")
	s.start()
	s.until("the helper says who it is", func() bool { return strings.Contains(s.read("cache.log"), `said "0" before it was asked`) })
}
