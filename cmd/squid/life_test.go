package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Words of -k to nobody: said, with status 1, and nobody else is signalled.
func TestOrdersWithoutARunningCopy(t *testing.T) {
	s := newSubject(t)
	bystander := exec.Command("sleep", "60")
	if err := bystander.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { bystander.Wait(); close(ended) }()
	defer func() { bystander.Process.Kill(); <-ended }()
	const nobody = "squid: ERROR: No running copy\n"
	words := []string{"reconfigure", "rotate", "debug", "shutdown", "interrupt", "kill", "check", "wccp", "helpers", "network", "peers", "delay"}
	for _, word := range words {
		if status, out := s.run("-k", word); status != 1 || !strings.HasSuffix(out, nobody) {
			t.Errorf("-k %s: %d %q", word, status, out)
		}
	}
	for pidFile, want := range map[string]string{
		"0\n": nobody, "1\n": nobody, "-1\n": nobody, fmt.Sprintf("-%d\n", bystander.Process.Pid): nobody, // groups of processes
		"99999999\n": "squid: ERROR: Could not send signal 9 to process 99999999: (3) No such process\n",
	} {
		os.WriteFile(s.in("squid.pid"), []byte(pidFile), 0o644)
		if status, out := s.run("-k", "kill"); status != 1 || !strings.HasSuffix(out, want) {
			t.Errorf("-k kill with pid file %q: %d %q", pidFile, status, out)
		}
	}
	s.write("pid_filename none")
	if status, out := s.run("-k", "check"); status != 1 || !strings.Contains(out, "ERROR") {
		t.Errorf("-k check without pid_filename: %d %q", status, out)
	}
	select {
	case <-ended:
		t.Error("a process that is none of ours was signalled")
	default:
	}
}

// A pid file that a crash left is replaced; one that names a living process is
// believed, as 2.6 does.
func TestStartBesideAPidFile(t *testing.T) {
	s := newSubject(t)
	os.WriteFile(s.in("squid.pid"), fmt.Appendln(nil, os.Getpid()), 0o644)
	if status, out := s.run("-N"); status != 1 || !strings.Contains(out, "already running") {
		t.Errorf("beside a living process: %d %q", status, out)
	}
	os.WriteFile(s.in("squid.pid"), []byte("99999999\n"), 0o400)
	cmd := s.start()
	if s.pid() != cmd.Process.Pid {
		t.Errorf("the pid file names %d, the process is %d", s.pid(), cmd.Process.Pid)
	}
	if status, out := s.run("-D"); status != 1 || !strings.Contains(out, "already running") {
		t.Errorf("a daemon beside a running copy: %d %q", status, out)
	}
	// Another copy's file is not taken away at the end.
	os.WriteFile(s.in("squid.pid"), []byte("1234567\n"), 0o644)
	cmd.Process.Signal(syscall.SIGINT)
	cmd.Wait()
	if text := s.read("squid.pid"); text != "1234567\n" {
		t.Errorf("the pid file of another holds %q", text)
	}
}

// logrotate moves files away and sends the signal: with logfile_rotate 0 they are
// opened anew under their names, and no line is lost.
func TestLogsMovedAway(t *testing.T) {
	s := newSubject(t, "logfile_rotate 0")
	s.start()
	if !s.answers() {
		t.Fatal("no answer")
	}
	s.until("the first line is written", func() bool { return strings.Count(s.read("access.log"), "\n") == 1 })
	for _, name := range []string{"access.log", "cache.log"} {
		if err := os.Rename(s.in(name), s.in(name+".moved")); err != nil {
			t.Fatal(err)
		}
	}
	s.answers() // still into the file moved away, a moment behind its answer
	s.until("the second line is written", func() bool { return strings.Count(s.read("access.log.moved"), "\n") == 2 })
	if status, out := s.run("-k", "rotate"); status != 0 {
		t.Errorf("-k rotate: %d %q", status, out)
	}
	s.until("the logs are opened anew", func() bool {
		_, access := os.Stat(s.in("access.log"))
		_, cache := os.Stat(s.in("cache.log"))
		return access == nil && cache == nil
	})
	s.answers()
	s.until("a line is in the new file", func() bool { return strings.Count(s.read("access.log"), "\n") == 1 })
	if n := strings.Count(s.read("access.log.moved"), "\n"); n != 2 {
		t.Errorf("%d lines in the file moved away, want 2", n)
	}
}

