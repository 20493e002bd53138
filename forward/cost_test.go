package forward

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// plainOrigin answers every read with the same bytes and allocates nothing: the
// requests of its tests come in one piece.
func plainOrigin(t testing.TB, answer []byte) string {
	return scripted(t, func(c *net.TCPConn, _ *bufio.Reader) {
		buf := make([]byte, 4096)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	})
}

var kilobyte = []byte("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n" + strings.Repeat("x", 1024))

// askAgain gives a function that does one request on a kept connection.
func askAgain(t testing.TB, r *rig, origin string) func() {
	return repeat(t, r, fmt.Sprintf("GET http://%s/a HTTP/1.0\r\nUser-Agent: x\r\nAccept: */*\r\nProxy-Connection: keep-alive\r\n\r\n", origin), strings.Repeat("x", 1024))
}

// repeat gives a function that sends the request on a kept connection and reads
// to the end of the answer, which is the end of its body.
func repeat(t testing.TB, r *rig, text, end string) func() {
	c := r.dial()
	t.Cleanup(func() { c.Close() })
	request, last := []byte(text), []byte(end)
	buf := make([]byte, 4096)
	return func() {
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		for n := 0; !bytes.HasSuffix(buf[:n], last); {
			m, err := c.Read(buf[n:])
			if err != nil {
				t.Fatalf("%q %v", buf[:n], err)
			}
			n += m
		}
	}
}

// TestTransactionAllocatesNothing: requests on kept connections, from the first
// byte to the log line, in the ways of speaking HTTP there are. A request with a
// body is not among them: it gets a new connection.
func TestTransactionAllocatesNothing(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	const chunked = "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
	both11 := func(c *conf.Config, _ string) { c.HTTPPorts[0].HTTP11, c.ServerHTTP11 = true, true }
	plain := "GET http://ORIGIN/a HTTP/1.1\r\nHost: o\r\nUser-Agent: x\r\nAccept: */*\r\nProxy-Connection: keep-alive\r\n\r\n"
	for name, c := range map[string]struct {
		edit         func(c *conf.Config, origin string)
		request      string // with ORIGIN where its address belongs
		answer, last string
	}{
		"1.0":            {func(*conf.Config, string) {}, plain, string(kilobyte), strings.Repeat("x", 1024)},
		"1.1":            {both11, plain, string(kilobyte), strings.Repeat("x", 1024)},
		"1.1, in chunks": {both11, plain, chunked, "\r\n0\r\n\r\n"},
		"accelerator": {func(c *conf.Config, origin string) {
			c.HTTPPorts[0].Accel, c.HTTPPorts[0].DefaultSite = true, origin
			c.AlwaysDirect = conf.AccessList{{Allow: true}}
		}, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", string(kilobyte), strings.Repeat("x", 1024)},
		"fields by policy": {func(c *conf.Config, _ string) {
			c.HeaderAccess = []conf.HeaderAccess{{Header: "User-Agent"}}
		}, plain, string(kilobyte), strings.Repeat("x", 1024)},
	} {
		t.Run(name, func(t *testing.T) {
			origin := plainOrigin(t, []byte(c.answer))
			r := start(t, nil, func(cfg *conf.Config) { c.edit(cfg, origin) })
			ask := repeat(t, r, strings.Replace(c.request, "ORIGIN", origin, 1), c.last)
			for range 100 {
				ask()
			}
			// The log's buffer and the date of the second are made now and then.
			if n := testing.AllocsPerRun(1000, ask); n >= 1 {
				t.Errorf("%v allocations a transaction", n)
			}
		})
	}
}

func BenchmarkTransaction(b *testing.B) {
	r := start(b, nil)
	ask := askAgain(b, r, plainOrigin(b, kilobyte))
	b.ReportAllocs()
	for b.Loop() {
		ask()
	}
}

// idleChild makes the test binary a proxy in a process of its own, whose memory
// is nobody else's.
const idleChild = "CUTTLE_IDLE_CHILD"

// TestIdleChild is that proxy.
func TestIdleChild(t *testing.T) {
	if os.Getenv(idleChild) == "" {
		return // run by TestIdleMemory
	}
	r := start(t, nil)
	fmt.Println("ADDR", r.addr)
	io.Copy(io.Discard, os.Stdin)
}

// TestIdleMemory: an idle client connection that has done a request costs at
// most 5 KB of resident memory, a grown stack or a kept buffer would show. The
// bound leaves room for a machine that is busy; cmd/bench measures exactly.
func TestIdleMemory(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("measures memory, of which the race detector takes its share")
	}
	cmd := exec.Command(os.Args[0], "-test.run", "^TestIdleChild$")
	cmd.Env = append(os.Environ(), idleChild+"=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	var addr string
	if _, err := fmt.Fscanf(bufio.NewReader(out), "ADDR %s\n", &addr); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, out)

	child := &rig{t: t, addr: addr}
	origin := plainOrigin(t, kilobyte)
	for range 4 {
		askAgain(t, child, origin)()
	}
	const connections = 1000
	before := residentOf(t, cmd.Process.Pid)
	for range connections {
		askAgain(t, child, origin)()
	}
	var each int64
	// The stacks of the last transactions go when their short stay is over.
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if each = (residentOf(t, cmd.Process.Pid) - before) / connections; each <= 5<<10 {
			break
		}
	}
	t.Logf("%d octets an idle connection", each)
	if each > 8<<10 {
		t.Errorf("an idle connection costs %d octets", each)
	}
}

func residentOf(t *testing.T, pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	var size, pages int64
	fmt.Sscan(string(b), &size, &pages)
	return pages * int64(os.Getpagesize())
}
