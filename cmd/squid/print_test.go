package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cuttle-proxy/cuttle/conf"
)

// What -k documented prints is a configuration, and what -k dump prints of it is one
// that dumps to the same.
func TestPrintedConfigurationsAreAccepted(t *testing.T) {
	s := newSubject(t)
	file := s.in("printed.conf")
	print := func(order ...string) string {
		t.Helper()
		out, err := exec.Command(s.bin, append([]string{"-f", file, "-k"}, order...)...).Output()
		if err != nil {
			t.Fatalf("-k %q: %v", order, err)
		}
		return string(out)
	}
	keep := func(text string) string {
		t.Helper()
		// The name of a test machine has no dot.
		if err := os.WriteFile(file, []byte(text+"visible_hostname proxy.test\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if status, said := s.run("-f", file, "-k", "parse"); status != 0 {
			t.Errorf("status %d: %s", status, said)
		}
		return text
	}
	keep(print("documented"))
	first := print("dump")
	keep(first)
	if again := print("dump"); again != first {
		t.Errorf("the dump of a dump differs:\n%s\n---\n%s", first, again)
	}
	manual := print("manual")
	for _, d := range conf.Directives() {
		if !strings.Contains(manual, "\n.B "+strings.ReplaceAll(d.Name, "-", `\-`)+"\n") {
			t.Errorf("the manual page has no entry for %s", d.Name)
		}
	}
}

// -k dump masks what is secret unless it is asked for.
func TestDumpOrderMasksSecrets(t *testing.T) {
	s := newSubject(t, "cachemgr_passwd geheim all")
	for args, shown := range map[string]bool{"-k dump": false, "-k dump --secrets": true} {
		status, out := s.run(strings.Fields("-f " + s.conf() + " " + args)...)
		if status != 0 || strings.Contains(out, "cachemgr_passwd geheim") != shown {
			t.Errorf("%s: status %d, %s", args, status, out)
		}
	}
}

// A broken file is printed about, not printed.
func TestDumpOrderOfABrokenFile(t *testing.T) {
	s := newSubject(t, "http_port x")
	status, out := s.run("-k", "dump")
	if status != 1 || !strings.Contains(out, "FATAL: Bungled squid.conf line") || strings.Contains(out, "visible_hostname") {
		t.Errorf("status %d: %s", status, out)
	}
}

// Orders that read the configuration end, with the reason, when it is a pipe nobody
// writes to or a device; through a pipe somebody writes to it is read.
func TestConfigurationsThatAreNoFiles(t *testing.T) {
	s := newSubject(t)
	fifo := s.in("fifo")
	if err := unix.Mkfifo(fifo, 0o644); err != nil {
		t.Fatal(err)
	}
	for path, why := range map[string]string{fifo: "it is a pipe and nobody writes to it", "/dev/zero": "it is a device, not a file"} {
		for _, order := range []string{"parse", "check-config", "dump", "reconfigure"} {
			if status, out := s.run("-f", path, "-k", order); status == 0 || !strings.Contains(out, why) {
				t.Errorf("-k %s of %s: status %d, %s", order, path, status, out)
			}
		}
	}
	out, err := exec.Command("sh", "-c", fmt.Sprintf("cat %s | %s -f /dev/stdin -k parse", s.conf(), s.bin)).CombinedOutput()
	if err != nil {
		t.Errorf("through a pipe: %v, %s", err, out)
	}
}
