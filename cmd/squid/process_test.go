package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// shipped builds the binary as it is shipped (CGO off), once: changing the user
// on every thread works differently under the race detector's runtime.
var shipped = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "squid-test-")
	if err != nil {
		return "", err
	}
	os.Chmod(dir, 0o755)
	bin := filepath.Join(dir, "squid")
	cmd := exec.Command("go", "build", "-o", bin, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return bin, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if bin, err := shipped(); err == nil {
		os.RemoveAll(filepath.Dir(bin))
	}
	os.Exit(status)
}

// subject is one configuration and the processes started with it.
type subject struct {
	t        *testing.T
	bin, dir string
	port     int
}

func newSubject(t *testing.T, lines ...string) *subject {
	t.Helper()
	bin, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	s := &subject{t: t, bin: bin, dir: t.TempDir()}
	if err := os.Chmod(s.dir, 0o777); err != nil {
		t.Fatal(err)
	}
	s.port = freePort(t)
	s.write(lines...)
	t.Cleanup(func() {
		if pid := runningCopy(s.in("squid.pid")); pid != 0 {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return s
}

func (s *subject) in(name string) string { return filepath.Join(s.dir, name) }

func (s *subject) conf() string { return s.in("squid.conf") }

func (s *subject) write(lines ...string) {
	s.t.Helper()
	text := fmt.Sprintf(`http_port 127.0.0.1:%d
icp_port 0
visible_hostname proxy.test
cache_log %[2]s/cache.log
access_log %[2]s/access.log squid
cache_store_log none
pid_filename %[2]s/squid.pid
coredump_dir %[2]s
cache_dir null %[2]s
hosts_file none
dns_nameservers 127.0.0.1
shutdown_lifetime 1 second
acl all src 0.0.0.0/0.0.0.0
http_access deny all
%[3]s
`, s.port, s.dir, strings.Join(lines, "\n"))
	if err := os.WriteFile(s.conf(), []byte(text), 0o600); err != nil { // only root reads it
		s.t.Fatal(err)
	}
}

// run runs the binary to its end and gives status and output.
func (s *subject) run(args ...string) (int, string) {
	s.t.Helper()
	cmd := exec.Command(s.bin, append([]string{"-f", s.conf()}, args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &out, s.dir
	cmd.WaitDelay = 20 * time.Second // a daemon that keeps our pipe open is a mistake, and must not hang the test
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	timer := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	if err := cmd.Wait(); errors.Is(err, exec.ErrWaitDelay) {
		s.t.Errorf("%v: its children keep the caller's output open", args)
	}
	timer.Stop()
	return cmd.ProcessState.ExitCode(), out.String()
}

// start starts the binary in the foreground and waits until it serves.
func (s *subject) start() *exec.Cmd {
	s.t.Helper()
	cmd := exec.Command(s.bin, "-f", s.conf(), "-N", "-D")
	out, err := os.Create(s.in("out"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer out.Close()
	cmd.Stdout, cmd.Stderr, cmd.Dir = out, out, s.dir
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	s.until("it serves", func() bool { return strings.Contains(s.read("cache.log"), "Ready to serve requests.") })
	return cmd
}

func (s *subject) read(name string) string {
	data, _ := os.ReadFile(s.in(name))
	return string(data)
}

// until waits for a condition, at most thirty seconds.
func (s *subject) until(what string, done func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited in vain until %s\ncache.log:\n%s\noutput:\n%s", what, s.read("cache.log"), s.read("out"))
		}
	}
}

func (s *subject) pid() int {
	pid, _ := strconv.Atoi(strings.TrimSpace(s.read("squid.pid")))
	return pid
}

// answers says whether the proxy answers a request.
func (s *subject) answers() bool {
	c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", s.port))
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprint(c, "GET http://127.0.0.1:1/ HTTP/1.0\r\n\r\n")
	n, _ := c.Read(make([]byte, 12))
	return n == 12
}

func TestRootIsGivenUpOnEveryThread(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("network-namespace test skipped: it needs root to give it up")
	}
	s := newSubject(t, "http_access allow all", "cache_effective_user nobody")
	cmd := s.start()
	for range 20 {
		s.answers()
	}
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", cmd.Process.Pid))
	if len(tasks) < 2 {
		t.Fatalf("%d threads seen", len(tasks))
	}
	for _, task := range tasks {
		data, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		for _, want := range []string{
			"Uid:\t65534\t65534\t65534\t65534", "Gid:\t65534\t65534\t65534\t65534",
			"CapInh:\t0000000000000000", "CapPrm:\t0000000000000400", "CapEff:\t0000000000000400", "CapAmb:\t0000000000000000",
		} { // 0x400 is CAP_NET_BIND_SERVICE
			if !strings.Contains(string(data), want) {
				t.Errorf("%s lacks %q:\n%s", task, want, data)
			}
		}
	}
	if info, err := os.Stat(s.in("cache.log")); err != nil || info.Sys().(*syscall.Stat_t).Uid != 65534 {
		t.Errorf("cache.log does not belong to the effective user: %v", err)
	}
}

func TestLifeInTheForeground(t *testing.T) {
	s := newSubject(t)
	if status, out := s.run("-k", "check"); status != 1 || out != "squid: ERROR: No running copy\n" && !strings.HasSuffix(out, "squid: ERROR: No running copy\n") {
		t.Errorf("-k check before the start: %d %q", status, out)
	}
	cmd := s.start()
	if s.pid() != cmd.Process.Pid {
		t.Errorf("the pid file names %d, the process is %d", s.pid(), cmd.Process.Pid)
	}
	if status, out := s.run("-N"); status != 1 || !strings.Contains(out, fmt.Sprintf("| Squid is already running!  Process ID %d\n", s.pid())) {
		t.Errorf("a second copy: %d %q", status, out)
	}
	if status, out := s.run("-z"); status != 1 || !strings.Contains(out, "already running") {
		t.Errorf("-z beside a running copy: %d %q", status, out)
	}
	if status, _ := s.run("-k", "check"); status != 0 {
		t.Errorf("-k check: %d", status)
	}
	if status, out := s.run("-k", "wccp"); status != 0 || !strings.HasSuffix(out, "WCCP Disabled.\n") {
		t.Errorf("-k wccp: %d %q", status, out)
	}
	if status, out := s.run("-k", "peers"); status != 0 || !strings.HasSuffix(out, "There are no neighbors installed.\n") {
		t.Errorf("-k peers: %d %q", status, out)
	}
	if status, out := s.run("-k", "delay"); status != 0 || !strings.HasSuffix(out, "No delay pools are configured.\n") {
		t.Errorf("-k delay: %d %q", status, out)
	}
	if status, _ := s.run("-k", "rotate"); status != 0 {
		t.Errorf("-k rotate: %d", status)
	}
	s.until("the logs are rotated", func() bool { return s.read("cache.log.0") != "" && s.answers() && s.read("access.log") != "" })
	if status, _ := s.run("-k", "shutdown"); status != 0 {
		t.Errorf("-k shutdown: %d", status)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if _, err := os.Stat(s.in("squid.pid")); err == nil {
		t.Error("the pid file is still there")
	}
	if !strings.Contains(s.read("cache.log"), "Exiting normally.") {
		t.Errorf("cache.log lacks the farewell:\n%s", s.read("cache.log"))
	}
}

// The configuration is readable by root only and root was given up: a
// reconfigure works all the same, and a bad file changes nothing.
func TestReconfigure(t *testing.T) {
	s := newSubject(t)
	cmd := s.start()
	s.write("httpd_suppress_version_string on", "mail_program mail")
	if status, out := s.run("-k", "reconfigure"); status != 0 {
		t.Errorf("-k reconfigure: %d %q", status, out)
	}
	s.until("the new file is in force", func() bool {
		return strings.Contains(s.read("cache.log"), "mail_program has no effect")
	})
	s.write("acl x nosuchtype 1")
	if status, out := s.run("-k", "reconfigure"); status == 0 || !strings.Contains(out, "FATAL: Bungled squid.conf line") {
		t.Errorf("-k reconfigure with a bad file: %d %q", status, out)
	}
	cmd.Process.Signal(syscall.SIGHUP)
	s.until("cache.log says that nothing changed", func() bool {
		return strings.Contains(s.read("cache.log"), "configuration not changed")
	})
	if !s.answers() {
		t.Error("it no longer answers")
	}
}

func TestStartsThatFail(t *testing.T) {
	s := newSubject(t)
	other, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", s.port))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for _, args := range [][]string{{"-N", "-D"}, {"-D"}} {
		status, out := s.run(args...)
		if status != exitFatal {
			t.Errorf("%v with a busy port: status %d", args, status)
		}
		for _, word := range []string{"FATAL: ", fmt.Sprint(s.port), "ss -ltnp"} {
			if !strings.Contains(out, word) {
				t.Errorf("%v with a busy port: %q does not say %q", args, out, word)
			}
		}
		if s.pid() != 0 {
			t.Errorf("%v: a pid file was left", args)
		}
	}
}

func TestDaemon(t *testing.T) {
	s := newSubject(t)
	status, out := s.run("-D")
	if status != 0 {
		t.Fatalf("status %d: %s", status, out)
	}
	if !s.answers() {
		t.Error("the start has returned and nothing answers")
	}
	first := s.pid()
	syscall.Kill(first, syscall.SIGSEGV)
	s.until("the supervisor has started another worker", func() bool { return s.pid() != first && s.pid() != 0 && s.answers() })
	supervisor := parentOf(t, s.pid())
	if status, _ := s.run("-k", "shutdown"); status != 0 {
		t.Errorf("-k shutdown: %d", status)
	}
	s.until("worker and supervisor have ended", func() bool { return syscall.Kill(supervisor, 0) != nil })
	if _, err := os.Stat(s.in("squid.pid")); err == nil {
		t.Error("the pid file is still there")
	}
}

func parentOf(t *testing.T, pid int) int {
	t.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(data), "PPid:\t")
	return leadingNumber(rest)
}

func TestCreateSwap(t *testing.T) {
	s := newSubject(t)
	if err := os.Chmod(filepath.Dir(s.dir), 0o755); err != nil { // its owner must get there
		t.Fatal(err)
	}
	s.write(fmt.Sprintf("cache_dir ufs %s/swap 10 2 3", s.dir))
	for range 2 { // again does no harm
		if status, out := s.run("-z"); status != 0 || !strings.HasSuffix(out, "| Creating Swap Directories\n") {
			t.Fatalf("-z: %d %q", status, out)
		}
	}
	for _, name := range []string{"swap/00/00", "swap/00/02", "swap/01/02"} {
		if !isFolder(s.in(name)) {
			t.Errorf("%s is missing", name)
		}
	}
	if os.Geteuid() == 0 {
		owner, err := os.Stat(s.in("swap"))
		inner, err2 := os.Stat(s.in("swap/01/02"))
		if err != nil || err2 != nil || owner.Sys().(*syscall.Stat_t).Uid == 0 || inner.Sys().(*syscall.Stat_t).Uid != owner.Sys().(*syscall.Stat_t).Uid {
			t.Error("the folders do not belong to cache_effective_user")
		}
	}
	if isFolder(s.in("swap/02")) || isFolder(s.in("swap/00/03")) {
		t.Error("more folders than asked for")
	}
	s.write("cache_dir ufs /proc/nowhere 10 2 3")
	if status, out := s.run("-z"); status != exitFatal || !strings.Contains(out, "FATAL: Failed to make swap directory /proc/nowhere: (2) No such file or directory") {
		t.Errorf("-z where nothing can be made: %d %q", status, out)
	}
}

func TestCheckConfig(t *testing.T) {
	s := newSubject(t, "auth_param basic program /nowhere/ncsa_auth /etc/passwd", "cache_peer no-such-host.invalid parent 3128 0")
	status, out := s.run("-k", "check-config")
	if status == 0 {
		t.Error("status 0 although things fail")
	}
	for _, word := range []string{"basic_ncsa_auth", "cache_peer no-such-host.invalid does not resolve", "can be had", "no copy is running"} {
		if !strings.Contains(out, word) {
			t.Errorf("nothing is said of %q:\n%s", word, out)
		}
	}
	// What a start would stumble over fails; what nothing acts on in this release is a warning.
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s.write(fmt.Sprintf("http_port %v", taken.Addr()), "access_log /nowhere/access.log", "access_log syslog:daemon.info squid", "snmp_port 0", "url_rewrite_program /nowhere/jesred")
	status, out = s.run("-k", "check-config")
	if status == 0 {
		t.Error("status 0 although a port is taken")
	}
	for _, line := range []string{"fail port: http_port: ", "fail file: access_log /nowhere cannot be written: (2) No such file or directory", "/nowhere/jesred cannot be run"} {
		if !strings.Contains(out, line) {
			t.Errorf("nothing is said of %q:\n%s", line, out)
		}
	}
	if strings.Contains(out, "syslog") {
		t.Errorf("the system's log is taken for a file:\n%s", out)
	}
}
