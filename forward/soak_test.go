package forward

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/conf"
)

// TestSoak runs mixed transactions at a concurrency of 200, with aborts on both
// sides, and looks for what is left over: descriptors, goroutines, memory, and
// bytes the log does not account for. CUTTLE_SOAK sets the number of transactions.
func TestSoak(t *testing.T) {
	total := 3000
	if n := os.Getenv("CUTTLE_SOAK"); n != "" {
		fmt.Sscan(n, &total)
	} else if testing.Short() {
		t.Skip("short")
	}
	origin := scripted(t, moody)
	r := start(t, nil, func(c *conf.Config) { c.ReadTimeout = 5 * time.Second })

	// Warm up: pools, pipes and connections that stay. A tenth of the load brings
	// the process to its working size.
	var got tally
	got.run(r, origin, 200, max(400, total/10))
	eventually(t, "all clients gone", func() bool { return r.srv.clients.Len() == 0 })
	fds, goroutines, memory := descriptors(t), runtime.NumGoroutine(), heldMemory(t)

	got.run(r, origin, 200, total)
	eventually(t, "all clients gone", func() bool { return r.srv.clients.Len() == 0 })
	got.audit(t, r.log(int(got.requests.Load())))
	after := heldMemory(t)
	r.srv.pool.Close()
	if n := descriptors(t); n > fds+50 {
		t.Errorf("%d descriptors, %d before", n, fds)
	}
	if n := runtime.NumGoroutine(); n > goroutines+50 {
		t.Errorf("%d goroutines, %d before", n, goroutines)
	}
	if !raceEnabled && after > memory+32<<20 {
		t.Errorf("%d KB resident, %d before", after>>10, memory>>10)
	}
	t.Logf("%d KB resident before, %d after", memory>>10, after>>10)
	t.Logf("%d requests, %d bytes, %d answers cut", got.requests.Load(), got.received.Load(), got.cut.Load())
}

// heldMemory is the resident memory once everything that is garbage has gone
// back to the system: what the clients of the test and their books used is in
// the same process.
func heldMemory(t *testing.T) int64 {
	debug.FreeOSMemory()
	return resident(t)
}

// moody is an origin that answers by the path: with a length, in chunks, until
// it closes, late, cut short, reset, or not at all.
func moody(c *net.TCPConn, r *bufio.Reader) {
	for {
		head, err := readHead(r)
		if err != nil {
			return
		}
		var kind string
		var size, length int
		fmt.Sscanf(strings.Fields(head)[1], "/%s", &kind)
		fmt.Sscanf(kind[1:], "%d", &size)
		if i := strings.Index(head, "Content-Length: "); i >= 0 {
			fmt.Sscan(head[i+len("Content-Length: "):], &length)
			if _, err := io.CopyN(io.Discard, r, int64(length)); err != nil {
				return
			}
		}
		body := bytes.Repeat([]byte{'x'}, size)
		switch kind[0] {
		case 'l':
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n%s", size, body)
		case 'c':
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", size+1, append(body, 'y'))
		case 'e':
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\n\r\n%s", body)
			return
		case 's': // slow
			time.Sleep(5 * time.Millisecond)
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n%s", size, body)
		case 'k': // cut
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", size+100, body)
			return
		case 'r': // reset
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", size+100, body)
			c.SetLinger(0)
			return
		case 'z': // nothing
			return
		}
	}
}

// tally drives clients and counts what they saw.
type tally struct {
	requests, received, cut, ids atomic.Int64
	// whole has, by the path's id, the bytes of each answer read to its end.
	whole sync.Map
}

