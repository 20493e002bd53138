package peers

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// debian is the squid of another hand that ours must get along with.
const debian = "/usr/sbin/squid"

// family is two proxies, ours at oursAt and a Debian one at theirsAt, that know each
// other, and an origin.
type family struct {
	t      *testing.T
	origin net.Listener
	bin    string
}

const oursAt, theirsAt = "127.0.0.1", "127.0.0.2"

// TestFamily has ours be sibling, parent and child of Debian's squid, asked by ICP and by
// HTCP, in both directions.
func TestFamily(t *testing.T) {
	switch _, err := os.Stat(debian); {
	case !*recordings:
		t.Skip("played without the race detector, by `make exchange`")
	case os.Getuid() != 0:
		t.Skip("a network namespace needs root")
	case err != nil:
		t.Skip(err)
	}
	runApart(t, "TestFamilyLife", "PEERS_FAMILY=1")
}

// runApart runs another test of this binary in a network namespace of its own, and
// gives what it says.
func runApart(t *testing.T, life, env string) []byte {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^"+life+"$", "-test.v", "-test.timeout=180s")
	c.Env = append(os.Environ(), "PEERS_BIN="+buildProxy(t), env)
	c.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWNET, Pdeathsig: unix.SIGKILL}
	text, err := c.CombinedOutput()
	if err != nil || !strings.Contains(string(text), "--- PASS: "+life) {
		t.Errorf("%v: %s", err, text)
	}
	return text
}

// newFamily is an empty family with its origin, in the namespace the test runs in.
func newFamily(t *testing.T, answer http.HandlerFunc) *family {
	t.Helper()
	lo, err := netlink.LinkByName("lo")
	if err == nil {
		err = netlink.LinkSetUp(lo)
	}
	if err != nil {
		t.Fatal(err)
	}
	f := &family{t: t, bin: os.Getenv("PEERS_BIN")}
	if f.origin, err = net.Listen("tcp4", originAt+":8000"); err != nil {
		t.Fatal(err)
	}
	go http.Serve(f.origin, answer)
	return f
}

// TestFamilyLife is TestFamily in a namespace of its own.
func TestFamilyLife(t *testing.T) {
	if os.Getenv("PEERS_FAMILY") == "" {
		return // there is no namespace
	}
	f := newFamily(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=6000")
		io.WriteString(w, "origin "+r.URL.Path)
	})
	icp, htcp := "3128 3130 no-digest no-netdb-exchange", "3128 4827 htcp no-digest no-netdb-exchange"
	none := "sibling 3128 0 no-query no-digest no-netdb-exchange"
	// Debian's squid logs a request on a kept connection with the code that was opened for.
	kept := "theirs /c PARENT_HIT FIRST_PARENT_MISS"
	for i, c := range []struct {
		name, ours, theirs string   // what they call each other
		gets               []string // "ours PATH" or "theirs PATH", and the codes it may be logged with
	}{
		{"siblings by ICP", "sibling " + icp, "sibling " + icp, []string{"theirs /a HIER_DIRECT", "ours /b DIRECT", "ours /a SIBLING_HIT", "theirs /b SIBLING_HIT"}},
		{"siblings by HTCP", "sibling " + htcp, "sibling " + htcp, []string{"theirs /a HIER_DIRECT", "ours /b DIRECT", "ours /a SIBLING_HIT", "theirs /b SIBLING_HIT"}},
		{"child by ICP", "parent " + icp, none, []string{"theirs /a HIER_DIRECT", "ours /a PARENT_HIT", "ours /c FIRST_PARENT_MISS"}},
		{"parent by ICP", none, "parent " + icp, []string{"ours /a DIRECT", "theirs /a PARENT_HIT", kept}},
		{"parent by HTCP", none, "parent " + htcp, []string{"ours /a DIRECT", "theirs /a PARENT_HIT", kept}},
	} {
		if i > 0 && os.Getenv("CUTTLE_FULL") == "" {
			break // three seconds each
		}
		t.Run(c.name, func(t *testing.T) {
			ours, stopOurs := f.start(t, f.bin, oursAt, "acl all src 0.0.0.0/0.0.0.0\ncache_peer "+theirsAt+" "+c.ours)
			defer stopOurs()
			theirs, stopTheirs := f.start(t, debian, theirsAt, "cache_peer "+oursAt+" "+c.theirs+"\npinger_enable off\nminimum_direct_rtt 0\nminimum_direct_hops 0\ncache_effective_user proxy")
			defer stopTheirs()
			for _, line := range c.gets {
				w := strings.Fields(line)
				at, dir := oursAt, ours
				if w[0] == "theirs" {
					at, dir = theirsAt, theirs
				}
				if got := f.get(t, at, dir, w[1]); !slices.Contains(w[2:], got) {
					t.Errorf("%s: %s", line, got)
				}
			}
		})
	}
}

