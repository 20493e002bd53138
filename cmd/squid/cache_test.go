package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// cached is a subject with a cache_dir, and an origin that counts.
type cached struct {
	*subject
	origin *httptest.Server
	asked  atomic.Int64
}

func newCached(t *testing.T, lines ...string) *cached {
	c := &cached{}
	c.origin = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.asked.Add(1)
		w.Header().Set("Cache-Control", "max-age=100000")
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, strings.Repeat(r.URL.Path, 2000))
	}))
	t.Cleanup(c.origin.Close)
	c.subject = newSubject(t)
	if err := os.Chmod(filepath.Dir(c.dir), 0o755); err != nil { // the effective user must get there
		t.Fatal(err)
	}
	c.configure(lines...)
	return c
}

func (c *cached) configure(lines ...string) {
	c.write(append(lines, fmt.Sprintf("cache_dir ufs %s/swap 10 2 3", c.dir))...)
	text := strings.NewReplacer("cache_dir null "+c.dir+"\n", "", "http_access deny all", "http_access allow all").Replace(c.read("squid.conf"))
	if err := os.WriteFile(c.conf(), []byte(text), 0o600); err != nil {
		c.t.Fatal(err)
	}
}

// get fetches a path of the origin through the proxy and gives what X-Cache says.
func (c *cached) get(path string) string {
	c.t.Helper()
	proxy := &url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", c.port)}
	client := http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}, Timeout: 30 * time.Second}
	reply, err := client.Get(c.origin.URL + path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer reply.Body.Close()
	body, err := io.ReadAll(reply.Body)
	if err != nil || string(body) != strings.Repeat(path, 2000) {
		c.t.Errorf("%s: %d octets, %v", path, len(body), err)
	}
	what, _, _ := strings.Cut(reply.Header.Get("X-Cache"), " ")
	return what
}

// stored waits until so many objects are in the cache_dir.
func (c *cached) stored(n int) {
	c.until(fmt.Sprintf("%d objects are on disk", n), func() bool {
		files, _ := filepath.Glob(c.in("swap/??/??/*"))
		_, text := c.run("-k", "store")
		return len(files) == n && strings.Contains(text, fmt.Sprintf("swap: %d objects", n))
	})
}

// TestCacheDirLivesOn: what is in a cache_dir is a hit after a clean end, after a kill,
// and after its swap.state was lost; rotation and the end write it anew.
func TestCacheDirLivesOn(t *testing.T) {
	c := newCached(t, "cache_store_log store.log")
	c.configure("cache_store_log " + c.in("store.log"))
	if status, out := c.run("-z"); status != 0 {
		t.Fatalf("-z: %d %q", status, out)
	}
	paths := []string{"/a", "/b", "/c"}
	ends := []struct {
		name, state string
		end         func(pid int)
	}{
		{"a clean end", "(CLEAN)", func(pid int) { syscall.Kill(pid, syscall.SIGTERM) }},
		{"a kill", "(DIRTY)", func(pid int) { syscall.Kill(pid, syscall.SIGKILL) }},
		{"the loss of swap.state", "(DIRTY)", func(pid int) { syscall.Kill(pid, syscall.SIGKILL); os.Remove(c.in("swap/swap.state")) }},
	}
	cmd := c.start()
	for _, path := range paths {
		if got := c.get(path); got != "MISS" {
			t.Errorf("%s at first: %s", path, got)
		}
	}
	c.stored(3)
	for _, e := range ends {
		e.end(cmd.Process.Pid)
		cmd.Wait()
		os.Remove(c.in("squid.pid"))
		os.Remove(c.in("cache.log"))
		cmd = c.start()
		c.until("the index is there", func() bool { return strings.Contains(c.read("cache.log"), "store_swap_size = ") })
		if log := c.read("cache.log"); !strings.Contains(log, "Rebuilding storage in "+c.in("swap")+" "+e.state) || !strings.Contains(log, "      3 Objects loaded.") {
			t.Errorf("after %s:\n%s", e.name, log)
		}
		for _, path := range paths {
			if got := c.get(path); got != "HIT" {
				t.Errorf("%s after %s: %s", path, e.name, got)
			}
		}
	}
	if n := c.asked.Load(); n != 3 {
		t.Errorf("the origin was asked %d times", n)
	}
	if status, _ := c.run("-k", "rotate"); status != 0 {
		t.Errorf("-k rotate: %d", status)
	}
	c.until("swap.state is written anew", func() bool {
		return strings.Contains(c.read("cache.log")+c.read("cache.log.0"), "  Finished.  Wrote 3 entries.") && c.read("store.log.0") != ""
	})
	var actions []string
	for line := range strings.Lines(c.read("store.log.0")) {
		actions = append(actions, strings.Fields(line)[1])
	}
	if slices.Sort(actions); !slices.Equal(actions, []string{"SWAPOUT", "SWAPOUT", "SWAPOUT"}) {
		t.Errorf("store.log: %q", c.read("store.log.0"))
	}
	if status, out := c.run("-k", "store", "--json"); status != 0 || !strings.Contains(out, `"HitRatio": 1`) {
		t.Errorf("-k store --json: %d %s", status, out)
	}
}

