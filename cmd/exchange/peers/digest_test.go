package peers

import (
	"fmt"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/forward/peer"
	"github.com/cuttle-proxy/cuttle/forward/peer/digest"
	"golang.org/x/sys/unix"
)

// TestDigestsOfTheFamily: each fetches the other's digest and goes by it, without a
// question.
func TestDigestsOfTheFamily(t *testing.T) {
	switch _, err := os.Stat(debian); {
	case !*recordings || os.Getenv("CUTTLE_FULL") == "":
		return // for full runs
	case os.Getuid() != 0:
		t.Skip("a network namespace needs root")
	case err != nil:
		t.Skip(err)
	}
	t.Logf("%s", runApart(t, "TestDigestsLife", "PEERS_DIGESTS=1"))
}

// TestDigestsLife is TestDigestsOfTheFamily in a namespace of its own.
func TestDigestsLife(t *testing.T) {
	if os.Getenv("PEERS_DIGESTS") == "" {
		return // there is no namespace
	}
	f := newFamily(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=6000")
		fmt.Fprintf(w, "origin %s", r.URL.Path)
	})
	const often = "\ndigest_generation on\ndigest_rebuild_period 2 seconds\ndigest_rewrite_period 2 seconds"
	// Debian's makes no digest of a cache in memory alone, and logs a request on a kept
	// connection with the code that was opened for.
	const foreign = "\nserver_persistent_connections off\ncache_dir ufs @DIR@/cache 100 4 4\npinger_enable off\nminimum_direct_rtt 0\nminimum_direct_hops 0\ncache_effective_user proxy"
	for _, c := range []struct {
		name, kind  string
		reader, has string // addresses
		code        string
	}{
		{"ours reads theirs, a parent", "parent", oursAt, theirsAt, "CD_PARENT_HIT"},
		{"ours reads theirs, a sibling", "sibling", oursAt, theirsAt, "CD_SIBLING_HIT"},
		{"theirs reads ours, a parent", "parent", theirsAt, oursAt, "CD_PARENT_HIT"},
		{"theirs reads ours, a sibling", "sibling", theirsAt, oursAt, "CD_SIBLING_HIT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dirs := map[string]string{}
			for _, at := range []string{c.has, c.reader} {
				bin, lines := f.bin, "acl all src 0.0.0.0/0.0.0.0"+often
				if at == theirsAt {
					bin, lines = debian, often+foreign
				}
				if at == c.reader {
					lines += "\ncache_peer " + c.has + " " + c.kind + " 3128 0 no-query no-netdb-exchange"
				}
				dir, end := f.launch(t, bin, at, lines)
				defer end(unix.SIGTERM)
				dirs[at] = dir
			}
			const objects = 200
			path := func(i int) string { return fmt.Sprintf("/%s/%s/%d", c.reader, c.kind, i) }
			for i := range objects {
				if !fetched(c.has, path(i)) {
					t.Fatalf("%s is not to be had of %s", path(i), c.has)
				}
			}
			within(t, time.Minute, "a digest with all objects", func() bool { return digestCount(c.has) >= objects })
			// The first request that could use it has it fetched.
			code, next := "", 0
			within(t, 90*time.Second, "a choice by the digest", func() bool {
				code = f.get(t, c.reader, dirs[c.reader], path(next))
				next++
				time.Sleep(100 * time.Millisecond) // so that there is something left to ask for
				return code == c.code || next == objects
			})
			if code != c.code {
				t.Errorf("%d objects of %s, the last with %s, want %s", next, c.has, code, c.code)
			}
			if got := f.get(t, c.reader, dirs[c.reader], "/nobody"+path(0)); got == c.code {
				t.Errorf("what nobody has: %s", got)
			}
		})
	}
}

// digestCount is how many objects a cache's digest has, 0 for none.
func digestCount(at string) int {
	reply, err := http.Get("http://" + at + ":3128" + peer.DigestPath)
	if err != nil {
		return 0
	}
	defer reply.Body.Close()
	d, err := digest.Read(reply.Body)
	if err != nil {
		return 0
	}
	return d.Count
}

// within waits for something to become true.
func within(t *testing.T, d time.Duration, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(d); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, d)
		}
	}
}
