package http1

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// The requests of this file are passed on, as forward would, to nginx and to
// haproxy. What we take for one request they must not take for two.

// smuggled is what attackers want to be seen as a request of its own.
const smuggled = "GET /smuggled HTTP/1.1\r\nHost: evil\r\n\r\n"

// server is another implementation listening on a socket file.
type server struct {
	name, socket string
}

// startServers starts what is installed; the test is skipped when nothing is.
func startServers(t *testing.T) []server {
	dir := t.TempDir()
	configs := map[string]string{
		"nginx": `daemon off; master_process off; error_log /dev/null crit; pid %[1]s/nginx.pid;
events {}
http { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f;
 uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s; large_client_header_buffers 4 64k;
 server { listen unix:%[1]s/nginx.sock; location / { client_max_body_size 1m; return 200 "ok"; } } }`,
		"haproxy": `defaults
 mode http
 timeout client 5s
 timeout server 5s
 timeout connect 5s
frontend f
 bind unix@%[1]s/haproxy.sock
 http-request return status 200 content-type text/plain string ok
`,
	}
	var up []server
	for name, config := range configs {
		binary, err := exec.LookPath(name)
		if err != nil {
			t.Logf("%s is not installed", name)
			continue
		}
		file := filepath.Join(dir, name+".conf")
		if err := os.WriteFile(file, fmt.Appendf(nil, config, dir), 0o644); err != nil {
			t.Fatal(err)
		}
		args := []string{"-c", file, "-e", "/dev/null"}
		if name == "haproxy" {
			args = []string{"-q", "-db", "-f", file}
		}
		cmd := exec.Command(binary, args...)
		var said bytes.Buffer
		cmd.Stderr = &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		s := server{name, filepath.Join(dir, name+".sock")}
		deadline := time.Now().Add(10 * time.Second)
		for {
			if c, err := net.Dial("unix", s.socket); err == nil {
				c.Close()
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s does not start: %s", name, said.String())
			}
			time.Sleep(5 * time.Millisecond)
		}
		up = append(up, s)
	}
	if len(up) == 0 {
		t.Skip("neither nginx nor haproxy is installed")
	}
	return up
}

