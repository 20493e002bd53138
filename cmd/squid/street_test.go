package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cuttle-proxy/cuttle/tproxy/netlab"
)

// street is a client, a gateway with the real binary on it, and an origin, in
// namespaces, both families.
type street struct {
	t                       testing.TB
	client, gateway, origin *netlab.Node
	dir, conf               string
	squid                   *netlab.Process
	ended                   func() // fails the test when squid is no more
}

const (
	streetClient4, streetClient6   = "10.1.0.2", "fd01::2"
	streetGateway4, streetGateway6 = "10.1.0.1", "fd01::1"
	streetOrigin4, streetOrigin6   = "10.2.0.2", "fd02::2"
	streetOutside4, streetOutside6 = "10.2.0.1", "fd02::1"
)

// binary is bin/squid as it is shipped: static, without cgo.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "squid-binary-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "squid")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building squid: %w\n%s", err, out)
	}
	return path, nil
})

func newStreet(t testing.TB) *street {
	// Before the lab, so that it is removed after the lab's processes have ended.
	dir := t.TempDir()
	lab := netlab.ForTest(t)
	s := &street{t: t, dir: dir, client: lab.Node("client"), gateway: lab.Node("gateway"), origin: lab.Node("origin")}
	lab.Link(netlab.End{Node: s.client, Name: "eth0", Addrs: []string{streetClient4 + "/16", streetClient6 + "/64"}},
		netlab.End{Node: s.gateway, Name: "lan0", Addrs: []string{streetGateway4 + "/16", streetGateway6 + "/64"}})
	lab.Link(netlab.End{Node: s.origin, Name: "eth0", Addrs: []string{streetOrigin4 + "/24", streetOrigin6 + "/64"}},
		netlab.End{Node: s.gateway, Name: "wan0", Addrs: []string{streetOutside4 + "/24", streetOutside6 + "/64"}})
	for node, by := range map[*netlab.Node][]string{s.client: {streetGateway4, streetGateway6}, s.origin: {streetOutside4, streetOutside6}} {
		node.Route("default", by[0])
		node.Route("default", by[1])
	}
	s.makeDir()
	s.serveOrigin()
	return s
}

// makeDir makes a folder in which squid may write as cache_effective_user.
func (s *street) makeDir() {
	t := s.t
	for dir := s.dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		os.Chmod(dir, 0o755)
	}
	if err := os.Mkdir(filepath.Join(s.dir, "log"), 0o777); err != nil {
		t.Fatal(err)
	}
	os.Chmod(filepath.Join(s.dir, "log"), 0o777)
}

// configure writes the configuration: the lines given, and what every test needs.
func (s *street) configure(lines string) {
	s.conf = filepath.Join(s.dir, "squid.conf")
	text := lines + fmt.Sprintf(`
acl all src 0.0.0.0/0.0.0.0
http_access allow all
visible_hostname gateway
cache_dir null %[1]s/log
cache_access_log %[1]s/log/access.log
cache_store_log none
cache_log %[1]s/log/cache.log
pid_filename %[1]s/squid.pid
coredump_dir none
hosts_file %[1]s/hosts
dns_nameservers 127.0.0.1
shutdown_lifetime 1 second
`, s.dir)
	hosts := streetOrigin4 + " four.example\n" + streetOrigin6 + " six.example\n"
	if err := os.WriteFile(filepath.Join(s.dir, "hosts"), []byte(hosts), 0o644); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.conf, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// hosts adds lines to the hosts file that the proxy resolves by.
func (s *street) hosts(lines ...string) {
	path := filepath.Join(s.dir, "hosts")
	if err := os.WriteFile(path, []byte(s.read("hosts")+strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		s.t.Fatal(err)
	}
}

// order runs squid -k in the gateway.
func (s *street) order(word string, more ...string) (string, error) {
	path, err := binary()
	if err != nil {
		s.t.Fatal(err)
	}
	return s.gateway.Run(path, append([]string{"-f", s.conf, "-k", word}, more...)...)
}

// launch runs squid -N, by way of another program where one is given.
func (s *street) launch(by ...string) {
	s.t.Helper()
	path, err := binary()
	if err != nil {
		s.t.Fatal(err)
	}
	os.Chmod(filepath.Dir(path), 0o755)
	command := append(by, path, "-N", "-f", s.conf)
	cmd := exec.Command(command[0], command[1:]...)
	var said strings.Builder
	cmd.Stderr = &said
	if s.squid, err = s.gateway.Start(cmd); err != nil {
		s.t.Fatal(err)
	}
	s.ended = func() {
		select {
		case <-s.squid.Done():
			s.t.Fatalf("squid ended: %v\n%s\n%s", s.squid.Err(), said.String(), s.read("log/cache.log"))
		default:
		}
	}
}

// start starts squid and waits until it serves: a port listens before there is a pid file
// for orders to find.
func (s *street) start(port string, by ...string) {
	s.t.Helper()
	const ready = "Ready to serve requests."
	before := strings.Count(s.read("log/cache.log"), ready)
	s.launch(by...)
	s.until("squid accepts", func() bool {
		s.ended()
		c, err := s.client.Dial(s.t.Context(), net.JoinHostPort(streetGateway4, port))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	s.until("it is ready", func() bool {
		s.ended()
		return strings.Count(s.read("log/cache.log"), ready) > before
	})
}

// until waits for what another process does; the bound only ends a failing test.
func (s *street) until(what string, done func() bool) {
	s.t.Helper()
	for range 3000 {
		if done() {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	s.t.Fatalf("waited in vain until %s; cache.log:\n%s", what, s.read("log/cache.log"))
}

func (s *street) read(name string) string {
	text, _ := os.ReadFile(filepath.Join(s.dir, name))
	return string(text)
}

// serveOrigin answers every request with the address it came from.
func (s *street) serveOrigin() {
	l, err := s.origin.Listen(":80")
	if err != nil {
		s.t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := net.SplitHostPort(r.RemoteAddr)
		if r.URL.Path == "/whole" {
			host = r.RemoteAddr
		}
		fmt.Fprint(w, host)
	})}
	go server.Serve(l)
	s.t.Cleanup(func() { server.Close() })
}

// ask sends one request from the client and returns status and body.
func (s *street) ask(to, request string) (status int, body string, err error) {
	c, err := s.client.Dial(s.t.Context(), to)
	if err != nil {
		return 0, "", err
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprint(c, request)
	reply, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0, "", err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	return reply.StatusCode, string(text), err
}
