package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// listener is the inode of the socket that listens on a port, "" for none.
func listener(t *testing.T, port int) string {
	t.Helper()
	data, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) > 9 && f[3] == "0A" && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
			return f[9]
		}
	}
	return ""
}

// freePort is a port nobody listens at, nor gets by chance: it is below those the system
// chooses from, the tests of other packages have others, and each is given once.
func freePort(t *testing.T) int {
	t.Helper()
	for range 4000 {
		port := 10000 + int(lastPort.Add(1)%4000)
		if l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}

var lastPort atomic.Uint32

func init() { lastPort.Store(rand.Uint32N(4000)) } // two runs at once begin elsewhere

func dialPort(t *testing.T, port int) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(30 * time.Second))
	return c
}

// status asks on a connection and gives the status of the answer.
func status(t *testing.T, c net.Conn) int {
	t.Helper()
	fmt.Fprint(c, "GET http://127.0.0.1:1/ HTTP/1.0\r\n\r\n")
	reply, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	reply.Body.Close()
	return reply.StatusCode
}

// A reconfigure keeps the socket of a port that stays, so that clients who are
// connected, and those the kernel has accepted meanwhile, are served; ports that
// come are opened, ports that go are closed.
func TestReconfigureKeepsListeners(t *testing.T) {
	goes, comes := freePort(t), freePort(t)
	s := newSubject(t, fmt.Sprintf("http_port 127.0.0.1:%d", goes))
	cmd := s.start()
	stays := listener(t, s.port)
	if stays == "" || listener(t, goes) == "" {
		t.Fatal("the ports do not listen")
	}
	connected := dialPort(t, s.port)
	s.write(fmt.Sprintf("http_port 127.0.0.1:%d name=new", comes), "acl wanted port 1", "cache deny wanted")

	cmd.Process.Signal(syscall.SIGSTOP)
	waiting := dialPort(t, s.port) // in the accept queue of the stopped process
	cmd.Process.Signal(syscall.SIGHUP)
	cmd.Process.Signal(syscall.SIGCONT)
	s.until("the new port listens", func() bool { return listener(t, comes) != "" })
	s.until("the old port is closed", func() bool { return listener(t, goes) == "" })

	if now := listener(t, s.port); now != stays {
		t.Errorf("the socket of the port that stays was %s and is %s", stays, now)
	}
	for name, c := range map[string]net.Conn{"connected before": connected, "in the accept queue": waiting, "on the new port": dialPort(t, comes)} {
		if got := status(t, c); got != http.StatusForbidden {
			t.Errorf("a client %s is answered with %d", name, got)
		}
	}
}

// What is wrong with a file changes nothing: not the ports, not the rules; the
// blamed line stands in cache.log, and -k reconfigure does not even ask.
func TestReconfigureRefused(t *testing.T) {
	wanted := freePort(t)
	s := newSubject(t)
	cmd := s.start()
	stays := listener(t, s.port)
	for _, c := range []struct{ name, line, said string }{
		{"a bungled line", "acl x nosuchtype 1", "Bungled squid.conf line 17: acl x nosuchtype 1"},
		{"a check of the whole", "maximum_single_addr_tries 11", "maximum_single_addr_tries cannot be larger than 10"},
	} {
		s.write(fmt.Sprintf("http_port 127.0.0.1:%d", wanted), "http_access allow all", c.line)
		status, out := s.run("-k", "reconfigure")
		if status == 0 || !strings.Contains(out, "FATAL: "+c.said) {
			t.Errorf("%s: -k reconfigure ends with %d and says %q", c.name, status, out)
		}
		cmd.Process.Signal(syscall.SIGHUP)
		s.until(c.name+" is told in cache.log", func() bool {
			log := s.read("cache.log")
			return strings.Contains(log, c.said) && strings.Contains(log, "ERROR: configuration not changed: ")
		})
		if listener(t, s.port) != stays || listener(t, wanted) != "" {
			t.Errorf("%s: the ports have changed", c.name)
		}
	}
	if got := statusOf(t, s); got != http.StatusForbidden {
		t.Errorf("the rules have changed: %d", got)
	}
	if err := os.Remove(filepath.Join(s.dir, "squid.conf")); err != nil {
		t.Fatal(err)
	}
	if status, out := s.run("-k", "reconfigure"); status == 0 || !strings.Contains(out, "Unable to open configuration file") {
		t.Errorf("without a file -k reconfigure ends with %d and says %q", status, out)
	}
}

func statusOf(t *testing.T, s *subject) int {
	t.Helper()
	return status(t, dialPort(t, s.port))
}

// takenPort is an address somebody else listens at until the test ends.
func takenPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// A reconfigure puts in force what can be, a deny above all, and says what cannot:
// -k reconfigure by its status and on standard error.
func TestReconfigureBesideAPortThatIsTaken(t *testing.T) {
	s := newSubject(t, "http_access allow all")
	s.write("acl home src 127.0.0.0/8", "http_access allow home") // after the deny of write
	s.start()
	taken := takenPort(t)
	s.write("http_port "+taken, "httpd_suppress_version_string on")
	status, out := s.run("-k", "reconfigure")
	if status != exitBad || !strings.Contains(out, "squid: ERROR: http_port "+taken+" is not served: ") {
		t.Errorf("-k reconfigure ends with %d and says %q", status, out)
	}
	if got := statusOf(t, s); got != http.StatusForbidden {
		t.Errorf("the new rules are not in force: %d", got)
	}
	if log := s.read("cache.log"); !strings.Contains(log, "commBind: Cannot bind socket FD ") || !strings.Contains(log, " to "+taken+": (98) Address already in use") {
		t.Errorf("no line of 2.6 about it:\n%s", log)
	}
	s.write()
	if status, out := s.run("-k", "reconfigure"); status != exitGood || strings.Contains(out, "ERROR") {
		t.Errorf("without that port -k reconfigure ends with %d and says %q", status, out)
	}
}

// One port of two is enough to start with.
func TestStartBesideAPortThatIsTaken(t *testing.T) {
	s := newSubject(t, "http_port "+takenPort(t))
	s.start()
	if !s.answers() {
		t.Error("the other port does not serve")
	}
	if log := s.read("cache.log"); !strings.Contains(log, "commBind: Cannot bind socket FD ") || !strings.Contains(log, "Accepting proxy HTTP connections at 127.0.0.1, port "+fmt.Sprint(s.port)+", FD ") {
		t.Errorf("cache.log:\n%s", log)
	}
}
