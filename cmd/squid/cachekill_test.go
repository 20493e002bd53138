package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// versioned is an origin whose objects are new at each request for them: the path and a
// number, over and over. The number, and with it the length, is in X-Version.
type versioned struct {
	*httptest.Server
	made atomic.Int64
}

func newVersioned(t *testing.T) *versioned {
	v := &versioned{}
	v.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := v.made.Add(1)
		h := w.Header()
		h.Set("Cache-Control", "max-age=100000")
		h.Set("X-Version", strconv.FormatInt(n, 10))
		body := versionOf(r.URL.Path, n)
		if n%4 != 0 {
			h.Set("Content-Length", strconv.Itoa(len(body)))
		}
		for len(body) > 0 {
			piece := body[:min(len(body), 10000)]
			if _, err := w.Write(piece); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			body = body[len(piece):]
		}
	}))
	t.Cleanup(v.Close)
	return v
}

// versionOf is the body of a path at a number; it is told from every other by any line.
func versionOf(path string, n int64) []byte {
	size := int(n * 7919 % 70000)
	return bytes.Repeat(fmt.Appendf(nil, "%s %d\n", path, n), size/(len(path)+8)+1)
}

// errWrong is a reply that nobody may get; every other error is a connection that ended.
var errWrong = errors.New("wrong")

// ask sends one request on a connection of its own and judges the reply: its body is that
// of its number, whole. cut allows that the proxy was killed meanwhile.
func (v *versioned) ask(port int, method, path, fields string, cut func() bool) (hit bool, _ error) {
	c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false, err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(c, "%s %s%s HTTP/1.0\r\n%s\r\n", method, v.URL, path, fields)
	reply, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	if err != nil {
		return false, err
	}
	body, err := io.ReadAll(reply.Body)
	if reply.StatusCode != http.StatusOK {
		return false, fmt.Errorf("%s %s: status %d", method, path, reply.StatusCode)
	}
	n, _ := strconv.ParseInt(reply.Header.Get("X-Version"), 10, 64)
	switch want := versionOf(path, n); {
	case bytes.Equal(body, want):
	case bytes.HasPrefix(want, body) && (err != nil || cut()):
		return false, io.ErrUnexpectedEOF
	default:
		return false, fmt.Errorf("%w: %s %s, number %d, X-Cache %q: %d octets of %d, %v, from %.60q", errWrong, method, path, n, reply.Header.Get("X-Cache"), len(body), len(want), err, body)
	}
	return strings.HasPrefix(reply.Header.Get("X-Cache"), "HIT"), nil
}

// TestKilledWhileWriting: the whole proxy is killed at random moments of a load that
// stores, replaces and takes away; whatever each next one finds in the directory, no
// client gets a wrong octet, and what was stored before is found again.
func TestKilledWhileWriting(t *testing.T) {
	kills := 3
	if os.Getenv("CUTTLE_FULL") != "" {
		kills = 200
	}
	c := newCached(t)
	origin := newVersioned(t)
	c.configure("maximum_object_size_in_memory 8 KB", "cache_mem 1 MB", "minimum_expiry_time 0 seconds")
	if status, out := c.run("-z"); status != 0 {
		t.Fatalf("-z: %d %q", status, out)
	}
	for range kills {
		c.loadUntilKilled(origin)
		if t.Failed() {
			return
		}
	}
	os.Remove(c.in("cache.log"))
	cmd := c.begin()
	c.indexed()
	hits := 0
	for i := range 60 {
		hit, err := origin.ask(c.port, "GET", fmt.Sprintf("/%d", i), "", func() bool { return false })
		if err != nil {
			t.Error(err)
		}
		if hit {
			hits++
		}
	}
	if hits == 0 {
		t.Errorf("nothing is left after %d kills", kills)
	}
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
}

// begin starts the proxy and waits until it accepts.
func (c *cached) begin() *exec.Cmd {
	c.t.Helper()
	os.Remove(c.in("squid.pid"))
	cmd := exec.Command(c.bin, "-f", c.conf(), "-N", "-D")
	cmd.Dir = c.dir
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	c.until("it accepts", func() bool {
		l, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", c.port))
		if err == nil {
			l.Close()
		}
		return err == nil
	})
	return cmd
}

// indexed waits until the index of a start is there, whose cache.log is the only one.
func (c *cached) indexed() {
	c.t.Helper()
	c.until("the index is there", func() bool { return strings.Contains(c.read("cache.log"), "store_swap_size = ") })
}

// loadUntilKilled starts the proxy, loads it, and kills it after a random number of
// replies.
func (c *cached) loadUntilKilled(origin *versioned) {
	var replies atomic.Int64
	var killed atomic.Bool
	var all sync.WaitGroup
	cmd := c.begin()
	last := 10 + rand.Int64N(200)
	for range 4 {
		all.Go(func() {
			for !killed.Load() {
				method, fields := "GET", ""
				switch rand.IntN(8) {
				case 0, 1:
					fields = "Cache-Control: no-cache\r\n"
				case 2:
					method, fields = "POST", "Content-Length: 0\r\n"
				}
				_, err := origin.ask(c.port, method, fmt.Sprintf("/%d", rand.IntN(60)), fields, killed.Load)
				if errors.Is(err, errWrong) || err != nil && !killed.Load() {
					c.t.Error(err)
					killed.Store(true)
				}
				if replies.Add(1) == last {
					killed.Store(true)
					cmd.Process.Kill()
				}
			}
		})
	}
	all.Wait()
	cmd.Process.Kill()
	cmd.Wait()
}