// TestChangedCacheDirs: SIGHUP takes directories into use and out of it, and keeps what
// is cached.
func TestChangedCacheDirs(t *testing.T) {
	c := newCached(t)
	second := fmt.Sprintf("cache_dir aufs %s/more 10 2 2", c.dir)
	c.configure(second)
	if status, out := c.run("-z"); status != 0 {
		t.Fatalf("-z: %d %q", status, out)
	}
	c.configure()
	cmd := c.start()
	c.get("/a")
	c.stored(1)
	again := func(want string, lines ...string) {
		t.Helper()
		c.configure(lines...)
		cmd.Process.Signal(syscall.SIGHUP)
		c.until(want, func() bool { return strings.Contains(c.read("cache.log"), want) })
		if got := c.get("/a"); got != "HIT" {
			t.Errorf("after %q: %s", want, got)
		}
	}
	again("Rebuilding storage in "+c.in("more"), second)
	if _, text := c.run("-k", "store"); strings.Count(text, "cache_dir ") != 2 {
		t.Errorf("-k store: %s", text)
	}
	c.configure()
	cmd.Process.Signal(syscall.SIGHUP)
	c.until("the second is gone", func() bool { _, text := c.run("-k", "store"); return strings.Count(text, "cache_dir ") == 1 })
	if got := c.get("/a"); got != "HIT" {
		t.Errorf("at the end: %s", got)
	}
	// One that cannot be used is said so, and the others go on.
	if err := os.RemoveAll(c.in("more")); err != nil {
		t.Fatal(err)
	}
	again("ERROR: cache_dir "+c.in("more"), "cache_mem 3 MB", second)
	if status, out := c.run("-k", "reconfigure"); status != exitBad || !strings.Contains(out, "squid: ERROR: cache_dir "+c.in("more")) {
		t.Errorf("-k reconfigure: %d %q", status, out)
	}
	if _, text := c.run("-k", "store"); !strings.Contains(text, "3072") {
		t.Errorf("what else the file says is not in force: %s", text)
	}
}

// TestSizesAtTheStart: cache.log begins with 2.6's lines about memory and disk.
func TestSizesAtTheStart(t *testing.T) {
	c := newCached(t, "cache_mem 5 MB", "store_avg_object_size 20 KB", "store_dir_select_algorithm round-robin")
	if status, out := c.run("-z"); status != 0 {
		t.Fatalf("-z: %d %q", status, out)
	}
	c.start()
	for _, line := range []string{
		"Swap maxSize 10240 + 5120 KB, estimated 768 objects", "Max Mem  size: 5120 KB", "Max Swap size: 10240 KB", "Using Round Robin store dir selection",
	} {
		if !strings.Contains(c.read("cache.log"), "| "+line+"\n") {
			t.Errorf("no %q in\n%s", line, c.read("cache.log"))
		}
	}
}

