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

	"golang.org/x/sys/unix"
)

// TestFamilyUnderLoad: three of ours are each other's neighbours. One dies under load and
// comes back: no request to the others fails but those under way, none goes in a circle,
// and what one has the others take from it.
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
	t.Run("a sibling ends", func(t *testing.T) { underLoad(t, f, "sibling", unix.SIGTERM) })
	t.Run("a sibling is killed", func(t *testing.T) { underLoad(t, f, "sibling", unix.SIGKILL) })
	t.Run("a parent is killed", func(t *testing.T) { underLoad(t, f, "parent", unix.SIGKILL) })
	if circles.Load() > 0 {
		t.Errorf("%d requests went in a circle", circles.Load())
	}
	t.Logf("%d requests came to the origin", asked.Load())
}

var familyAt = []string{"127.0.0.1", "127.0.0.2", "127.0.0.3"}

// underLoad has the third of a family, the parent or a sibling of the others, die by a
// signal and come back, while the others are asked. Only a request that was under way
// when it died may fail.
func underLoad(t *testing.T, f *family, third string, by unix.Signal) {
	lines := func(i int) string {
		text := "acl all src 0.0.0.0/0.0.0.0\ndead_peer_timeout 2 seconds"
		for n, other := range familyAt {
			kind := "sibling"
			if n == 2 {
				kind = third
			}
			if n != i && (i != 2 || third == "sibling") { // a parent asks nobody
				text += "\ncache_peer " + other + " " + kind + " 3128 3130 no-digest no-netdb-exchange"
			}
		}
		return text
	}
	dirs, ends := make([]string, 3), make([]func(unix.Signal), 3)
	for i := range familyAt {
		dirs[i], ends[i] = f.launch(t, f.bin, familyAt[i], lines(i))
	}
	var mu sync.Mutex
	var failed []time.Time // when each began
	var done atomic.Int64
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
				began := time.Now()
				// The two that live are asked, one after the other.
				if !fetched(familyAt[i%2], fmt.Sprintf("/%s-%d/%d/%d", third, by, w, i/2)) {
					mu.Lock()
					failed = append(failed, began)
					mu.Unlock()
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
	ends[2](by)
	died := time.Now()
	wait(done.Load() + 300)
	_, ends[2] = f.launch(t, f.bin, familyAt[2], lines(2))
	wait(done.Load() + 300)
	close(over)
	load.Wait()
	// A dead neighbour is asked once in dead_peer_timeout; its answer brings it back.
	want := map[string]string{"sibling": "SIBLING_HIT", "parent": "PARENT_HIT"}[third]
	code := ""
	for i, end := 0, time.Now().Add(30*time.Second); code != want && time.Now().Before(end); i++ {
		path := fmt.Sprintf("/only-there-%s-%d/%d", third, by, i)
		fetched(familyAt[2], path)
		code = f.get(t, familyAt[0], dirs[0], path)
	}
	if code != want {
		t.Errorf("what the one that came back has: %s", code)
	}
	hits, through := 0, 0
	for _, dir := range dirs[:2] {
		log, _ := os.ReadFile(filepath.Join(dir, "access.log"))
		hits += strings.Count(string(log), " SIBLING_HIT/")
		through += strings.Count(string(log), "_PARENT_MISS/")
	}
	late := 0
	for _, began := range failed {
		if began.After(died) {
			late++
		}
	}
	if late > 0 || by == unix.SIGTERM && len(failed) > 0 || hits == 0 || third == "parent" && through == 0 {
		t.Errorf("of %d requests %d failed, %d of them begun when it was dead; %d were a sibling's hits, %d a parent's misses", done.Load(), len(failed), late, hits, through)
	}
	t.Logf("%d requests, %d under way failed, %d were a sibling's hits, %d a parent's misses", done.Load(), len(failed), hits, through)
	for _, end := range ends {
		end(unix.SIGTERM)
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
