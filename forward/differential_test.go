package forward

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/judge"
)

// tapped is a server of another make behind us. What we send it is read by the
// letter on the way (sent), and what it makes of that it sends on to a judged
// origin (made): method, target, every field and the body as it understood them.
type tapped struct {
	addr string
	made *judged

	mu      sync.Mutex
	sent    []*judge.Request
	partial int // requests that ended early
	open    int // connections
	closed  *sync.Cond
}

// tap stands before server.
func tap(t *testing.T, server string, made *judged) *tapped {
	s := &tapped{made: made}
	s.closed = sync.NewCond(&s.mu)
	count := func(n int) {
		s.mu.Lock()
		s.open += n
		s.mu.Unlock()
		s.closed.Broadcast()
	}
	s.addr = scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		count(1)
		defer count(-1)
		up, err := net.Dial("tcp", server)
		if err != nil {
			return
		}
		defer up.Close()
		var both sync.WaitGroup
		defer both.Wait() // the server has then read all there is
		both.Go(func() { io.Copy(c, up); c.CloseWrite(); io.Copy(io.Discard, up) })
		read, write := io.Pipe()
		both.Go(func() { s.read(t, bufio.NewReader(read)); io.Copy(io.Discard, read) })
		io.Copy(io.MultiWriter(up, write), r)
		write.Close()
		up.(*net.TCPConn).CloseWrite()
	})
	return s
}

func (s *tapped) read(t *testing.T, r *bufio.Reader) {
	for {
		q, err := judge.ReadRequest(r)
		s.mu.Lock()
		switch err {
		case nil:
			s.sent = append(s.sent, q)
		case judge.ErrPartial:
			s.partial++
		case io.EOF:
		default:
			t.Errorf("sent against the letter: %v", err)
		}
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// take gives what was sent and what the server made of it, once all connections
// to it are over.
func (s *tapped) take(t *testing.T) (sent, made []*judge.Request, partial int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.open > 0 {
		s.closed.Wait()
	}
	sent, partial = s.sent, s.partial
	s.sent, s.partial = nil, 0
	return sent, s.made.take(t), partial
}

// essence is a request as one text: what must be the same to every reader. Each
// server frames the body, treats the connection and meets expectations in its own
// way, and spells names in its own.
func essence(q *judge.Request) string {
	var lines []string
	for _, f := range q.Fields {
		switch name := strings.ToLower(f.Name); name {
		case "connection", "content-length", "transfer-encoding", "expect", "upgrade":
		default:
			lines = append(lines, name+": "+f.Value)
		}
	}
	slices.Sort(lines)
	return fmt.Sprintf("%s %s\n%s\n%q", q.Method, q.Target, strings.Join(lines, "\n"), q.Body)
}

// TestFamiliesDifferential sends each family through us to nginx and haproxy:
// what they read is, to the last field and byte of a body, what a reader by the
// letter reads, request for request, and what our log says was passed on.
func TestFamiliesDifferential(t *testing.T) {
	for _, server := range []string{"nginx", "haproxy"} {
		path, err := exec.LookPath(server)
		if err != nil {
			t.Skipf("no %s here", server)
		}
		t.Run(server, func(t *testing.T) {
			made := judgedOrigin(t, okay)
			s := tap(t, otherMake(t, server, path, made.addr), made)
			for mode, edit := range modes {
				r := start(t, nil, edit)
				passed := 0
				for _, f := range families {
					c := r.dial()
					io.WriteString(c, f.expand(s.addr))
					c.CloseWrite()
					answer, _ := io.ReadAll(c)
					c.Close()
					r.idle()
					sent, made, partial := s.take(t)
					passed += len(sent) + partial
					compare(t, mode+" "+f.name, sent, made, string(answer))
				}
				logged := 0
				eventually(t, "the log has a line for all that was passed on", func() bool {
					b, _ := os.ReadFile(r.cfg.AccessLogs[0].Path)
					logged = strings.Count(string(b), " DIRECT/")
					return logged >= passed
				})
				if logged != passed {
					t.Errorf("%s: %d requests passed on, %d logged", mode, passed, logged)
				}
			}
		})
	}
}

// compare wants made to be sent, except where the server refused it.
func compare(t *testing.T, name string, sent, made []*judge.Request, answer string) {
	t.Helper()
	for i, q := range sent {
		switch {
		case i >= len(made):
			// nginx: no TRACE; haproxy: no body with a DELETE of HTTP/1.0.
			if !slices.ContainsFunc([]string{" 400 ", " 405 ", " 413 "}, func(s string) bool {
				return strings.HasPrefix(answer, "HTTP/1.0"+s) || strings.HasPrefix(answer, "HTTP/1.1"+s)
			}) {
				t.Errorf("%s: never arrived: %s", name, essence(q))
			}
			return
		case essence(q) != essence(made[i]):
			t.Errorf("%s: sent %s\nmade %s", name, essence(q), essence(made[i]))
		}
	}
	for _, q := range made[min(len(sent), len(made)):] {
		t.Errorf("%s: nobody sent %s", name, essence(q))
	}
}

// idle waits until no client is served any more and lets go of the origins.
func (r *rig) idle() {
	for end := time.Now().Add(10 * time.Second); r.srv.clients.Len() > 0 && time.Now().Before(end); {
		time.Sleep(100 * time.Microsecond)
	}
	r.srv.pool.DropIdle()
}

// otherMake starts nginx or haproxy before the origin and gives its address.
func otherMake(t *testing.T, server, path, origin string) (addr string) {
	dir := t.TempDir()
	addr = free(t)
	config := filepath.Join(dir, "conf")
	text := fmt.Sprintf(`defaults
 mode http
 timeout client 1m
 timeout server 1m
 timeout connect 1m
frontend f
 bind %s
 default_backend b
backend b
 http-reuse never
 server s %s
`, addr, origin)
	args := []string{"-q", "-db", "-f", config}
	if server == "nginx" {
		text = fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/err; events {}
http { access_log off; client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
 ignore_invalid_headers off; underscores_in_headers on; lingering_close off; client_max_body_size 0; proxy_ignore_client_abort on;
 server { listen %[2]s; location / { proxy_pass http://%[3]s; proxy_http_version 1.1; proxy_set_header Host $http_host; } } }`, dir, addr, origin)
		args = []string{"-p", dir, "-c", config}
	}
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
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
	return addr
}