// audit compares the log with the clients' books: a line for every request, no
// fewer bytes in all, and to the byte for every answer that was read to its end.
func (g *tally) audit(t *testing.T, lines []string) {
	if n := int(g.requests.Load()); len(lines) < n {
		t.Errorf("%d lines in the log for %d requests", len(lines), n)
	}
	compared, logged := 0, int64(0)
	for _, line := range lines {
		f := strings.Fields(line)
		size, _ := strconv.ParseInt(f[4], 10, 64)
		logged += size
		_, id, ok := strings.Cut(f[6], "-")
		if !ok {
			continue // a tunnel
		}
		if want, ok := g.whole.LoadAndDelete(id); ok {
			compared++
			if size != want.(int64) {
				t.Errorf("the client received %d bytes: %s", want, line)
			}
		}
	}
	if logged < g.received.Load() {
		t.Errorf("the log accounts for %d bytes, clients received %d", logged, g.received.Load())
	}
	g.whole.Range(func(id, _ any) bool { t.Errorf("request %v is not in the log", id); return true })
	if compared < len(lines)/4 {
		t.Errorf("only %d of %d lines could be compared", compared, len(lines))
	}
	t.Logf("%d of %d lines compared to the byte", compared, len(lines))
}

func (g *tally) run(r *rig, origin string, concurrency, total int) {
	var left atomic.Int64
	left.Store(int64(total))
	var wg sync.WaitGroup
	for i := range concurrency {
		wg.Go(func() {
			rnd := rand.New(rand.NewSource(int64(i)))
			for left.Add(-1) >= 0 {
				g.one(r, origin, rnd)
			}
		})
	}
	wg.Wait()
}

// one makes a connection and up to four requests on it.
func (g *tally) one(r *rig, origin string, rnd *rand.Rand) {
	c, err := net.Dial("tcp", r.addr)
	if err != nil {
		r.t.Error(err)
		return
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(30 * time.Second))
	if rnd.Intn(20) == 0 {
		g.tunnel(c.(*net.TCPConn), origin, rnd)
		return
	}
	br := bufio.NewReader(c)
	for range 1 + rnd.Intn(4) {
		kind := "lllllcesskrz"[rnd.Intn(12)]
		size := []int{0, 10, 1000, 20000, 200000}[rnd.Intn(5)]
		id := g.ids.Add(1)
		text := fmt.Sprintf("GET http://%s/%c%d-%d HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", origin, kind, size, id)
		if rnd.Intn(6) == 0 {
			n := rnd.Intn(100000)
			text = fmt.Sprintf("POST http://%s/%c%d-%d HTTP/1.0\r\nProxy-Connection: keep-alive\r\nContent-Length: %d\r\n\r\n%s", origin, kind, size, id, n, make([]byte, n))
		}
		if rnd.Intn(30) == 0 { // leave in the middle of the request
			io.WriteString(c, text[:rnd.Intn(40)])
			return
		}
		if _, err := io.WriteString(c, text); err != nil {
			return
		}
		g.requests.Add(1)
		if rnd.Intn(15) == 0 { // leave in the middle of the answer
			c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
			n, _ := io.CopyN(io.Discard, br, int64(rnd.Intn(1000)))
			g.received.Add(n)
			c.(*net.TCPConn).SetLinger(0)
			return
		}
		head, err := readHead(br)
		g.received.Add(int64(len(head)))
		if err != nil {
			g.cut.Add(1)
			return
		}
		length := int64(1 << 40)
		if i := strings.Index(head, "Content-Length: "); i >= 0 {
			fmt.Sscan(head[i+len("Content-Length: "):], &length)
		}
		n, err := io.CopyN(io.Discard, br, length)
		g.received.Add(n)
		if err == nil || err == io.EOF {
			g.whole.Store(fmt.Sprint(id), int64(len(head))+n)
		}
		if err != nil || !strings.Contains(head, "keep-alive\r\n") {
			return
		}
	}
}

func (g *tally) tunnel(c *net.TCPConn, origin string, rnd *rand.Rand) {
	size := rnd.Intn(300000)
	fmt.Fprintf(c, "CONNECT %s HTTP/1.0\r\n\r\nGET /l%d HTTP/1.0\r\n\r\n", origin, size)
	g.requests.Add(1)
	n, _ := io.CopyN(io.Discard, c, int64(rnd.Intn(size+1)))
	g.received.Add(n)
	if rnd.Intn(2) == 0 {
		c.SetLinger(0)
	}
}

func descriptors(t *testing.T) int {
	d, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(d)
}

func resident(t *testing.T) int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, pages int64
	fmt.Sscan(string(b), &size, &pages)
	return pages * int64(os.Getpagesize())
}

// eventually waits until ok holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so after 30 s: %s", what)
		}
	}
}