// TestCacheDirsThatEndAStart: without folders, with a swap.state of another machine, and
// with a type there is not, nothing is served, and the reason is told.
func TestCacheDirsThatEndAStart(t *testing.T) {
	c := newCached(t)
	os.Mkdir(c.in("swap"), 0o755)
	if err := os.Chmod(c.in("swap"), 0o777); err != nil { // it is not root who fills it
		t.Fatal(err)
	}
	if status, out := c.run("-k", "check-config"); status == 0 || !strings.Contains(out, "fail cache_dir: cache_dir "+c.in("swap")+" was never made: ") {
		t.Errorf("check-config: %d %s", status, out)
	}
	if status, out := c.run("-N", "-D"); status != exitFatal || !strings.Contains(out, "FATAL: \tFailed to verify one of the swap directories, Check cache.log\n\tfor details.") || !strings.Contains(c.read("cache.log"), "swap/00: (2) No such file or directory") {
		t.Errorf("without folders: %d %q\n%s", status, out, c.read("cache.log"))
	}
	if status, out := c.run("-z"); status != 0 {
		t.Fatalf("-z: %d %q", status, out)
	}
	os.WriteFile(c.in("swap/swap.state"), slices.Concat([]byte{3, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 72}, make([]byte, 60)), 0o666)
	if status, out := c.run("-N", "-D"); status != exitFatal || !strings.Contains(out, "written by a machine of another kind") {
		t.Errorf("big-endian: %d %q", status, out)
	}
	os.Remove(c.in("swap/swap.state"))
	c.configure("cache_dir coss " + c.in("coss") + " 10 max-size=1000")
	for _, args := range [][]string{{"-N", "-D"}, {"-z"}} {
		if status, out := c.run(args...); status != exitFatal || !strings.Contains(out, "cache_dir coss") || !strings.Contains(out, "write aufs") {
			t.Errorf("coss, %v: %d %q", args, status, out)
		}
	}
	c.configure("cache_dir coss "+c.in("coss")+" 10 max-size=1000", "accept_without_effect cache_dir:coss")
	if status, out := c.run("-z"); status != exitGood {
		t.Errorf("coss accepted, -z: %d %q", status, out)
	}
}

// TestAwaitIndex: -F serves when the index is there; a signal to end ends the wait, and
// others come again.
func TestAwaitIndex(t *testing.T) {
	rebuilt, signals := make(chan struct{}), make(chan os.Signal, 4)
	signals <- syscall.SIGHUP
	signals <- syscall.SIGTERM
	if err := awaitIndex(rebuilt, signals); err != errEnded {
		t.Errorf("after SIGTERM: %v", err)
	}
	done := make(chan error)
	signals <- syscall.SIGUSR1
	go func() { done <- awaitIndex(rebuilt, signals) }()
	for len(signals) > 0 {
		time.Sleep(time.Millisecond)
	}
	close(rebuilt)
	if err := <-done; err != nil || len(signals) != 1 {
		t.Errorf("%v, %d signals", err, len(signals))
	}
}

// TestForeground: -F and -S are accepted with a cache_dir, and served after the rebuild.
func TestForeground(t *testing.T) {
	c := newCached(t)
	if status, out := c.run("-z"); status != 0 {
		t.Fatalf("-z: %d %q", status, out)
	}
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", c.port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if status, _ := c.run("-N", "-F", "-S"); status != exitFatal { // the port is taken
		t.Errorf("status %d", status)
	}
	log := c.read("cache.log")
	if finished := strings.Index(log, "Finished rebuilding storage"); strings.Contains(log, "without effect") || finished < 0 && !strings.Contains(log, "Rebuilding storage in ") {
		t.Errorf("cache.log:\n%s", log)
	}
}
