package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// commOf is what pgrep and killall know a process by.
func commOf(pid int) string {
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(name))
}

// A worker that is killed by whoever is not our order (the kernel, out of memory) is
// followed by another; -k kill ends both. All are called what they are.
func TestKilledWorker(t *testing.T) {
	s := newSubject(t)
	if status, out := s.run("-D"); status != 0 {
		t.Fatalf("status %d: %s", status, out)
	}
	first := s.pid()
	supervisor := parentOf(t, first)
	if commOf(first) != "squid" || commOf(supervisor) != "squid" {
		t.Errorf("the worker is called %q, the supervisor %q", commOf(first), commOf(supervisor))
	}
	if os.Geteuid() == 0 {
		// Children of any thread are listed under the thread that made them.
		out, _ := exec.Command("pgrep", "-P", fmt.Sprint(first), "-l").Output()
		if !strings.Contains(string(out), "squid-monitor") {
			t.Errorf("the worker's children are %q", out)
		}
	}
	syscall.Kill(first, syscall.SIGKILL)
	s.until("another worker serves", func() bool { return s.pid() != first && s.pid() != 0 && s.answers() })
	if now := parentOf(t, s.pid()); now != supervisor {
		t.Errorf("the supervisor was %d and is %d", supervisor, now)
	}
	second := s.pid()
	if status, out := s.run("-k", "kill"); status != 0 {
		t.Errorf("-k kill: %d %q", status, out)
	}
	s.until("both have ended", func() bool { return syscall.Kill(supervisor, 0) != nil && syscall.Kill(second, 0) != nil })
}

// The pid file may be of the effective user's making: as root only a copy of ours
// is signalled with root's rights, everybody else with the effective user's.
func TestOrdersSpareStrangers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to have more rights than others")
	}
	s := newSubject(t)
	stranger := exec.Command("sleep", "60")
	stranger.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 12345}}
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { stranger.Wait(); close(ended) }()
	defer func() { stranger.Process.Kill(); <-ended }()
	for _, word := range []string{"shutdown", "kill", "reconfigure", "rotate", "debug", "interrupt"} {
		os.WriteFile(s.in("squid.pid"), fmt.Appendln(nil, stranger.Process.Pid), 0o644)
		if status, out := s.run("-k", word); status != exitBad || !strings.Contains(out, "Operation not permitted") {
			t.Errorf("-k %s: %d %q", word, status, out)
		}
		// What is minus one, or this one, as the kernel's narrower number.
		for _, text := range []string{"4294967295", fmt.Sprint(1<<32 + stranger.Process.Pid), "4194305"} {
			os.WriteFile(s.in("squid.pid"), []byte(text+"\n"), 0o644)
			if status, out := s.run("-k", word); status != exitBad || !strings.Contains(out, "No such process") {
				t.Errorf("-k %s with %s: %d %q", word, text, status, out)
			}
		}
	}
	select {
	case <-ended:
		t.Error("a stranger was signalled")
	default:
	}
}

// logrotate's way with the default of logfile_rotate: files are moved away, then
// rotation is ordered. cache.log comes anew, and what a daemon writes on its streams
// goes there too.
func TestLogrotateMovesFirst(t *testing.T) {
	s := newSubject(t)
	if status, out := s.run("-D"); status != 0 {
		t.Fatalf("status %d: %s", status, out)
	}
	pid := s.pid()
	for _, name := range []string{"cache.log", "access.log"} {
		if err := os.Rename(s.in(name), s.in(name+"-moved")); err != nil {
			t.Fatal(err)
		}
	}
	if status, out := s.run("-k", "rotate"); status != 0 {
		t.Errorf("-k rotate: %d %q", status, out)
	}
	s.until("both logs are there again", func() bool {
		_, cache := os.Stat(s.in("cache.log"))
		_, access := os.Stat(s.in("access.log"))
		return cache == nil && access == nil
	})
	s.until("the streams have followed", func() bool {
		to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/2", pid))
		return err == nil && to == s.in("cache.log")
	})
	if status, _ := s.run("-k", "reconfigure"); status != 0 || !strings.Contains(s.read("cache.log"), "Reconfiguring Squid Cache") {
		t.Errorf("%d; the new cache.log holds %q", status, s.read("cache.log"))
	}
}

// A log cannot be left without one by a reload, and that is said.
func TestReloadToNoCacheLogIsNamed(t *testing.T) {
	s := newSubject(t)
	if status, out := s.run("-D"); status != 0 {
		t.Fatalf("status %d: %s", status, out)
	}
	s.pid()
	s.write("cache_log none")
	s.run("-k", "reconfigure")
	s.until("it is said", func() bool {
		return strings.Contains(s.read("cache.log"), "ERROR: cache_log none: the log goes on in its file")
	})
}

