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

func TestPidFileIsReplacedAndOnlyOursRemoved(t *testing.T) {
	dir := t.TempDir()
	path, precious := filepath.Join(dir, "squid.pid"), filepath.Join(dir, "precious")
	os.WriteFile(precious, []byte("keep me"), 0o644)
	if err := os.Symlink(precious, path); err != nil {
		t.Fatal(err)
	}
	if err := writePid(path, 4711); err != nil {
		t.Fatal(err)
	}
	if data, _ := os.ReadFile(precious); string(data) != "keep me" {
		t.Errorf("the link was followed: %q", data)
	}
	if data, _ := os.ReadFile(path); string(data) != "4711\n" {
		t.Errorf("pid file holds %q", data)
	}
	if err := removePid(path, 4712); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error("another copy's pid file was removed")
	}
	if err := removePid(path, 4711); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("our pid file is still there")
	}
	if err := writePid(filepath.Join(dir, "absent", "squid.pid"), 1); err == nil {
		t.Error("no error for a folder that is not there")
	}
}
