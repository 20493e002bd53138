package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestRunningCopy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "squid.pid")
	other := exec.Command("sleep", "60")
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { other.Process.Kill(); other.Wait() }()
	living := other.Process.Pid
	for content, want := range map[string]int{
		"": 0, "0\n": 0, "1\n": 0, "-5\n": 0, "junk\n": 0, "99999999\n": 0,
		fmt.Sprintln(os.Getpid()):          0, // numbers repeat in containers
		fmt.Sprintln(living):               living,
		fmt.Sprintf("%d trailing", living): living,
	} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := runningCopy(path); got != want {
			t.Errorf("pid file %q: running copy %d, want %d", content, got, want)
		}
	}
	os.Remove(path)
	waits := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(waits, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, absent := range []string{path, "none", "", t.TempDir(), waits, "/dev/zero"} {
		if got := runningCopy(absent); got != 0 {
			t.Errorf("pid file %q: running copy %d", absent, got)
		}
	}
}

// Orders that want to know who is running do not read long lists to their end: this one
// has none as long as the test runs.
func TestOrdersLeaveLongLists(t *testing.T) {
	s := newSubject(t)
	list := s.in("list")
	s.write(fmt.Sprintf("acl names dstdomain %q", list))
	for _, word := range []string{"check", "rotate", "reconfigure", "helpers"} {
		os.Remove(list)
		if err := syscall.Mkfifo(list, 0o644); err != nil {
			t.Fatal(err)
		}
		// With both ends open it is there before anybody reads it.
		to, err := os.OpenFile(list, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		written := make(chan struct{})
		go func() {
			defer close(written)
			for i := 0; i < 5000 && err == nil; i++ {
				_, err = fmt.Fprintf(to, ".d%d.test\n", i)
			}
		}()
		status, said := s.run("-k", word)
		to.Close()
		<-written
		if status != 1 || !strings.Contains(said, "No running copy") {
			t.Errorf("-k %s: status %d, %s", word, status, said)
		}
	}
}