// A reconfigure that moves the pid file leaves none behind; one that is refused
// leaves pid file and logs as they are.
func TestReconfigureMovesThePidFile(t *testing.T) {
	s := newSubject(t)
	cmd := s.start()
	refusals := 0
	refused := func(why string, change func()) {
		change()
		cmd.Process.Signal(syscall.SIGHUP)
		refusals++
		s.until(why+" is refused", func() bool { return strings.Count(s.read("cache.log"), "configuration not changed") == refusals })
	}
	elsewhere := []string{"pid_filename " + s.in("other.pid"), "cache_log " + s.in("other.log")}
	refused("an unknown directive's value", func() { s.write(append(elsewhere, "maximum_single_addr_tries 11")...) })
	refused("nonsense", func() { s.write("acl x nosuchtype 1") })
	refused("a file that is gone", func() { os.Remove(s.conf()) })
	refused("a folder", func() { os.Mkdir(s.conf(), 0o755) })
	os.Remove(s.conf())
	cmd.Process.Signal(syscall.SIGUSR1)
	s.until("the old log is rotated", func() bool { return strings.Contains(s.read("cache.log.0"), "configuration not changed") })
	if s.pid() != cmd.Process.Pid || s.read("other.pid") != "" || !s.answers() {
		t.Errorf("after refusals: pid file %d, %q, process %d", s.pid(), s.read("other.pid"), cmd.Process.Pid)
	}
	s.write(elsewhere...)
	cmd.Process.Signal(syscall.SIGHUP)
	s.until("the pid file has moved", func() bool { return s.read("other.pid") == fmt.Sprintln(cmd.Process.Pid) })
	if s.pid() != 0 {
		t.Error("the old pid file is still there")
	}
	s.until("the log has moved", func() bool { return strings.Contains(s.read("other.log"), "Ready to serve") })
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	if s.read("other.pid") != "" {
		t.Error("the new pid file was left behind")
	}
}

// A user that does not exist, or that may not write: said before anything is open.
func TestWrongUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to become somebody")
	}
	s := newSubject(t, "cache_effective_user no-such-user")
	for _, args := range [][]string{{"-N"}, {"-D"}, {"-z"}} {
		if status, out := s.run(args...); status == 0 || !strings.Contains(out, "no-such-user") {
			t.Errorf("%v: %d %q", args, status, out)
		}
	}
	s.write("cache_effective_group no-such-group")
	if status, out := s.run("-N"); status == 0 || !strings.Contains(out, "no-such-group") {
		t.Errorf("a group that is not there: %d %q", status, out)
	}
	if s.pid() != 0 || s.answers() {
		t.Error("something was begun")
	}
}

// Rotation of a process that has no descriptor left: both logs keep their names and go on.
func TestRotationWithoutDescriptors(t *testing.T) {
	s := newSubject(t, "logfile_rotate 3", "cache_effective_user root") // whose limits we may change
	cmd := s.start()
	var was unix.Rlimit
	if err := unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_NOFILE, nil, &was); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 4, Max: was.Max}, nil); err != nil {
		t.Fatal(err)
	}
	cmd.Process.Signal(syscall.SIGUSR1)
	s.until("the failure is told", func() bool { return strings.Contains(s.read("cache.log"), "WARNING: rotation of cache.log: ") })
	if err := unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_NOFILE, &was, nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"cache.log.0", "access.log.0"} {
		if _, err := os.Stat(s.in(name)); err == nil {
			t.Errorf("%s is there", name)
		}
	}
	cmd.Process.Signal(syscall.SIGUSR1)
	s.until("both are rotated", func() bool {
		_, errAccess := os.Stat(s.in("access.log.0"))
		_, errCache := os.Stat(s.in("cache.log.0"))
		_, errNew := os.Stat(s.in("cache.log"))
		return errAccess == nil && errCache == nil && errNew == nil
	})
}
