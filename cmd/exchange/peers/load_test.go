package peers

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestFamilyUnderLoad: three of ours are each other's siblings. One dies under load and
// comes back: no request to the others fails, none goes in a circle, and what one has the
// others take from it.
func TestFamilyUnderLoad(t *testing.T) {
	switch {
	case !*recordings || os.Getenv("CUTTLE_FULL") == "":
		return // half a minute: for full runs
	case os.Getuid() != 0:
		t.Skip("a network namespace needs root")
	}
	t.Logf("%s", runApart(t, "TestLoadLife", "PEERS_LOAD=1"))
}

// TestLoadLife is TestFamilyUnderLoad in a namespace of its own.
func TestLoadLife(t *testing.T) {
	if os.Getenv("PEERS_LOAD") == "" {
		return // there is no namespace
	}
	var asked, circles atomic.Int64
	f := newFamily(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if strings.Count(strings.Join(r.Header["Via"], ","), "squid") > 2 {
			circles.Add(1)
		}
		w.Header().Set("Cache-Control", "max-age=6000")
		fmt.Fprintf(w, "origin %s", r.URL.Path)
	})
	at := []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"}
	lines := func(i int) string {
		text := "acl all src 0.0.0.0/0.0.0.0\ndead_peer_timeout 2 seconds"
		for n, other := range at {
			if n != i {
				text += "\ncache_peer " + other + " sibling 3128 3130 no-digest no-netdb-exchange"
			}
		}
		return text
	}
	dirs, stops := make([]string, 3), make([]func(), 3)
	for i := range at {
		dirs[i], stops[i] = f.start(t, f.bin, at[i], lines(i))
	}
	var failed, done atomic.Int64
	over := make(chan struct{})
	var load sync.WaitGroup
	for w := range 4 {
		load.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-over:
					return
				default:
				}
				// The two that live are asked, one after the other.
				if !fetched(at[i%2], fmt.Sprintf("/%d/%d", w, i/2)) {
					failed.Add(1)
				}
				done.Add(1)
			}
		})
	}
	wait := func(n int64) {
		for end := time.Now().Add(60 * time.Second); done.Load() < n; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d requests in a minute", done.Load())
			}
		}
	}
	wait(300)
	stops[2]() // it dies
	wait(done.Load() + 300)
	_, stops[2] = f.start(t, f.bin, at[2], lines(2))
	wait(done.Load() + 300)
	close(over)
	load.Wait()
	// A dead sibling is asked once in dead_peer_timeout; its answer brings it back.
	code := ""
	for i, end := 0, time.Now().Add(30*time.Second); code != "SIBLING_HIT" && time.Now().Before(end); i++ {
		path := fmt.Sprintf("/only-there/%d", i)
		fetched(at[2], path)
		code = f.get(t, at[0], dirs[0], path)
	}
	if code != "SIBLING_HIT" {
		t.Errorf("what the one that came back has: %s", code)
	}
	hits := 0
	for _, dir := range dirs[:2] {
		log, _ := os.ReadFile(filepath.Join(dir, "access.log"))
		hits += strings.Count(string(log), " SIBLING_HIT/")
	}
	if failed.Load() > 0 || circles.Load() > 0 || hits == 0 {
		t.Errorf("of %d requests %d failed, %d went in a circle, %d were a sibling's hits", done.Load(), failed.Load(), circles.Load(), hits)
	}
	t.Logf("%d requests, %d at the origin, %d a sibling's", done.Load(), asked.Load(), hits)
	for _, stop := range stops {
		stop()
	}
}

// fetched reports whether a proxy gives a path of the origin.
func fetched(at, path string) bool {
	conn, err := net.Dial("tcp4", at+":3128")
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(conn, "GET http://%s:8000%s HTTP/1.0\r\n\r\n", originAt, path)
	reply, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return false
	}
	defer reply.Body.Close()
	body := make([]byte, 64)
	n, _ := reply.Body.Read(body)
	return reply.StatusCode == 200 && string(body[:n]) == "origin "+path
}