// ask sends bytes, closes its side and returns all that comes back.
func (s server) ask(wire []byte) (string, error) {
	c, err := net.Dial("unix", s.socket)
	if err != nil {
		return "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	c.Write(wire) // a server that refuses early may not read all
	c.(*net.UnixConn).CloseWrite()
	answer, err := io.ReadAll(c)
	if len(answer) > 0 {
		err = nil
	}
	return string(answer), err
}

// passOn makes of what a client sent what an origin gets: nil when the request
// is refused or not complete. One request is taken off the front, no more.
func passOn(in []byte) []byte {
	var r Request
	r.Reset()
	in = in[SkipSpace(in):]
	n, state := r.Parse(in, engineOptionsFor(true))
	if state != Complete || r.Major < 1 {
		return nil
	}
	var u URL
	body, fault := r.Body(engineOptionsFor(true))
	if fault != NoFault || u.Parse(r.Method, r.Target, &defaults) != NoFault || r.Method == CONNECT {
		return nil
	}
	var o Outgoing
	for i := range r.Len() {
		if !hopByHop(r.ID(i)) && !r.ConnectionLists(r.Key(i)) && r.ID(i) != Host {
			o.Copy(&r.Fields, i)
		}
	}
	o.Set(u.AppendAuthority(o.Pieces())).End(Host)
	rest := in[n:]
	switch body.Framing {
	case ByLength:
		if int64(len(rest)) < body.Length {
			return nil
		}
		rest = rest[:body.Length]
	case ByChunks:
		c := Chunked{}
		text, _, done, err := decode(&c, string(rest), max(1, len(rest)))
		if !done || err != nil {
			return nil
		}
		o.AddString(TransferEncoding, "chunked")
		rest = nil
		if text != "" {
			rest = append(AppendChunkSize(nil, len(text)), text+ChunkEnd...)
		}
		rest = append(rest, LastChunk...)
	default:
		rest = nil
	}
	return append(o.Append(AppendRequestLine(nil, r.MethodText, u.AppendTarget(nil), 1)), rest...)
}

func engineOptionsFor(relaxedMode bool) *Options {
	return &Options{Relaxed: relaxedMode, HTTP11: true, RequestEntities: true}
}

// checkOne asks every server and fails when one answers twice.
func checkOne(t interface{ Fatalf(string, ...any) }, servers []server, in []byte) (passed bool) {
	wire := passOn(in)
	if wire == nil {
		return false
	}
	for _, s := range servers {
		answer, err := s.ask(wire)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		if n := bytes.Count([]byte(answer), []byte("HTTP/1.1 ")); n > 1 {
			t.Fatalf("%s answers %d times to %q,\nwhich came from %q:\n%s", s.name, n, wire, in, answer)
		}
	}
	return true
}

// Families of attacks, each with the request to be smuggled as the body or
// behind it.
func TestNobodySeesTwoRequests(t *testing.T) {
	servers := startServers(t)
	for _, srv := range servers {
		// A server that hears of our end before it has looked at the second request
		// may leave that unanswered; now and then that is so.
		n := 0
		for try := 0; try < 50 && n != 2; try++ {
			answer, err := srv.ask([]byte("GET / HTTP/1.1\r\nHost: o\r\n\r\n" + smuggled))
			if err != nil {
				t.Fatal(srv.name, err)
			}
			n = bytes.Count([]byte(answer), []byte("HTTP/1.1 "))
		}
		if n != 2 {
			t.Fatalf("%s answers %d times to two requests: the test is blind", srv.name, n)
		}
	}
	length := fmt.Sprint(len(smuggled))
	chunk := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled)
	passed := 0
	for _, fields := range []string{
		"", "Content-Length: " + length, "Content-Length: 0", "Content-Length : " + length, "Content-Length:" + length + " ",
		"Content-Length: " + length + "\r\nContent-Length: " + length, "Content-Length: 0\r\nContent-Length: " + length,
		"Content-Length: " + length + "\r\nContent-Length: 0", "Content-Length: " + length + ", " + length, "Content-Length: +" + length,
		"Content-Length:\r\n " + length, "Content-Length: 0x1", "Content-Length\x00: " + length, "Content-Length\t: " + length,
		"Content_Length: " + length, "Content-Length\v: " + length, " Content-Length: " + length, "X: y\r\n Content-Length: " + length,
		"X: y\rContent-Length: " + length, "X: y\r\n\r Content-Length: " + length, "X: y\nContent-Length: " + length,
		"Connection: Content-Length\r\nContent-Length: " + length, "Connection: close, Transfer-Encoding\r\nTransfer-Encoding: chunked",
		"Connection: Host", "Host: a\r\nHost: b", "Host: a b", "Host: a\r\n b", "Transfer-Encoding: chunked",
		"Transfer-Encoding : chunked", "Transfer-Encoding:chunked", "Transfer-Encoding:\tchunked", "Transfer-Encoding: \vchunked",
		"Transfer-Encoding: chunked\r\nContent-Length: 4", "Content-Length: 4\r\nTransfer-Encoding: chunked",
		"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding: identity\r\nContent-Length: " + length,
		"Transfer-Encoding: xchunked", "Transfer-Encoding: chunked, identity", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunked;x",
		"Transfer-Encoding:\r\n chunked", "Transfer-Encoding\r\n : chunked", "X: y\r\n Transfer-Encoding: chunked", "Transfer_Encoding: chunked",
		"Transfer Encoding: chunked", "Transfer-Encoding\x01: chunked", "Foo: bar\r\n\rTransfer-Encoding: chunked", "TRANSFER-ENCODING: CHUNKED",
		"Expect: 100-continue\r\nContent-Length: " + length, "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAA",
		"X: " + string([]byte{0x85, 0xa0, 0xff}) + "\r\nContent-Length: " + length, "no colon\r\nContent-Length: " + length,
		": empty\r\nContent-Length: " + length, "Bad Name: x\r\nContent-Length: " + length, "Trailer: Content-Length\r\nTransfer-Encoding: chunked",
	} {
		for _, line := range []string{
			"POST http://o/x HTTP/1.1", "GET http://o/x HTTP/1.1", "POST http://o/x HTTP/1.0", "POST http://o/x\x0bHTTP/1.1 HTTP/1.1",
			"POST http://o/x HTTP/1.1\r", "HEAD http://o/x HTTP/1.1", "DELETE http://o/x\tHTTP/1.1", "POST http://o/x HTTP/1.1 HTTP/1.0",
			"POST http://o/\x01\x7f\xff HTTP/1.9", "OPTIONS http://o HTTP/1.1",
		} {
			for _, body := range []string{smuggled, chunk, "0\r\n\r\n" + smuggled, "4\r\n" + smuggled, chunk + smuggled} {
				if checkOne(t, servers, []byte(line+"\r\n"+fields+"\r\n\r\n"+body)) {
					passed++
				}
			}
		}
	}
	if passed < 300 {
		t.Errorf("only %d requests were passed on: the test sees too little", passed)
	}
}

// Random mixtures of the same parts.
func TestNobodySeesTwoRequestsInAnyMixture(t *testing.T) {
	servers := startServers(t)
	parts := []string{
		"\r\n", "\n", "\r", " ", "\t", "\x00", "\v", ":", ": ", ",", "Content-Length", "content-length", "Transfer-Encoding", "chunked", "identity",
		"Connection", "close", "keep-alive", "Host", "o", "X-A", "3", "0", "5;x=y", "abc", "Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n",
		"GET http://o/ HTTP/1.1\r\n", "POST http://o/ HTTP/1.1\r\n", "HTTP/1.1", "\r\n\r\n", "0\r\n\r\n", "\xff", "Expect: 100-continue\r\n", smuggled,
	}
	rapid.Check(t, func(rt *rapid.T) {
		in := []byte("POST http://o/x HTTP/1.1\r\n")
		for _, p := range rapid.SliceOfN(rapid.SampledFrom(parts), 0, 14).Draw(rt, "parts") {
			in = append(in, p...)
		}
		checkOne(rt, servers, append(in, "\r\n\r\nabc"...))
	})
}

// hopByHop reports whether 2.6 never passes a request field of this name on:
// the connection's own fields (RFC 9110 section 7.6.1) and Expect.
func hopByHop(n Name) bool {
	switch n {
	case Connection, KeepAlive, ProxyAuthenticate, ProxyConnection, TE, Trailer, TransferEncoding, Upgrade, Expect:
		return true
	}
	return false
}
