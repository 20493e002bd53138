package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// subscriber is the address of one of several on the client's network. Half of them lie
// far from the others: buckets are handed out in a row.
func subscriber(n int) string { return fmt.Sprintf("10.1.0.%d", 10+n+n%2*128) }

const subscribers = 8

// caches2 is a second cache of the town, on a network of its own.
const caches2 = "10.67.0.20"

// TestSubscribersShareTheirCache: subscribers behind a router with two caches, which it
// shares out by source. What one has fetched under a verified name is a hit for all of
// the same cache, many at once are one fetch, and the origin sees the subscriber whose
// request it was. Under a name that does not belong to where they dialled nothing is
// shared.
func TestSubscribersShareTheirCache(t *testing.T) {
	if os.Getenv("CUTTLE_FULL") == "" {
		t.Skip("waits half a minute for the assignment of buckets; make check-all runs it")
	}
	t.Parallel()
	s, router, lab := newTownLab(t)
	second := &street{t: t, dir: t.TempDir(), client: s.client, gateway: lab.Node("gateway2"), origin: s.origin}
	lab.Link(netlab.End{Node: second.gateway, Name: "eth0", Addrs: []string{caches2 + "/24"}},
		netlab.End{Node: router, Name: "proxy1", Addrs: []string{"10.67.0.1/24"}})
	second.gateway.Route("default", "10.67.0.1")
	second.makeDir()
	for n := range subscribers {
		s.client.Addr("eth0", subscriber(n)+"/24")
	}
	seen := countingOrigin(t, s.origin)
	control := s.startRouter(router, "interface proxy1", "ip wccp redirect exclude in")
	for _, c := range []*street{s, second} {
		c.configure(townLines + "cache_mem 8 MB\ncollapsed_forwarding on\n")
		c.hosts(streetOrigin4 + " shared.example")
		if out, err := c.order("setup"); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		c.launch()
	}
	s.until("the router shares subscribers out", func() bool {
		s.ended()
		second.ended()
		return bucketsHeld(control) == 512 && cachesWithBuckets(control) == 4
	})

	// One after the other.
	by := map[string][]string{} // the log of each cache
	for n := range subscribers {
		s.fetch(subscriber(n), "shared.example", "/page")
	}
	page := seen.take("/page")
	for name, c := range map[string]*street{"first": s, "second": second} {
		c.until("all is logged", func() bool {
			return strings.Count(s.read("log/access.log")+second.read("log/access.log"), "/page") == subscribers
		})
		by[name] = strings.Split(strings.TrimSpace(c.read("log/access.log")), "\n")
		misses, hits := countTag(by[name], "TCP_MISS/200"), countTag(by[name], "TCP_MEM_HIT/200")
		if len(by[name]) < 2 {
			t.Fatalf("the %s cache had too few subscribers to tell: %q", name, by[name])
		}
		if misses != 1 || hits != len(by[name])-1 {
			t.Errorf("the %s cache: %d misses and %d hits of %q", name, misses, hits, by[name])
		}
		for _, line := range by[name] {
			if from := strings.Fields(line)[2]; strings.Contains(line, "TCP_MISS") && page[from] != 1 {
				t.Errorf("the origin did not see %s: %v", from, page)
			}
		}
	}
	if len(page) != 2 {
		t.Errorf("the origin was asked by %v, once for each cache is wanted", page)
	}

	// All at once, of an origin that answers when all have asked.
	var all sync.WaitGroup
	for n := range subscribers {
		all.Go(func() { s.fetch(subscriber(n), "shared.example", "/slow") })
	}
	s.until("all wait for one reply of each cache", func() bool { return waitingIn(s)+waitingIn(second) == subscribers-2 && seen.count("/slow") == 2 })
	close(seen.answer)
	all.Wait()
	if slow := seen.take("/slow"); len(slow) != 2 {
		t.Errorf("the origin was asked by %v, once for each cache is wanted", slow)
	}

	// A name that belongs elsewhere.
	for n := range subscribers {
		s.fetch(subscriber(n), "four.example.other", "/page")
	}
	if page := seen.take("/page"); len(page) != subscribers {
		t.Errorf("under a name that is not verified the origin was asked by %v, each for itself is wanted", page)
	}
}

func countTag(lines []string, tag string) (n int) {
	for _, line := range lines {
		if strings.Contains(line, " "+tag+" ") {
			n++
		}
	}
	return n
}

// cachesWithBuckets counts the caches of all services that have some.
func cachesWithBuckets(control func(...string) string) (n int) {
	var routers []struct {
		Groups []struct{ Caches []struct{ Buckets int } }
	}
	json.Unmarshal([]byte(control("status")), &routers)
	for _, r := range routers {
		for _, g := range r.Groups {
			for _, c := range g.Caches {
				if c.Buckets > 0 {
					n++
				}
			}
		}
	}
	return n
}

// waitingIn is how many requests of a cache have waited for another one's fetch.
func waitingIn(s *street) int {
	text, _ := s.order("store", "--json")
	var stats struct{ Waited, Joined int }
	json.Unmarshal([]byte(text), &stats)
	return stats.Waited + stats.Joined
}

// counting is an origin that counts who has asked for which path.
type counting struct {
	mu     sync.Mutex
	by     map[string]map[string]int
	answer chan struct{} // closed when /slow may be answered
}

func countingOrigin(t *testing.T, node *netlab.Node) *counting {
	c := &counting{by: map[string]map[string]int{}, answer: make(chan struct{})}
	l, err := node.Listen("10.2.0.2:8080")
	if err != nil {
		t.Fatal(err)
	}
	// newTown's origin has port 80; what is dialled there comes here.
	node.Must("nft", "add table ip counting; add chain ip counting c { type nat hook prerouting priority -100; }; add rule ip counting c tcp dport 80 redirect to :8080")
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		c.mu.Lock()
		if c.by[r.URL.Path] == nil {
			c.by[r.URL.Path] = map[string]int{}
		}
		c.by[r.URL.Path][host]++
		c.mu.Unlock()
		if r.URL.Path == "/slow" {
			select {
			case <-c.answer:
			case <-r.Context().Done():
			}
		}
		w.Header().Set("Cache-Control", "max-age=1000")
		fmt.Fprint(w, "for all")
	})}
	go server.Serve(l)
	t.Cleanup(func() { server.Close() })
	return c
}

func (c *counting) count(path string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, times := range c.by[path] {
		n += times
	}
	return n
}

// take gives and forgets who has asked for a path.
func (c *counting) take(path string) map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	by := c.by[path]
	delete(c.by, path)
	return by
}

// fetch is one request of a subscriber, intercepted.
func (s *street) fetch(from, host, path string) {
	s.t.Helper()
	conn, err := s.client.DialFrom(s.t.Context(), from, streetOrigin4+":80")
	if err != nil {
		s.t.Error(err)
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(60 * time.Second))
	fmt.Fprintf(conn, "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", path, host)
	r := bufio.NewReader(conn)
	reply, err := http.ReadResponse(r, nil)
	if err != nil {
		s.t.Errorf("%s: %v", from, err)
		return
	}
	defer reply.Body.Close()
	defer io.Copy(io.Discard, r) // the proxy is done with it when it closes
	if body, err := io.ReadAll(reply.Body); err != nil || string(body) != "for all" {
		s.t.Errorf("%s: status %d, %q, %v", from, reply.StatusCode, body, err)
	}
}
