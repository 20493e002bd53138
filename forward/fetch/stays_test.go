package fetch

import (
	"bufio"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/acl"
	"github.com/cuttle-proxy/cuttle/forward/http1"
	"github.com/cuttle-proxy/cuttle/forward/report"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// A peer that closes without a reply has not been seen to refuse to keep connections:
// once it answers it is asked as before.
func TestOnlyRepliesTellWhoKeepsConnections(t *testing.T) {
	var answers atomic.Bool
	var asked atomic.Int32
	at := listen(t, func(c *net.TCPConn, b *bufio.Reader) {
		head, err := readHead(b)
		if err != nil {
			return
		}
		if strings.Contains(head, "Proxy-Connection: keep-alive") {
			asked.Add(1)
		}
		if answers.Load() {
			c.Write([]byte("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"))
		}
	})
	host, port, _ := net.SplitHostPort(at)
	r := newRig(t, "cache_peer "+host+" parent "+port+" 0 no-query no-digest no-netdb-exchange\nnever_direct allow all")
	get := func() {
		if o, why := r.env.Get(t.Context(), &r.policy, "http://o.test/", new(http1.Outgoing), acl.Facts{}); why == nil {
			o.Close()
		}
	}
	for range 10 {
		get()
	}
	silent := asked.Load()
	answers.Store(true)
	for asked.Load() < silent+20 {
		before := asked.Load()
		if get(); asked.Load() == before {
			break
		}
	}
	if n := asked.Load() - silent; silent < 10 || n != 10 {
		t.Errorf("asked %d times without a reply, then %d times", silent, n)
	}
}

// Where a neighbour was late and nobody is left to go to, the log tells both, and
// cache.log what the rules said.
func TestNowhereToGo(t *testing.T) {
	core, said := observer.New(zap.InfoLevel)
	r := newRig(t, "never_direct allow all")
	r.env.Log = zap.New(core)
	for range 3 {
		f := new(Fetch)
		f.Init()
		req, _ := understood(t, "GET http://u:pw@h.test/a?b HTTP/1.0\r\n\r\n", nil)
		f.Begin(t.Context(), &r.env, &r.policy, req)
		if why := f.Choose(); why == nil {
			t.Fatal("there is a hop")
		}
		if code, _ := f.Hierarchy(); code != "" {
			t.Errorf("code %q", code)
		}
		f.choice.Late = true
		f.noHop()
		if code, host := f.Hierarchy(); code != "TIMEOUT_NONE" || host != "" {
			t.Errorf("code %q, host %q", code, host)
		}
	}
	var lines []string
	for _, e := range said.All() {
		lines = append(lines, report.Line(e.Message, e.Context))
	}
	want := []string{"Failed to select source for 'http://u@h.test/a?'", "  always_direct = 0", "   never_direct = 1", "       timedout = 0"}
	if !slices.Equal(lines, want) {
		t.Errorf("%q", lines)
	}
}

// A request that goes in a circle is not repeated: what it is answered there is the answer.
func TestCirclesAreNotRepeated(t *testing.T) {
	var asked atomic.Int32
	at := listen(t, func(c *net.TCPConn, b *bufio.Reader) {
		if _, err := readHead(b); err == nil {
			asked.Add(1)
			c.Write([]byte("HTTP/1.0 504 Gateway Time-out\r\nContent-Length: 0\r\n\r\n"))
		}
	})
	host, port, _ := net.SplitHostPort(at)
	r := newRig(t, "cache_peer "+host+" parent "+port+" 0 no-query no-digest no-netdb-exchange\nnever_direct allow all")
	for loops, want := range []int32{2, 1, 1} { // FIRST_UP_PARENT and ANY_PARENT
		asked.Store(0)
		f := new(Fetch)
		f.Init()
		req, _ := understood(t, "GET http://o.test/ HTTP/1.0\r\n\r\n", nil)
		req.Loops = loops
		f.Begin(t.Context(), &r.env, &r.policy, req)
		if why := f.Choose(); why != nil {
			t.Fatal(why)
		}
		if why := f.Head(); why != nil || f.Reply.Status != 504 {
			t.Fatalf("%v, %d", why, f.Reply.Status)
		}
		f.Leave(time.Now())
		if n := asked.Load(); n != want {
			t.Errorf("%d loops: asked %d times, want %d", loops, n, want)
		}
	}
}
