package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// resolvOverlay is a directory with a resolv.conf of its own.
func resolvOverlay(t *testing.T) string {
	directory := t.TempDir()
	if err := os.WriteFile(filepath.Join(directory, "resolv.conf"), []byte("nameserver 192.0.2.53\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return directory
}

func TestACommandSeesOtherFilesInEtcAndTheMachineDoesNot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	before, _ := os.ReadFile("/etc/resolv.conf")
	for range 20 {
		out, err := etcCommand(resolvOverlay(t), "cat", "/etc/resolv.conf").CombinedOutput()
		if err != nil || string(out) != "nameserver 192.0.2.53\n" {
			t.Fatalf("%v %s", err, out)
		}
	}
	if after, _ := os.ReadFile("/etc/resolv.conf"); string(after) != string(before) {
		t.Errorf("the machine has %q now", after)
	}
}

func TestWithoutMountsOfItsOwnItRefuses(t *testing.T) {
	out, err := exec.Command("/proc/self/exe", withEtc, resolvOverlay(t), "true").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no mounts of our own") {
		t.Errorf("%v %s", err, out)
	}
}