// After a FATAL there is no farewell.
func TestNoFarewellAfterFatal(t *testing.T) {
	s := newSubject(t)
	s.write("access_log /nowhere/access.log squid")
	if status, _ := s.run("-N"); status == 0 {
		t.Error("status 0")
	}
	s.write("http_port " + takenPort(t))
	text, _ := os.ReadFile(s.conf())
	os.WriteFile(s.conf(), []byte(strings.Replace(string(text), fmt.Sprintf("http_port 127.0.0.1:%d\n", s.port), "", 1)), 0o600)
	if status, _ := s.run("-N"); status != exitFatal {
		t.Errorf("status %d", status)
	}
	if log := s.read("cache.log"); !strings.Contains(log, "FATAL: ") || strings.Contains(log, "Exiting normally") {
		t.Errorf("cache.log:\n%s", log)
	}
}

// A daemon that cannot write its pid file is no daemon that anybody could stop: the
// start fails and says why.
func TestDaemonWithoutItsFolders(t *testing.T) {
	s := newSubject(t)
	text, _ := os.ReadFile(s.conf())
	gone := strings.ReplaceAll(string(text), "pid_filename "+s.dir, "pid_filename "+s.in("gone"))
	os.WriteFile(s.conf(), []byte(gone), 0o600)
	status, out := s.run("-D")
	if status != exitFatal || !strings.Contains(out, "FATAL: Cannot write the pid file: "+s.in("gone/squid.pid")) {
		t.Errorf("%d %q", status, out)
	}
	if s.answers() {
		t.Error("something serves")
	}
	if status, out := s.run("-k", "check-config"); status == 0 || !strings.Contains(out, "fail file: pid_filename "+s.in("gone/squid.pid")+": the folder is not there") {
		t.Errorf("check-config: %d %q", status, out)
	}
}

// check-config says of a log what will come of it: the monitor opens it where the
// effective user may not.
func TestCheckConfigModelsTheMonitor(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root for a monitor")
	}
	own, err := os.MkdirTemp("/run", "squidlogs")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(own) // which root alone may write
	s := newSubject(t, "useragent_log "+own+"/agents.log", "referer_log /nowhere/referers.log")
	status, out := s.run("-k", "check-config")
	if status == 0 || !strings.Contains(out, "ok   file: useragent_log "+own+" can be written") || !strings.Contains(out, "fail file: referer_log /nowhere cannot be written") {
		t.Errorf("%d\n%s", status, out)
	}
	if list, _ := os.ReadDir(own); len(list) > 0 {
		t.Errorf("made: %v", list)
	}
	s.write("useragent_log " + own + "/agents.log")
	s.start()
	if _, err := os.Stat(own + "/agents.log"); err != nil {
		t.Errorf("the start did otherwise: %v", err)
	}
}

// A page of deny_info that is not there ends a start; both checks say so before.
func TestMissingPageIsFound(t *testing.T) {
	s := newSubject(t, "deny_info ERR_NOT_THERE all")
	if status, out := s.run("-k", "parse", "-v"); status != 0 || !strings.Contains(out, "ERR_NOT_THERE") || !strings.Contains(out, "a start is refused") {
		t.Errorf("-k parse -v: %d\n%s", status, out)
	}
	if status, out := s.run("-k", "check-config"); status == 0 || !strings.Contains(out, "fail page: ") || !strings.Contains(out, "ERR_NOT_THERE") {
		t.Errorf("check-config: %d\n%s", status, out)
	}
	if status, _ := s.run("-N"); status == 0 {
		t.Error("a start succeeded")
	}
}

// What is wrong far down in a list ends a daemon's start as it ends any other, and what
// is to be said of the file is said once, where the start was given.
func TestDaemonSaysWhatListsHold(t *testing.T) {
	s := newSubject(t)
	list := func(last string) {
		text := strings.Repeat("# nothing\n", 10) + strings.Repeat("80\n", 3000) + last
		if err := os.WriteFile(s.in("ports"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list("99999\n")
	s.write(`acl ports port "` + s.in("ports") + `"`)
	foreground, want := s.run("-N", "-D")
	status, out := s.run("-D")
	if status != foreground || status == 0 || out != want || !strings.Contains(out, "FATAL: Bungled") || s.answers() {
		t.Errorf("status %d, in the foreground %d\n%s\nin the foreground\n%s", status, foreground, out, want)
	}
	list("")
	s.write(`acl ports port "`+s.in("ports")+`"`, "acl twice dstdomain .test www.test")
	if status, out := s.run("-D"); status != 0 || strings.Count(out, "WARNING: 'www.test' is a subdomain of '.test'") != 1 {
		t.Errorf("status %d\n%s", status, out)
	}
	if status, out := s.run("-D"); status != exitBad || !strings.Contains(out, "Squid is already running!  Process ID "+fmt.Sprint(s.pid())) {
		t.Errorf("a second start: %d\n%s", status, out)
	}
}
