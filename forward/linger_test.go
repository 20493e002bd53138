package forward

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cuttle-proxy/cuttle/conf"
	"github.com/cuttle-proxy/cuttle/forward/caching"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// An upload that is refused, by a rule or by the origin in its midst, is read to its
// end: a client that looks for the answer when all is sent finds it there, and not a
// reset in its place. 2.6 reads on as well.
func TestRefusedUploadIsReadAway(t *testing.T) {
	early := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		readHead(r)
		io.CopyN(io.Discard, r, 1000)
		io.WriteString(c, "HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig")
	})
	breaks := scripted(t, func(c *net.TCPConn, r *bufio.Reader) {
		readHead(r)
		io.CopyN(io.Discard, r, 1000)
		c.SetLinger(0)
	})
	r := start(t, nil, file(t, "http_port 3128 http11\nacl bad url_regex denied\nhttp_access deny bad\nhttp_access allow all\nserver_http11 on"))
	old := start(t, nil, file(t, "acl bad url_regex denied\nhttp_access deny bad\nhttp_access allow all"))
	const size = 6 << 20
	part := bytes.Repeat([]byte("x"), 64<<10)
	chunk := fmt.Appendf(nil, "%x\r\n%s\r\n", len(part), part)
	for _, c := range []struct {
		name   string
		to     *rig
		url    string
		chunks bool
		want   string
	}{
		{"denied", r, "http://" + early + "/denied", false, "403"},
		{"denied, in chunks", r, "http://" + early + "/denied", true, "403"},
		{"denied, HTTP/1.0", old, "http://" + early + "/denied", false, "403"},
		{"in chunks, HTTP/1.0", old, "http://" + early + "/", true, "501"},
		{"no such host", old, "http://none.test/", false, "503"},
		{"refused by the origin", r, "http://" + early + "/", false, "413"},
		{"refused by the origin, in chunks", r, "http://" + early + "/", true, "413"},
		{"refused by the origin, HTTP/1.0", old, "http://" + early + "/", false, "413"},
		{"the origin breaks", r, "http://" + breaks + "/", false, "502"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := c.to.dial()
			defer conn.Close()
			framing, piece := fmt.Sprintf("Content-Length: %d", size), part
			if c.chunks {
				framing, piece = "Transfer-Encoding: chunked", chunk
			}
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", c.url, framing)
			for range size / len(part) {
				if _, err := conn.Write(piece); err != nil {
					t.Fatalf("while sending: %v", err)
				}
			}
			if c.chunks {
				io.WriteString(conn, "0\r\n\r\n")
			}
			got, err := io.ReadAll(conn)
			if err != nil || !strings.HasPrefix(string(got), "HTTP/1.") || !strings.HasPrefix(string(got)[9:], c.want) {
				t.Errorf("%v, %.80q", err, got)
			}
		})
	}
	r.deserted()
	old.deserted()
}

// A client that was refused and waits for the end of the connection is not waited for.
func TestRefusedUploadThatPauses(t *testing.T) {
	r := start(t, nil, func(c *conf.Config) { c.HTTPAccess = conf.AccessList{{}} })
	c := r.dial()
	defer c.Close()
	io.WriteString(c, "POST http://origin.test/ HTTP/1.0\r\nContent-Length: 100000\r\n\r\nhalf")
	if got, err := io.ReadAll(c); err != nil || !strings.HasPrefix(string(got), "HTTP/1.0 403 ") {
		t.Errorf("%v, %.80q", err, got)
	}
	c.Close()
	r.deserted()
}

// A file without a cache_dir whose built-in one was never made is served from memory;
// one that names it is not served.
func TestBuiltInCacheDirThatIsNotThere(t *testing.T) {
	for _, line := range []string{"", "cache_dir ufs {DIR} 10 1 1"} {
		logs, seen := observer.New(zap.WarnLevel)
		cfg := defaults(t.TempDir())
		file(t, line)(cfg)
		if line == "" {
			cfg.CacheDirs[0].Path = filepath.Join(t.TempDir(), "none")
		}
		s, err := New(cfg, Parts{Network: loopback{}, Resolver: names{}, Log: zap.New(logs), Disks: true})
		if line != "" {
			if err != caching.ErrUnverified {
				t.Errorf("with a line: %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if n := seen.FilterMessageSnippet("no cache_dir is configured, and the built-in one cannot be used").Len(); n != 1 || s.cache.Store.Stats().Dirs != nil {
			t.Errorf("%d warnings, %+v", n, s.cache.Store.Stats().Dirs)
		}
		s.Shutdown(0)
	}
}

func TestChunksEnd(t *testing.T) {
	for body, want := range map[string]bool{
		"": false, "5\r\nhello": false, "5\r\nhello\r\n0\r\n": false, "5\r\nhello\r\n0\r\n\r\n": true,
		"5\r\nhello\r\n0\r\nA: b\r\n\r\nGET / HTTP/1.0\r\n\r\n": true, "x\r\n": false,
	} {
		if got := chunksEnd([]byte(body)); got != want {
			t.Errorf("%q: %v", body, got)
		}
	}
}
