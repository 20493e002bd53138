package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
	"os"
)

// smuggled are requests that some parser somewhere reads as more than one, or
// as having another body. %s is the origin. Each is either refused, or passed on
// so that every origin sees exactly one request.
var smuggled = []struct{ name, text string }{
	{"CL.CL differing", "POST http://%s/x HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 43\r\n\r\nabcdeGET http://%[1]s/hidden HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"CL list", "POST http://%s/x HTTP/1.1\r\nContent-Length: 5, 43\r\n\r\nabcdeGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"CL plus", "POST http://%s/x HTTP/1.1\r\nContent-Length: +5\r\n\r\nabcdeGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"CL hex", "POST http://%s/x HTTP/1.1\r\nContent-Length: 0x5\r\n\r\nabcdeGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"CL negative", "POST http://%s/x HTTP/1.1\r\nContent-Length: -5\r\n\r\nGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"CL overflow", "POST http://%s/x HTTP/1.1\r\nContent-Length: 18446744073709551621\r\n\r\nabcdeGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"CL folded", "POST http://%s/x HTTP/1.1\r\nContent-Length:\r\n 5\r\n\r\nabcdeGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"CL blank before colon", "POST http://%s/x HTTP/1.1\r\nContent-Length : 5\r\n\r\nabcdeGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"CL with NUL", "POST http://%s/x HTTP/1.1\r\nContent-Length: 5\x00\r\n\r\nabcdeGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"CL underscore", "POST http://%s/x HTTP/1.1\r\nContent_Length: 43\r\nContent-Length: 5\r\n\r\nabcdeGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"CL.TE", "POST http://%s/x HTTP/1.1\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"TE.CL", "POST http://%s/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n2b\r\nGET http://%[1]s/hidden HTTP/1.1\r\n\r\n0\r\n\r\n"},
	{"TE in 1.0", "POST http://%s/x HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"TE twice", "POST http://%s/x HTTP/1.1\r\nTransfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"TE xchunked", "POST http://%s/x HTTP/1.1\r\nTransfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"TE tab", "POST http://%s/x HTTP/1.1\r\nTransfer-Encoding:\tchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"TE vertical tab", "POST http://%s/x HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"TE blank before colon", "POST http://%s/x HTTP/1.1\r\nTransfer-Encoding : chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"TE after bare CR", "POST http://%s/x HTTP/1.1\r\nX: a\rTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"TE after bare LF", "POST http://%s/x HTTP/1.1\r\nX: a\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"TE folded into another", "POST http://%s/x HTTP/1.1\r\nX: a\r\n Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nabcdeGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"GET with body", "GET http://%s/x HTTP/1.1\r\nContent-Length: 43\r\n\r\nGET http://%[1]s/hidden HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"Connection drops CL", "POST http://%s/x HTTP/1.1\r\nConnection: Content-Length, keep-alive\r\nContent-Length: 5\r\n\r\nabcde"},
	{"Connection drops Host", "GET http://%s/x HTTP/1.1\r\nConnection: Host, keep-alive\r\nHost: a\r\n\r\n"},
	{"line feed in the URL", "GET http://%s/x%%0d%%0aX:\x20y HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"bare CR in the URL", "GET http://%s/x\rGET\x20/hidden HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"NUL in the URL", "GET http://%s/x\x00/hidden HTTP/1.1\r\nHost: a\r\n\r\n"},
	{"blank first field", "GET http://%s/x HTTP/1.1\r\n Host: b\r\nHost: a\r\n\r\n"},
	{"two hosts", "GET http://%s/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
	{"junk name", "GET http://%s/x HTTP/1.1\r\nX\x7f\x80: a\r\nHost: a\r\n\r\n"},
	{"chunk size tricks", "POST http://%s/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n00000000000000005\r\nabcde\r\n0\r\n\r\n"},
	{"chunk size negative", "POST http://%s/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabcde\r\n0\r\n\r\nGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
	{"chunk ends with bare LF", "POST http://%s/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\nabcde\n0\n\nGET http://%[1]s/hidden HTTP/1.1\r\n\r\n"},
}

// modes are the versions of HTTP on both sides.
var modes = map[string]func(*conf.Config){
	"1.0": func(*conf.Config) {},
	"1.1": func(c *conf.Config) { c.HTTPPorts[0].HTTP11, c.ServerHTTP11 = true, true },
}

// TestSmuggling sends each trick and counts what an origin behind us sees, read
// by a parser that takes everything literally. What follows a request in the
// same write may be a request of its own to us as well; then the origin sees it
// on its own, and what must not happen is that it comes out of a body.
func TestSmuggling(t *testing.T) {
	for mode, edit := range modes {
		for _, trick := range smuggled {
			t.Run(mode+" "+trick.name, func(t *testing.T) {
				seen := make(chan string, 10)
				origin := scripted(t, func(c *net.TCPConn, r *bufio.Reader) { strictOrigin(c, r, seen) })
				r := start(t, nil, edit)
				c := r.dial()
				fmt.Fprintf(c, trick.text, origin)
				c.CloseWrite()
				b, _ := io.ReadAll(c)
				c.Close()
				requests := 0
				for len(seen) > 0 {
					s := <-seen
					requests++
					if strings.Contains(s, "BAD") {
						t.Errorf("the origin could not take %q", s)
					}
				}
				if answers := strings.Count(string(b), "HTTP/1."); requests > answers {
					t.Errorf("%d requests passed on, %d answers: %q", requests, answers, b)
				}
			})
		}
	}
}

// strictOrigin reports each request it sees, with BAD for what RFC 9112 does
// not allow.
func strictOrigin(c *net.TCPConn, r *bufio.Reader, seen chan<- string) {
	for {
		head, err := readHead(r)
		if err != nil {
			if head != "" {
				seen <- "BAD end " + head
			}
			return
		}
		lower := strings.ToLower(head)
		length, lengths := 0, 0
		chunked := false
		for i, line := range strings.Split(strings.TrimSuffix(lower, "\r\n\r\n"), "\r\n") {
			name, value, ok := strings.Cut(line, ":")
			switch {
			case strings.ContainsAny(line, "\r\n\x00"), i > 0 && (!ok || name == "" || strings.ContainsAny(name, " \t\x7f") || strings.Contains(name, "\x80")):
				head = "BAD line " + head
			case name == "content-length":
				lengths++
				if n, err := fmt.Sscanf(strings.TrimSpace(value), "%d", &length); n != 1 || err != nil || fmt.Sprint(length) != strings.TrimSpace(value) {
					head = "BAD length " + head
				}
			case name == "transfer-encoding":
				chunked = true
				if strings.TrimSpace(value) != "chunked" || lengths > 0 || !strings.Contains(lower, " http/1.1\r\n") {
					head = "BAD coding " + head
				}
			}
		}
		if lengths > 1 || strings.Count(lower, "\r\nhost:") != 1 {
			head = "BAD count " + head
		}
		io.CopyN(io.Discard, r, int64(length))
		for chunked {
			var size int
			line, err := r.ReadString('\n')
			if err != nil {
				return // the proxy gave up: no request
			}
			if n, _ := fmt.Sscanf(line, "%x\r\n", &size); n != 1 || err != nil || !strings.HasSuffix(line, "\r\n") {
				head = "BAD chunk " + line
				break
			}
			io.CopyN(io.Discard, r, int64(size))
			if end, _ := r.ReadString('\n'); end != "\r\n" {
				head = "BAD chunk end " + end
			}
			if size == 0 {
				break
			}
		}
		seen <- head
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok")
	}
}

// TestSmugglingDifferential asks real servers behind us what they saw: each
// trick must reach them as requests we passed on, method and path, which is what
// our own log says, and as no others.
func TestSmugglingDifferential(t *testing.T) {
	for _, server := range []string{"nginx", "haproxy"} {
		path, err := exec.LookPath(server)
		if err != nil {
			t.Skipf("no %s here", server)
		}
		t.Run(server, func(t *testing.T) {
			dir := t.TempDir()
			addr, log := realOrigin(t, server, path, dir)
			log() // the probe whether it listens
			for mode, edit := range modes {
				r := start(t, nil, edit)
				passed := map[string]int{}
				for _, trick := range smuggled {
					c := r.dial()
					fmt.Fprintf(c, trick.text, addr)
					c.CloseWrite()
					io.Copy(io.Discard, c)
					c.Close()
				}
				time.Sleep(200 * time.Millisecond)
				b, _ := os.ReadFile(r.cfg.AccessLogs[0].Path)
				for _, line := range strings.Split(string(b), "\n") {
					if f := strings.Fields(line); strings.Contains(line, " DIRECT/") {
						passed[f[5]+" "+strings.TrimPrefix(f[6], "http://"+addr)]++
					}
				}
				time.Sleep(200 * time.Millisecond)
				saw := log()
				for _, request := range saw {
					if passed[request]--; passed[request] < 0 {
						t.Errorf("%s: %s saw %q, which was not passed on", mode, server, request)
					}
				}
				if len(saw) == 0 {
					t.Errorf("%s: %s saw nothing", mode, server)
				}
			}
		})
	}
}

// realOrigin starts a server that logs every request as method and path. log
// gives them and forgets.
func realOrigin(t *testing.T, server, path, dir string) (addr string, log func() []string) {
	addr = dead(t)
	logFile := filepath.Join(dir, "requests.log")
	config := filepath.Join(dir, "conf")
	said, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { said.Close() })
	var cmd *exec.Cmd
	if server == "nginx" {
		os.WriteFile(config, []byte(fmt.Sprintf(`daemon off; pid %s/pid; error_log %s/err; events {}
http { log_format saw "saw $request_method $request_uri"; access_log %s saw; client_body_temp_path %s/b; proxy_temp_path %s/p; fastcgi_temp_path %s/f; uwsgi_temp_path %s/u; scgi_temp_path %s/s;
server { listen %s; location / { return 200 ok; } } }`, dir, dir, logFile, dir, dir, dir, dir, dir, addr)), 0o600)
		cmd = exec.Command(path, "-p", dir, "-c", config)
	} else {
		os.WriteFile(config, []byte(fmt.Sprintf("global\n log stdout format raw local0\ndefaults\n mode http\n log global\n option dontlognull\n log-format \"saw %%HM %%HP\"\n timeout client 5s\n timeout server 5s\n timeout connect 5s\nfrontend f\n bind %s\n http-request return status 200 content-type text/plain string ok\n", addr)), 0o600)
		cmd = exec.Command(path, "-db", "-f", config)
		cmd.Stdout = said
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	eventually(t, server+" listens", func() bool {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	was := 0
	return addr, func() (requests []string) {
		b, _ := os.ReadFile(logFile)
		lines := strings.Split(strings.TrimSuffix(string(b[was:]), "\n"), "\n")
		was = len(b)
		for _, line := range lines {
			// Connections without a request are logged too, as such.
			if request, ok := strings.CutPrefix(line, "saw "); ok && strings.Contains(request, " /") {
				requests = append(requests, request)
			} else if strings.HasPrefix(request, "<BAD") {
				requests = append(requests, request)
			}
		}
		return requests
	}
}
