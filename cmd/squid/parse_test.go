package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The real binary on files: exit status, 2.6's lines first and alone, ours after
// them with -v.
func TestParseOrder(t *testing.T) {
	s := newSubject(t)
	mistake := func(name string) string {
		path, err := filepath.Abs(filepath.Join("../../testdata/conf/mistakes", name))
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	terminated := strings.TrimSuffix(terminatedLine(), "\n")
	unknown := func(n int) string { return strings.Repeat("nosuch_directive\n", n) }
	const good = "acl all src 0/0\nhttp_port 3128\nvisible_hostname a.b\ncache_dir null /tmp\nhttp_access deny all\n"
	for _, c := range []struct {
		name, path, text string
		status           int
		last, ours       string // 2.6's last line, and one of ours
	}{
		{"nothing wrong", "", good, 0, "", ""},
		{"an extension", "", good + "server_http11 on\n", 0, "", "directive server_http11 is an extension"},
		{"a warning", "", good + "via yes\n", 0, "", `warning: "yes" reads as off`},
		{"three unknown directives", "", good + unknown(3), 3, "parseConfigFile: line 8 unrecognized: 'nosuch_directive'", "error: unknown directive"},
		{"256 unknown directives are not 0", "", good + unknown(256), 255, "parseConfigFile: line 261 unrecognized: 'nosuch_directive'", "256 errors"},
		{"a bungled line", mistake("campus.conf"), "", 1, terminated, `did you mean "SSL_ports"?`},
		{"an abort", mistake("intercept.conf"), "", 134, terminated, "unknown service flag"},
		{"no file", "/nowhere/squid.conf", "", 134, terminated, "/nowhere/squid.conf: error: "},
		{"a folder", "/proc", "", 1, terminated, "/proc: error: "},
	} {
		path := c.path
		if path == "" {
			path = s.in("parsed.conf")
			if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		status, plain := s.run("-f", path, "-k", "parse")
		if status != c.status {
			t.Errorf("%s: status %d, want %d", c.name, status, c.status)
		}
		lines := strings.Split(strings.TrimRight(plain, "\n"), "\n")
		if !strings.HasSuffix(lines[len(lines)-1], c.last) || c.last == "" && plain != "" || c.ours != "" && strings.Contains(plain, c.ours) {
			t.Errorf("%s: it says\n%s", c.name, plain)
		}
		verboseStatus, verbose := s.run("-f", path, "-k", "parse", "-v")
		if verboseStatus != status {
			t.Errorf("%s: status %d with -v, %d without", c.name, verboseStatus, status)
		}
		if ours, first := strings.CutPrefix(unstamped(verbose), unstamped(plain)); !first || !strings.Contains(ours, c.ours) {
			t.Errorf("%s: with -v it says\n%s", c.name, verbose)
		}
	}
}

// unstamped takes the time stamps out of output.
func unstamped(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if _, text, ok := strings.Cut(line, "| "); ok && len(line) > 4 && line[4] == '/' {
			line = text
		}
		b.WriteString(line)
	}
	return b.String()
}

// On a terminal the explanations come unasked.
func TestParseOnATerminal(t *testing.T) {
	ptm, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer ptm.Close()
	number, err := unix.IoctlGetInt(int(ptm.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(ptm.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	s := newSubject(t, "via yes")
	cmd := exec.Command(s.bin, "-f", s.conf(), "-k", "parse")
	cmd.Stderr = tty
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	tty.Close()
	var out bytes.Buffer
	io.Copy(&out, ptm) // ends with an error once nobody has the other side
	if !strings.Contains(out.String(), `warning: "yes" reads as off`) {
		t.Errorf("a terminal is told %q", out.String())
	}
}