// start starts a proxy and gives its folder and what ends it.
func (f *family) start(t *testing.T, bin, at, lines string) (dir string, stop func()) {
	dir, end := f.launch(t, bin, at, lines)
	return dir, func() { end(unix.SIGTERM) }
}

// launch starts a proxy and gives its folder and what ends it by a signal.
func (f *family) launch(t *testing.T, bin, at, lines string) (dir string, end func(unix.Signal)) {
	dir, err := os.MkdirTemp("", "family-")
	if err != nil {
		t.Fatal(err)
	}
	os.Chmod(dir, 0o777)
	conf := fmt.Sprintf(`http_port %[1]s:3128
icp_port 3130
htcp_port 4827
udp_incoming_address %[1]s
icp_query_timeout 5000
visible_hostname n%[3]s.test
pid_filename %[2]s/pid
cache_log %[2]s/cache.log
access_log %[2]s/access.log squid
cache_store_log none
cache_mem 8 MB
coredump_dir %[2]s
shutdown_lifetime 1 second
dns_nameservers 127.0.0.53
%[4]s
http_access allow all
icp_access allow all
htcp_access allow all
`, at, dir, strings.ReplaceAll(at, ".", "-"), lines)
	conf = strings.ReplaceAll(conf, "@DIR@", dir)
	if err := os.WriteFile(filepath.Join(dir, "squid.conf"), []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(conf, "\ncache_dir ") {
		if out, err := exec.Command(bin, "-z", "-N", "-f", filepath.Join(dir, "squid.conf")).CombinedOutput(); err != nil {
			t.Fatalf("%s -z: %v: %s", bin, err, out)
		}
	}
	c := exec.Command(bin, "-N", "-f", filepath.Join(dir, "squid.conf"))
	c.SysProcAttr = &unix.SysProcAttr{Pdeathsig: unix.SIGKILL}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp4", at+":3128"); err == nil {
			conn.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%s does not listen", bin)
		}
	}
	return dir, func(by unix.Signal) {
		c.Process.Signal(by)
		c.Wait()
		os.RemoveAll(dir)
	}
}

// get fetches a path of the origin and gives the hierarchy code of its line.
func (f *family) get(t *testing.T, at, dir, path string) string {
	url := "http://" + originAt + ":8000" + path
	conn, err := net.Dial("tcp4", at+":3128")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(conn, "GET %s HTTP/1.0\r\n\r\n", url)
	b, _ := io.ReadAll(conn)
	if !strings.HasSuffix(string(b), "origin "+path) {
		got, _ := json.Marshal(string(b))
		t.Errorf("%s by way of %s: %s", path, at, got)
	}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		log, _ := os.ReadFile(filepath.Join(dir, "access.log"))
		for line := range strings.Lines(string(log)) {
			if w := strings.Fields(line); len(w) > 8 && w[6] == url && w[5] == "GET" {
				code, _, _ := strings.Cut(w[8], "/")
				return code
			}
		}
	}
	return "no line"
}
