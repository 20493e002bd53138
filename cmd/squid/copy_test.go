package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
